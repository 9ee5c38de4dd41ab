"""What becomes of events that fail."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from mesh.blobs.contract import BlobUnavailable
from mesh.cache.errors import CacheUnavailable
from mesh.errors import unavailable
from mesh.events import Event
from mesh.storage import TimedOut, Unavailable
from mesh.testing.events.world import (
    AREA,
    BRISK,
    Seen,
    World,
    post,
    until,
)


class Retries:
    """Promises about events that fail."""

    async def test_a_handler_is_tried_five_times(self, world: World) -> None:
        tries, seen = defaultdict[int, int](int), Seen()

        async def fifth_time_lucky(event: Event) -> None:
            tries[event.id] += 1
            if tries[event.id] < 5:
                raise RuntimeError("not yet")
            await seen(event)

        consumer = await world.consumer(fifth_time_lucky)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await events.settle()
        assert seen.numbers() == [1]
        assert await consumer.dead_letters(AREA, "timeline") == []

    async def test_an_event_that_fails_five_times_becomes_a_dead_letter(self, world: World) -> None:
        tries, seen = list[int](), Seen()

        async def poisoned(event: Event) -> None:
            if event.message.version == 1:
                tries.append(event.id)
                raise ValueError("this post is cursed")
            await seen(event)

        consumer = await world.consumer(poisoned)
        events, outbox = await world.publisher()
        [cursed] = await outbox.commit([], [post(1)])
        await outbox.commit([], [post(2)])
        await events.settle()
        [letter] = await consumer.dead_letters(AREA, "timeline")
        assert (letter.event_id, letter.key, letter.tries) == (cursed.id, 1, 5)
        assert letter.error == "ValueError: this post is cursed"
        assert tries == [cursed.id] * 5
        assert seen.numbers() == [2]

    async def test_a_failing_event_holds_up_no_other_key(self, world: World) -> None:
        order: list[str] = []
        other_handled = asyncio.Event()

        async def handler(event: Event) -> None:
            if event.key == 2:
                order.append("other key")
                other_handled.set()
                return
            order.append("try")
            if order.count("try") == 5:
                await other_handled.wait()
            raise RuntimeError("poisoned")

        await world.consumer(handler, shards=1)
        events, outbox = await world.publisher(shards=1)
        await outbox.commit([], [post(1, key=1)])
        await until(lambda: "try" in order)
        await outbox.commit([], [post(2, key=2)])
        await events.settle()
        assert order.count("other key") == 1

    @pytest.mark.parametrize(
        "error",
        [unavailable("graph"), Unavailable("no node"), TimedOut("late"), CacheUnavailable("away"), BlobUnavailable()],
        ids=["service", "tables", "slow tables", "cache", "blobs"],
    )
    async def test_an_event_whose_handler_lacks_what_it_needs_waits_for_it(
        self, world: World, error: Exception
    ) -> None:
        away, seen = True, Seen()

        async def handler(event: Event) -> None:
            await seen(event)
            if away:
                raise error

        _, outbox = await world.publisher()
        consumer = await world.consumer(handler)
        await outbox.commit([], [post(1)])
        await until(lambda: len(seen.events) > 3 * BRISK.tries)
        assert await consumer.dead_letters(AREA, "timeline") == []
        away = False
        await consumer.settle()
        assert set(seen.numbers()) == {1}
        assert await consumer.dead_letters(AREA, "timeline") == []

    async def test_a_dead_letter_is_replayed_to_its_group_alone(self, world: World) -> None:
        broken, timeline, search = [True], Seen(), Seen()

        async def handler(event: Event) -> None:
            if broken[0]:
                raise RuntimeError("broken")
            await timeline(event)

        consumer = await world.consumer(handler, "timeline")
        await world.consumer(search, "search")
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await events.settle()
        broken[0] = False
        [letter] = await consumer.dead_letters(AREA, "timeline")
        assert await consumer.replay(letter.id) == 1
        await events.settle()
        assert timeline.numbers() == search.numbers() == [1]
        assert await consumer.dead_letters(AREA, "timeline") == []
        assert await consumer.replay(letter.id) == 0

    async def test_a_dead_letter_can_be_discarded(self, world: World) -> None:
        async def handler(event: Event) -> None:
            raise RuntimeError("broken")

        consumer = await world.consumer(handler)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await events.settle()
        [letter] = await consumer.dead_letters(AREA, "timeline")
        assert await consumer.discard(letter.id) == 1
        assert await consumer.dead_letters(AREA, "timeline") == []
