"""The exact counter by itself: many at once, several processes, and any of them dead at any write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import pytest

from mesh.clock import FakeClock
from mesh.counting import Entry, ExactCounter, Standing
from mesh.storage import ColumnType, Packed, StorageError, Store, TableSpec, WriteMode, open_store, table
from mesh.testing.chaos import Fault, Stage, StagedStore

INT, BOOL = ColumnType.INT, ColumnType.BOOL
VOTES = TableSpec(
    "votes",
    partition={"person": INT},
    columns={"holds": BOOL, "counted": BOOL, "mark": INT},
    mode=WriteMode.COMPARE_AND_SET,
)
SUBJECT = 1


@dataclass(frozen=True, slots=True)
class Sum:
    """How many vote. ``batch``: person, whether they vote, and the mark before, of each in the last fold."""

    subject: int
    value: int = 0
    fold: int = 0
    batch: Packed = ()

    @property
    def entries(self) -> list[Entry[int]]:
        """What the last fold took in."""
        parts = zip(self.batch[::3], self.batch[1::3], self.batch[2::3], strict=True)
        return [Entry(person, bool(holds), before, self.fold) for person, holds, before in parts]

    def folded(self, entries: Sequence[Entry[int]]) -> Sum:
        """After one more fold."""
        value = self.value + sum(1 if entry.holds else -1 for entry in entries)
        batch = tuple(part for entry in entries for part in (entry.claim, int(entry.holds), entry.before))
        return Sum(self.subject, value, self.fold + 1, batch)


SUMS = table("sums", Sum, partition=("subject",), mode=WriteMode.COMPARE_AND_SET)


class Votes:
    """The rows of a poll."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def vote(self, person: int, holds: bool) -> None:
        """Set one claim, which counts nothing yet."""
        row = {"person": person, "holds": holds, "counted": False, "mark": 0}
        if not (await self._store.insert_if_absent(VOTES, row)).applied:
            await self._store.update_if(VOTES, {"person": person}, {"holds": holds}, {})

    async def tally(self, subject: int) -> Sum:
        row = await self._store.get(SUMS, {"subject": subject})
        return SUMS.decode(row) if row else Sum(subject)

    async def write_tally(self, tally: Sum) -> bool:
        row = SUMS.encode(tally)
        if tally.fold == 1:
            return (await self._store.insert_if_absent(SUMS, row)).applied
        key = {"subject": row.pop("subject")}
        return (await self._store.update_if(SUMS, key, row, {"fold": tally.fold - 1})).applied

    async def standings(self, claims: Sequence[int]) -> list[Standing[int]]:
        rows = await self._store.multi_get(VOTES, [{"person": person} for person in claims]) if claims else []
        return [
            Standing(person, row["holds"] is True, row["counted"] is True, int(row["mark"] or 0))
            for person, row in zip(claims, rows, strict=True)
            if row
        ]

    async def mark_counted(self, entry: Entry[int]) -> None:
        changes = {"counted": entry.holds, "mark": entry.after}
        await self._store.update_if(VOTES, {"person": entry.claim}, changes, {"mark": entry.before})


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = await open_store("sqlite::memory:", "votes", FakeClock())
    await store.create([VOTES, SUMS])
    yield store
    await store.close()


async def test_many_at_once_in_several_processes_are_each_counted_once(store: Store) -> None:
    votes = Votes(store)
    counters = [ExactCounter[int, int, Sum](votes) for _ in range(3)]

    async def one(person: int) -> None:
        for holds in (True, False, True):
            await votes.vote(person, holds)
            for counter in counters:
                await counter.include(SUBJECT, person)

    await asyncio.gather(*(one(person) for person in range(1, 40)))
    assert (await votes.tally(SUBJECT)).value == 39


@pytest.mark.parametrize("fault", Fault)
async def test_a_fold_that_failed_at_any_write_is_finished_by_the_next_and_counts_nothing_twice(
    store: Store, fault: Fault
) -> None:
    votes, stage = Votes(store), Stage()
    dying = Votes(StagedStore(store, stage))
    expected = 0
    for person in range(1, 12):
        await votes.vote(person, True)
        with stage.striking(fault, person - 1):
            try:
                await ExactCounter[int, int, Sum](dying).include(SUBJECT, person)
            except StorageError:
                pass
        await votes.vote(person, person % 2 == 0)  # changed before anybody finished what was left
        expected += person % 2 == 0
        tally = await ExactCounter[int, int, Sum](votes).include(SUBJECT, person)
        assert tally.value == expected
        await stage.late.catch_up()
        tally = await ExactCounter[int, int, Sum](votes).include(SUBJECT, person)
        assert tally.value == expected
        if not stage.struck:
            break
    assert not stage.struck


async def test_those_who_wait_share_a_fold(store: Store) -> None:
    votes = Votes(store)
    counter = ExactCounter[int, int, Sum](votes)
    await asyncio.gather(*(votes.vote(person, True) for person in range(1, 101)))
    tallies = await asyncio.gather(*(counter.include(SUBJECT, person) for person in range(1, 101)))
    assert replace(tallies[0], batch=()) == Sum(SUBJECT, 100, 1)
