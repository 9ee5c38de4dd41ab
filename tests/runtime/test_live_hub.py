"""A hub tells each watcher what it may still catch up with, and says so where it may not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from mesh import ids
from mesh.clock import FakeClock
from mesh.live import End, Hub, Stream, Told

BOUND_S = 10
LIMIT = 3
Watching: TypeAlias = AsyncGenerator[Told[str]]


def hub(heartbeat_s: float = BOUND_S) -> Hub[str, str]:
    return Hub(FakeClock(), heartbeat_s, LIMIT)


@asynccontextmanager
async def watching(hub: Hub[str, str], *keys: str, closing: asyncio.Event | None = None) -> AsyncIterator[Watching]:
    """A stream that has said that it is alive: from here on it misses nothing."""
    stream = hub.watch(keys, closing or asyncio.Event())
    async with asyncio.timeout(BOUND_S):
        first = await anext(stream)
        assert (first.item, first.end) == (None, None)
        yield stream
        await stream.aclose()


async def taken(stream: Watching, count: int) -> list[Told[str]]:
    return [await anext(stream) for _ in range(count)]


async def test_the_newest_of_a_key_wins_and_an_older_one_never_comes_after_it() -> None:
    live = hub()
    async with watching(live, "a", "b") as stream:
        for number in (1, 2, 3):
            live.newest("a", f"a{number}", number)
        live.newest("b", "b1", 1)
        live.newest("a", "a2 again", 2)
        assert [told.item for told in await taken(stream, 2)] == ["a3", "b1"]
        live.newest("a", "a2, late", 2)
        live.newest("a", "a4", 4)
        assert (await anext(stream)).item == "a4"
        live.newest("b", "b2", 2)
        assert (await anext(stream)).item == "b2"


async def test_items_come_in_order_each_with_the_cursor_to_resume_from_before_the_newest() -> None:
    live = hub()
    later = ids.first_id_at(FakeClock().now_ms() + 1)
    async with watching(live, "a") as stream:
        live.newest("a", "state")
        for number in range(LIMIT):
            live.add("a", f"item {number}", later + number)
        told = await taken(stream, LIMIT + 1)
    assert [each.item for each in told] == ["item 0", "item 1", "item 2", "state"]
    assert [each.cursor - later for each in told] == [0, 1, 2, 2]


async def test_a_reader_too_slow_gets_what_lies_before_the_gap_and_then_the_end() -> None:
    live = hub(heartbeat_s=0.001)
    later = ids.first_id_at(FakeClock().now_ms() + 1)
    async with watching(live, "a") as stream:
        for number in range(LIMIT + 1):
            live.add("a", f"item {number}", later + number)
        told = await taken(stream, LIMIT)
        assert [each.item for each in told] == ["item 0", "item 1", "item 2"]
        live.add("a", "beyond the gap", later + LIMIT + 1)
        assert await anext(stream) == Told(later + LIMIT - 1, end=End.OVERFLOW)
        assert [each async for each in stream] == []


async def test_a_slow_reader_costs_no_other_anything() -> None:
    live = hub()
    async with watching(live, "a"), watching(live, "a") as quick:
        for number in range(2 * LIMIT):
            live.add("a", f"item {number}", number + 1)
            assert (await anext(quick)).item == f"item {number}"


async def test_states_never_overflow() -> None:
    live = hub()
    async with watching(live, "a") as stream:
        for number in range(100 * LIMIT):
            live.newest("a", str(number), number)
        assert (await anext(stream)).item == str(100 * LIMIT - 1)


async def test_closing_ends_a_stream_with_the_cursor_of_what_it_told() -> None:
    live, closing = hub(), asyncio.Event()
    later = ids.first_id_at(FakeClock().now_ms() + 1)
    async with watching(live, "a", closing=closing) as stream:
        live.add("a", "told", later)
        assert (await anext(stream)).cursor == later
        last = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        closing.set()
        assert await last == Told(later, end=End.DRAINING)
        assert [each async for each in stream] == []
    assert not live.watched("a")


async def test_a_silent_stream_says_that_it_is_alive_and_how_far_it_is() -> None:
    clock = FakeClock()
    live: Hub[str, str] = Hub(clock, 0.001, LIMIT)
    stream = live.watch(["a"], asyncio.Event())
    async with asyncio.timeout(BOUND_S):
        first = await anext(stream)
        clock.advance(60_000)
        later = await anext(stream)
    assert (later.item, later.end) == (None, None)
    assert ids.time_ms(later.cursor) - ids.time_ms(first.cursor) == 60_000
    await stream.aclose()


async def test_resuming_tells_what_happened_meanwhile_by_event_before_what_happens_now() -> None:
    live = hub()
    cursor = ids.first_id_at(FakeClock().now_ms() - 1000)

    async def resume(stream: Stream[str, str]) -> None:
        live.add("a", "now", cursor + 9)
        stream.newest("a", "state", 1)
        stream.replay([(cursor + 3, "third"), (cursor + 1, "first"), (cursor + 2, "second")])
        stream.replay((cursor + number, "more") for number in range(4, 8))

    stream = live.watch(["a"], asyncio.Event(), cursor, resume)
    async with asyncio.timeout(BOUND_S):
        assert await anext(stream) == Told(cursor)
        told = await taken(stream, 9)
    assert [each.item for each in told] == ["first", "second", "third", *["more"] * 4, "now", "state"]
    assert [each.cursor - cursor for each in told] == [1, 2, 3, 4, 5, 6, 7, 9, 9]
    await stream.aclose()


async def test_what_nobody_watches_is_not_kept() -> None:
    live = hub()
    assert not live.watched("a")
    async with watching(live, "a", "a"):
        async with watching(live, "a"):
            assert live.watched("a")
        assert live.watched("a")
    assert not live.watched("a")
