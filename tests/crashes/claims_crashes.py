"""The protocol of claims by itself: whatever fails at any of its writes, each version is told, and what is derived
shows the row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from itertools import count

import pytest
from tintype.events.v1.media_pb2 import PostChanged

from mesh.claims import Claims
from mesh.clock import FakeClock
from mesh.errors import Problem
from mesh.events import Event, NewEvent
from mesh.events.events import OUTBOX_TABLES, Events
from mesh.storage import ColumnType, Outcome, StorageError, Store, TableSpec, WriteMode, open_store
from mesh.testing.chaos import Fault, Stage, StagedStore

INT = ColumnType.INT
ITEMS = TableSpec(
    "items",
    partition={"item": INT},
    columns={"value": INT, "version": INT, "event_id": INT},
    mode=WriteMode.COMPARE_AND_SET,
)
SHOWN = TableSpec("shown", partition={"item": INT}, columns={"value": INT})


@dataclass(frozen=True, slots=True)
class Item:
    """One version of an item. Version 0: there is none."""

    item: int
    value: int = 0
    version: int = 0
    event_id: int = 0

    @property
    def event_ids(self) -> tuple[int, ...]:
        """The event that made this version."""
        return (self.event_id,) if self.version else ()


class Trial:
    """A service whose items have a value, which a table of its own shows."""

    def __init__(self, store: Store, stage: Stage, events: Events) -> None:
        self._store = StagedStore(store, stage)
        self._claims: Claims[Item] = Claims(
            events.outbox("media", self._store, {PostChanged: self._holds}), self._write, _announce
        )
        self.told: list[tuple[int, int, int]] = []
        events.tail("media", {PostChanged: self._note})

    async def set(self, item: int, value: int) -> None:
        """Give an item a value."""

        def step(before: Item, event_id: int) -> Item | None:
            after = replace(before, value=value, version=before.version + 1, event_id=event_id)
            return None if before.value == value else after

        async def read() -> Item:
            return await self.read(item)

        await self._claims.change(read, step, self._align)

    async def read(self, item: int) -> Item:
        """An item as it stands."""
        row = await self._store.get(ITEMS, {"item": item})
        return Item(**row) if row else Item(item)  # type: ignore[arg-type]

    async def agree(self, item: int) -> int:
        """Each version was told, once or more, and what is shown is the value: which it is."""
        row = await self.read(item)
        shown = await self._store.get(SHOWN, {"item": item})
        assert (shown["value"] if shown else 0) == row.value
        told = {(version, event_id) for of, version, event_id in self.told if of == item}
        assert sorted(version for version, _ in told) == list(range(1, row.version + 1))
        return row.value

    async def _write(self, after: Item) -> Outcome:
        if after.version == 1:
            return await self._store.insert_if_absent(ITEMS, asdict(after))
        changes = {"value": after.value, "version": after.version, "event_id": after.event_id}
        return await self._store.update_if(ITEMS, {"item": after.item}, changes, {"version": after.version - 1})

    async def _align(self, after: Item) -> None:
        if after.version:
            await self._store.put(SHOWN, {"item": after.item, "value": after.value})

    async def _holds(self, event: Event) -> bool:
        row = await self.read(event.message.post_id)
        await self._align(row)
        return event.id in row.event_ids

    async def _note(self, event: Event) -> None:
        self.told.append((event.message.post_id, event.message.version, event.id))


def _announce(_: Item, after: Item) -> NewEvent:
    return NewEvent(PostChanged(post_id=after.item, version=after.version), after.item)


class ClaimsCrashes:
    """Promises of mesh/claims/changes.py. A subclass says where the tables are."""

    @pytest.fixture
    async def trial(
        self, storage_url: str, service: str, stage: Stage, events: Events, clock: FakeClock
    ) -> AsyncIterator[Trial]:
        store = await open_store(storage_url, service, clock)
        await store.create([ITEMS, SHOWN, *OUTBOX_TABLES])
        trial = Trial(store, stage, events)
        await events.start()
        yield trial
        await events.stop()
        await store.close()

    @pytest.mark.parametrize("existed", [False, True])
    async def test_a_change_survives_every_fault_at_every_write(
        self, trial: Trial, stage: Stage, sweep: Callable[[int], Awaitable[None]], existed: bool
    ) -> None:
        for item, scenario in enumerate(stage.scenarios(), 1):
            if existed:
                await trial.set(item, 1)
                await sweep(0)
            await scenario.play(lambda item=item: trial.set(item, 2), sweep)
            value = await trial.agree(item)
            assert value == 2 or not scenario.repeated, str(scenario)

    @pytest.mark.parametrize("fault", Fault)
    async def test_what_the_row_forgets_is_told_before(
        self, trial: Trial, stage: Stage, sweep: Callable[[int], Awaitable[None]], fault: Fault
    ) -> None:
        for item in count(1):
            with stage.striking(fault, item - 1):
                try:
                    await trial.set(item, 1)
                except (Problem, StorageError):
                    pass
            made = (await trial.read(item)).version
            await trial.set(item, 2)  # before anybody sweeps
            await stage.late.catch_up()
            await sweep(61_000)
            assert await trial.agree(item) == 2
            assert [version for of, version, _ in trial.told if of == item] == list(range(1, made + 2))
            if not stage.struck:
                break
