"""Who is given what, once, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tintype.events.v1.engagement_pb2 import LikeChanged
from tintype.events.v1.media_pb2 import PostChanged

from mesh.events import Event, NewEvent
from mesh.storage import ContractViolation, Put
from mesh.testing.events.world import (
    AREA,
    Seen,
    World,
    post,
    row_of,
)


class Delivery:
    """Promises about who is given what, once, and in which order."""

    async def test_every_group_gets_every_event(self, world: World) -> None:
        timeline, search = Seen(), Seen()
        await world.consumer(timeline, "timeline")
        await world.consumer(search, "search")
        events, outbox = await world.publisher()
        for number in range(40):
            await outbox.commit([], [post(number, key=number)])
        await events.settle()
        assert sorted(timeline.numbers()) == sorted(search.numbers()) == list(range(40))

    async def test_an_event_arrives_as_it_was_committed(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        [committed] = await outbox.commit([], [post(7, key=5)])
        await events.settle()
        [event] = seen.events
        assert replace(event, position="") == committed
        assert event.position

    async def test_positions_sort_in_the_order_of_delivery(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        for number in range(120):
            await outbox.commit([], [post(number)])
        await events.settle()
        positions = [event.position for event in seen.events]
        assert positions == sorted(set(positions))

    async def test_events_of_a_key_arrive_in_order(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        for number in range(300):
            await outbox.commit([], [post(number, key=number % 7)])
        await events.settle()
        for key in range(7):
            assert seen.numbers(key) == list(range(key, 300, 7))

    async def test_events_of_a_key_arrive_in_order_when_handlers_fail(self, world: World) -> None:
        seen, failed = Seen(), set[int]()

        async def failing_once(event: Event) -> None:
            if event.message.version % 5 == 0 and event.id not in failed:
                failed.add(event.id)
                raise RuntimeError("not this time")
            await seen(event)

        await world.consumer(failing_once)
        events, outbox = await world.publisher()
        for number in range(60):
            await outbox.commit([], [post(number, key=number % 3)])
        await events.settle()
        for key in range(3):
            assert seen.numbers(key) == list(range(key, 60, 3))

    async def test_events_of_other_types_are_passed_over(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        await outbox.commit([], [NewEvent(LikeChanged(post_id=1), 1), post(1)])
        await events.settle()
        assert seen.numbers() == [1]

    async def test_a_repeated_publication_is_delivered_once(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        [committed] = await outbox.commit([], [post(1)])
        await events.settle()
        row = row_of(outbox, committed)
        await outbox.relays[row.shard].append([row, row])
        await outbox.relays[row.shard].append([row])
        await events.settle()
        assert seen.numbers() == [1]

    async def test_an_event_whose_write_is_refused_is_not_published(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        row = row_of(outbox, Event(1, 1, PostChanged(), AREA))
        broken = Put(outbox.tables.put(row).table, {"shard": 0})
        with pytest.raises(ContractViolation):
            await outbox.commit([broken], [post(1)])
        await events.settle()
        assert seen.numbers() == []
