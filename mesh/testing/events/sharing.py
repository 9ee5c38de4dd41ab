"""Processes that share a group."""

from __future__ import annotations

import asyncio

import pytest

from mesh.events import Event
from mesh.events.bus import open_bus
from mesh.events.bus.contract import LeaseLost, Stream
from mesh.testing.events.world import (
    AREA,
    BRISK,
    Seen,
    World,
    post,
    until,
)


class Sharing:
    """Promises to processes that share a group."""

    async def test_an_event_is_handled_by_one_process_of_a_group(self, world: World) -> None:
        first, second = Seen(), Seen()
        await world.consumer(first)
        await world.consumer(second)
        events, outbox = await world.publisher()
        for number in range(50):
            await outbox.commit([], [post(number, key=number)])
        await events.settle()
        assert sorted(first.numbers() + second.numbers()) == list(range(50))

    async def test_order_holds_when_another_process_takes_over(self, world: World) -> None:
        seen = Seen()
        leaving = await world.consumer(seen)
        await world.consumer(seen)
        events, outbox = await world.publisher()
        for number in range(200):
            await outbox.commit([], [post(number, key=number % 4)])
            if number == 100:
                await leaving.stop(5)
        await events.settle()
        for key in range(4):
            assert seen.numbers(key) == list(range(key, 200, 4))

    async def test_what_a_crashed_process_held_is_delivered_to_another(self, world: World) -> None:
        begun = asyncio.Event()

        async def never_ends(event: Event) -> None:
            begun.set()
            await asyncio.Event().wait()

        dying, seen = await world.consumer(never_ends), Seen()
        events, outbox = await world.publisher()
        for number in range(20):
            await outbox.commit([], [post(number)])
        await begun.wait()
        await dying.abort()
        await world.consumer(seen)
        await events.settle()
        assert seen.numbers() == list(range(20))

    async def test_an_event_that_kills_its_process_becomes_a_dead_letter(self, world: World) -> None:
        deadly_tries, seen = list[int](), Seen()

        async def deadly(event: Event) -> None:
            if event.message.version == 13:
                deadly_tries.append(event.id)
                await asyncio.Event().wait()
            await seen(event)

        events, outbox = await world.publisher(shards=1)
        for number in (12, 13, 14):
            await outbox.commit([], [post(number, key=number)])
        for deaths in range(1, 7):
            dying = await world.consumer(deadly, shards=1)
            await until(lambda deaths=deaths: len(deadly_tries) >= deaths)  # type: ignore[misc]
            await dying.abort()
        survivor = await world.consumer(deadly, shards=1)
        await events.settle()
        [letter] = await survivor.dead_letters(AREA, "timeline")
        assert letter.event_id == deadly_tries[0]
        assert set(seen.numbers()) == {12, 14}

    async def test_a_process_without_the_lease_is_given_nothing(self, world: World) -> None:
        stream = Stream(AREA, 0)
        owner, other = open_bus(world.server.url, BRISK), open_bus(world.server.url, BRISK)
        await owner.create_group(stream, "timeline")
        assert await owner.lease(stream, "timeline")
        assert not await other.lease(stream, "timeline")
        with pytest.raises(LeaseLost):
            await other.read(stream, "timeline", 1)
        assert await owner.read(stream, "timeline", 1) == []
        await owner.release(stream, "timeline")
        assert await other.lease(stream, "timeline")
        with pytest.raises(LeaseLost):
            await owner.read(stream, "timeline", 1)
        await asyncio.gather(owner.close(), other.close())
