"""The lossy counter: what it loses, and that it never counts twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from mesh.clock import FakeClock
from mesh.counting import LossyCounter, lossy_table
from mesh.personal import nobodys
from mesh.storage import TimedOut, open_store
from mesh.storage.wrappers import Faulty

VIEWS = lossy_table("views", nobodys("how often, not by whom"))
POST, OTHER = 1, 2


@pytest.fixture
async def store() -> AsyncIterator[Faulty]:
    store = await open_store("sqlite::memory:", "views", FakeClock())
    await store.create([VIEWS])
    yield Faulty(store)
    await store.close()


@pytest.fixture
def counter(store: Faulty) -> LossyCounter:
    return LossyCounter(store, VIEWS)


async def test_what_was_counted_is_seen_before_and_after_it_is_written(counter: LossyCounter, store: Faulty) -> None:
    counter.add(POST)
    counter.add(POST, 4)
    assert await counter.of([POST, OTHER]) == [5, 0]
    assert await LossyCounter(store, VIEWS).of([POST]) == [0]
    await counter.flush()
    await counter.flush()
    assert await LossyCounter(store, VIEWS).of([POST]) == [5]


async def test_processes_add_up(store: Faulty) -> None:
    counters = [LossyCounter(store, VIEWS) for _ in range(8)]
    for counter in counters:
        counter.add(POST, 3)
    await asyncio.gather(*(counter.flush() for counter in counters))
    for counter in counters:
        await counter.flush()  # those who met too many others
    assert await counters[0].of([POST]) == [24]


async def test_a_killed_process_loses_what_it_had_not_written(counter: LossyCounter, store: Faulty) -> None:
    counter.add(POST)
    await counter.flush()
    counter.add(POST)
    assert await LossyCounter(store, VIEWS).of([POST]) == [1]


async def test_what_a_store_that_is_away_did_not_take_is_kept(counter: LossyCounter, store: Faulty) -> None:
    counter.add(POST)
    store.fail("insert_if_absent")
    await counter.flush()
    counter.add(POST)
    await counter.flush()
    assert await LossyCounter(store, VIEWS).of([POST]) == [2]


@pytest.mark.parametrize(("applied", "counted"), [(True, 2), (False, 1)])
async def test_a_write_of_unknown_outcome_is_not_repeated(
    counter: LossyCounter, store: Faulty, applied: bool, counted: int
) -> None:
    counter.add(POST)
    if applied:
        store.lose_answer("insert_if_absent")
    else:
        store.fail("insert_if_absent", error=TimedOut("not done"))
    await counter.flush()
    counter.add(POST)
    await counter.flush()
    assert await LossyCounter(store, VIEWS).of([POST]) == [counted]


async def test_memory_is_bounded(store: Faulty) -> None:
    counter = LossyCounter(store, VIEWS, most=2)
    for subject in (1, 2, 3, 1):
        counter.add(subject)
    assert await counter.of([1, 2, 3]) == [2, 1, 0]


async def test_it_writes_by_itself(store: Faulty) -> None:
    counter = LossyCounter(store, VIEWS, every_s=0.001)
    counter.add(POST)
    work = asyncio.create_task(counter.run())
    async with asyncio.timeout(20):
        while await LossyCounter(store, VIEWS).of([POST]) != [1]:
            await asyncio.sleep(0.001)
    work.cancel()
