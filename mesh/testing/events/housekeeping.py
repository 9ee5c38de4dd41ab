"""Trimming, live tails, settling and lag."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tintype.events.v1.engagement_pb2 import LikeChanged
from tintype.events.v1.media_pb2 import PostChanged

from mesh.events import Event, NewEvent
from mesh.events.events import OUTBOX_TABLES
from mesh.storage import open_store
from mesh.testing.events.world import (
    AREA,
    BRISK,
    Seen,
    World,
    crash,
    lose_everything,
    pending_count,
    post,
    published_count,
    shorter_than,
    until,
    until_async,
)


class Housekeeping:
    """Promises about trimming, live tails, settling and lag."""

    # Trimming

    async def test_trimming_keeps_what_a_group_has_not_handled(self, world: World) -> None:
        timing = replace(BRISK, kept=0)
        await world.group("search", timing)
        fast, slow = Seen(), Seen()
        await world.consumer(fast, "timeline", timing)
        events, outbox = await world.publisher(timing)
        for number in range(100):
            await outbox.commit([], [post(number, key=number % 5)])
        await until(lambda: len(fast.events) == 100)
        await events.sweep()
        await world.consumer(slow, "search", timing)
        await events.settle()
        assert sorted(slow.numbers()) == list(range(100))

    async def test_what_every_group_has_handled_is_trimmed(self, world: World) -> None:
        timing, seen = replace(BRISK, kept=5), Seen()
        await world.consumer(seen, timing=timing, shards=1)
        events, outbox = await world.publisher(timing, shards=1)
        for number in range(100):
            await outbox.commit([], [post(number)])
        await events.settle()
        await until_async(lambda: shorter_than(outbox, 7))

    async def test_without_any_group_the_bus_stays_small(self, world: World) -> None:
        timing = replace(BRISK, kept=5)
        _, outbox = await world.publisher(timing, shards=1)
        for number in range(100):
            await outbox.commit([], [post(number)])
        await until_async(lambda: shorter_than(outbox, 7))

    # Live tails

    async def test_every_tail_sees_every_new_event_and_no_old_one(self, world: World) -> None:
        events, outbox = await world.publisher()
        await outbox.commit([], [post(0)])
        await events.settle()
        tails = [Seen(), Seen()]
        processes = [world.process(), world.process()]
        for process, seen in zip(processes, tails, strict=True):
            process.tail(AREA, {PostChanged: seen})
            await process.start()
        for number in range(1, 30):
            await outbox.commit([], [post(number)])
        for process in processes:
            await process.settle()
        await events.settle()
        await until(lambda: all(seen.numbers() == list(range(1, 30)) for seen in tails))

    @pytest.mark.parametrize("wiped", [False, True])
    async def test_a_tail_goes_on_after_the_server_crashes(self, world: World, wiped: bool) -> None:
        seen = Seen()
        process = world.process()
        process.tail(AREA, {PostChanged: seen})
        await process.start()
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await until(lambda: 1 in seen.numbers())
        await (lose_everything(world) if wiped else crash(world))
        await outbox.commit([], [post(2)])
        await events.settle()
        await until(lambda: 2 in seen.numbers())

    async def test_a_tail_survives_a_handler_that_fails(self, world: World) -> None:
        seen = Seen()

        async def handler(event: Event) -> None:
            if event.message.version == 1:
                raise RuntimeError("broken")
            await seen(event)

        process = world.process()
        process.tail(AREA, {PostChanged: handler})
        outbox = process.outbox(AREA, world.store)
        await process.start()
        await outbox.commit([], [post(1)])
        await outbox.commit([], [post(2)])
        await process.settle()
        assert seen.numbers() == [2]

    # Settling and lag

    async def test_settle_waits_for_events_that_handlers_publish(self, world: World) -> None:
        process, seen = world.process(), Seen()
        likes_store = await open_store("sqlite::memory:", "likes", world.clock)
        await likes_store.create(OUTBOX_TABLES)
        posts = process.outbox(AREA, world.store)
        likes = process.outbox("likes", likes_store)

        async def answer(event: Event) -> None:
            await likes.commit([], [NewEvent(LikeChanged(post_id=event.key), event.key)])

        async def settle_down(event: Event) -> None:
            if event.message.post_id < 20:
                await posts.commit([], [post(0, key=event.key + 1)])
            await seen(event)

        process.subscribe("engagement", AREA, {PostChanged: answer}, world.store)
        process.subscribe("media", "likes", {LikeChanged: settle_down}, world.store)
        await process.start()
        await posts.commit([], [post(0, key=0)])
        await process.settle()
        assert [event.key for event in seen.events] == list(range(21))
        await likes_store.close()

    async def test_settle_names_what_does_not_settle(self, world: World) -> None:
        async def never_ends(event: Event) -> None:
            await asyncio.Event().wait()

        await world.consumer(never_ends)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        with pytest.raises(TimeoutError, match="timeline lags 0 and holds 1"):
            await events.settle(0.5)

    async def test_lag_counts_what_a_group_has_not_been_given(self, world: World) -> None:
        await world.group("timeline", shards=1)
        events, outbox = await world.publisher(shards=1)
        for number in range(5):
            await outbox.commit([], [post(number)])
        await until_async(lambda: published_count(events, 5))
        world.clock.advance(1234)
        [lag] = await events.lag()
        assert (lag.area, lag.group, lag.shard) == (AREA, "timeline", 0)
        assert (lag.lag, lag.pending, lag.oldest_age_ms) == (5, 0, 1234)

    async def test_lag_counts_what_is_being_handled_as_pending(self, world: World) -> None:
        release = asyncio.Event()

        async def held(event: Event) -> None:
            await release.wait()

        await world.consumer(held, shards=1)
        events, outbox = await world.publisher(shards=1)
        for number in range(3):
            await outbox.commit([], [post(number)])
        await until_async(lambda: pending_count(events, 3))
        world.clock.advance(700)
        [lag] = await events.lag()
        assert (lag.lag, lag.pending, lag.oldest_age_ms) == (0, 3, 700)
        release.set()
        await events.settle()
        [lag] = await events.lag()
        assert (lag.lag, lag.pending, lag.oldest_age_ms) == (0, 0, 0)
