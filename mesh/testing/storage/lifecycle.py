"""Creating tables, sharing them between stores and processes, and what outlives a crash."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from mesh import deadline
from mesh.clock import SystemClock
from mesh.storage import (
    Clustering,
    Corrupt,
    Difference,
    Gap,
    StorageError,
    Store,
    TableSpec,
    TimedOut,
    Unavailable,
    WriteMode,
    open_store,
)
from mesh.testing.storage.tables import CLAIMS, FEED, INT, NOTES, TABLES, TEXT, Values, fresh

SERVICE = "conformance"
_RECOVERY_S = 60.0
_POLL_S = 0.1
# What a second process runs: it creates a table and leaves a row that says so.
_OTHER_PROCESS = """
import asyncio, sys
from mesh.clock import SystemClock
from mesh.storage import ColumnType, TableSpec, open_store

async def main(url, service, table, number):
    spec = TableSpec(table, {"part": ColumnType.INT}, {"body": ColumnType.TEXT})
    store = await open_store(url, service, SystemClock())
    await store.create([spec])
    await store.put(spec, {"part": int(number), "body": "from " + number})
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


class Lifecycle:
    """Promises about tables and stores as a whole."""

    has_server: ClassVar[bool] = False
    """Whether the engine has a server that ``kill`` ends and ``revive`` starts again; an embedded one has none."""

    async def kill(self) -> None:
        """End the server without warning."""

    async def revive(self) -> None:
        """Start the server again, on its data."""

    async def test_create_may_be_repeated_and_keeps_rows(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "kept"})
        await store.create(TABLES)
        row = await store.get(NOTES, key)
        assert row is not None
        assert row["body"] == "kept"

    async def test_create_adds_a_column_and_keeps_rows(self, store: Store) -> None:
        old = _table(columns={"body": TEXT})
        new = replace(old, columns={"body": TEXT, "added": INT})
        await store.create([old])
        await store.put(old, {"part": 1, "body": "old"})
        await store.create([new])
        assert await store.get(new, {"part": 1}) == {"part": 1, "body": "old", "added": None}
        await store.put(new, {"part": 1, "added": 5})
        assert await store.get(new, {"part": 1}) == {"part": 1, "body": "old", "added": 5}

    async def test_compare_says_what_create_would_do_and_does_nothing(self, store: Store) -> None:
        old = _table(columns={"body": TEXT, "dropped": INT})
        new = replace(old, columns={"body": TEXT, "added": INT})
        assert await store.compare([old]) == [Difference(old.name, Gap.TABLE)]
        await store.create([old])
        assert await store.compare([old]) == []
        unknown = Difference(old.name, Gap.UNKNOWN, "dropped")
        expiring = replace(new, columns={"body": TEXT, "dropped": INT}, ttl=timedelta(hours=1))
        assert await store.compare([new]) == [Difference(old.name, Gap.COLUMN, "added"), unknown]
        assert [difference.gap for difference in await store.compare([expiring])] == [Gap.LIFE]
        (conflict,) = await store.compare([replace(old, columns={"body": INT, "dropped": INT})])
        assert (conflict.gap, conflict.table) == (Gap.CONFLICT, old.name)
        assert "'body'" in conflict.what
        await store.create([new])
        assert await store.compare([new]) == [unknown]

    async def test_stores_that_add_a_column_at_once_all_succeed_beside_one_that_writes(
        self, store: Store, another: Callable[[], Awaitable[Store]]
    ) -> None:
        old = _table(columns={"body": TEXT})
        new = replace(old, columns={"body": TEXT, "added": INT, "more": INT})
        await store.create([old])
        stores = [await another() for _ in range(3)]
        writing = [store.put(old, {"part": part, "body": "old"}) for part in range(50)]
        await asyncio.gather(*(each.create([new]) for each in stores), *writing)
        await stores[0].put(new, {"part": 0, "added": 1})
        rows = await stores[1].multi_get(new, [{"part": part} for part in range(50)])
        assert [row and row["body"] for row in rows] == ["old"] * 50
        assert [row and row["added"] for row in rows] == [1, *[None] * 49]
        await store.put(old, {"part": 1, "body": "still"})

    async def test_a_store_that_knows_fewer_columns_works_beside_one_that_knows_more(
        self, store: Store, another: Callable[[], Awaitable[Store]]
    ) -> None:
        old = _table(columns={"body": TEXT})
        new = replace(old, columns={"body": TEXT, "added": INT})
        await store.create([old])
        newer = await another()
        await newer.create([new])
        await newer.put(new, {"part": 1, "body": "b", "added": 5})
        await store.create([old])
        await store.put(old, {"part": 1, "body": "c"})
        assert await store.get(old, {"part": 1}) == {"part": 1, "body": "c"}
        assert await newer.get(new, {"part": 1}) == {"part": 1, "body": "c", "added": 5}

    @pytest.mark.parametrize(
        "change",
        [
            {"partition": {"part": TEXT}},
            {"partition": {"other": INT}},
            {"partition": {"part": INT, "more": INT}},
            {"clustering": (Clustering("id", INT, descending=True),)},
            {"clustering": (Clustering("id", TEXT),)},
            {"clustering": ()},
            {"columns": {"body": INT}},
            {"mode": WriteMode.COMPARE_AND_SET},
        ],
        ids=lambda change: next(iter(change)),
    )
    async def test_create_refuses_what_does_not_agree_with_what_is_stored(
        self, store: Store, change: dict[str, object]
    ) -> None:
        table = await self._stored_table(store)
        with pytest.raises(Corrupt, match=f"'{table.name}'"):
            await store.create([replace(table, **change)])  # type: ignore[arg-type]
        await store.create([table])

    _stored: TableSpec | None = None

    @classmethod
    async def _stored_table(cls, store: Store) -> TableSpec:
        if cls._stored is None:
            cls._stored = replace(_table(columns={"body": TEXT}), clustering=(Clustering("id", INT),))
            await store.create([cls._stored])
        return cls._stored

    async def test_two_stores_see_each_others_acknowledged_writes(
        self, store: Store, another: Callable[[], Awaitable[Store]]
    ) -> None:
        other = await another()
        await other.create(TABLES)
        key = {"owner": fresh(), "id": 1}
        for number in range(20):
            await store.put(NOTES, {**key, "size": number})
            row = await other.get(NOTES, key)
            assert row is not None
            assert row["size"] == number

    async def test_two_stores_contend_for_one_claim(
        self, store: Store, another: Callable[[], Awaitable[Store]]
    ) -> None:
        other = await another()
        await other.create(TABLES)
        for _ in range(10):
            name = f"n{fresh()}"
            outcomes = await asyncio.gather(
                *(each.insert_if_absent(CLAIMS, {"name": name, "owner": 1}) for each in (store, other))
            )
            assert sorted(outcome.applied for outcome in outcomes) == [False, True]

    async def test_services_do_not_see_each_others_rows(self, store: Store, url: str) -> None:
        other = await open_store(url, "neighbour", SystemClock())
        try:
            await other.create([FEED])
            key: Values = {"reader": fresh(), "bucket": "b", "post": 1}
            await store.put(FEED, {**key, "author": 1})
            assert await other.get(FEED, key) is None
        finally:
            await other.close()

    async def test_acknowledged_writes_are_there_after_reopening(
        self, store: Store, another: Callable[[], Awaitable[Store]]
    ) -> None:
        owner = fresh()
        first = await another()
        await first.create(TABLES)
        await asyncio.gather(*(first.put(NOTES, {"owner": owner, "id": n, "size": n}) for n in range(100)))
        await first.insert_if_absent(CLAIMS, {"name": f"n{owner}", "owner": 1})
        await first.close()
        second = await another()
        await second.create(TABLES)
        assert len(await second.slice(NOTES, {"owner": owner}, limit=1000)) == 100
        assert await second.get(CLAIMS, {"name": f"n{owner}"}) is not None

    async def test_a_store_recovers_by_itself_when_its_server_was_killed(self, store: Store) -> None:
        owner = fresh()
        await asyncio.gather(*(store.put(NOTES, {"owner": owner, "id": n}) for n in range(200)))
        await self.kill()
        if self.has_server:
            await _assert_unreachable(store, owner)
        await self.revive()
        await _eventually(lambda: store.put(NOTES, {"owner": owner, "id": 200}))
        rows = await store.slice(NOTES, {"owner": owner}, limit=1000)
        assert [row["id"] for row in rows] == list(range(201))
        assert (await store.health()).ready

    async def test_stores_that_create_at_once_all_succeed(self, another: Callable[[], Awaitable[Store]]) -> None:
        tables = [_table(columns={"body": TEXT}) for _ in range(2)]
        stores = await asyncio.gather(*(another() for _ in range(4)))
        await asyncio.gather(*(each.create(tables) for each in stores))
        for number, each in enumerate(stores):
            await each.put(tables[0], {"part": number, "body": "b"})
        rows = await stores[0].multi_get(tables[0], [{"part": number} for number in range(4)])
        assert all(rows)

    async def test_processes_that_create_at_once_all_succeed(self, store: Store, url: str) -> None:
        table = _table(columns={"body": TEXT})
        processes = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", _OTHER_PROCESS, url, SERVICE, table.name, str(number)
            )
            for number in range(3)
        ]
        assert [await process.wait() for process in processes] == [0, 0, 0]
        await store.create([table])
        rows = await store.multi_get(table, [{"part": number} for number in range(3)])
        assert [row and row["body"] for row in rows] == ["from 0", "from 1", "from 2"]

    async def test_a_healthy_store_says_so(self, store: Store) -> None:
        assert (await store.health()).ready

    async def test_a_closed_store_says_so_and_refuses(self, another: Callable[[], Awaitable[Store]]) -> None:
        closed = await another()
        await closed.create(TABLES)
        await closed.close()
        await closed.close()
        assert not (await closed.health()).ready
        with pytest.raises(Unavailable, match="closed"):
            await closed.get(NOTES, {"owner": 1, "id": 1})
        with pytest.raises(Unavailable, match="closed"):
            await closed.put(NOTES, {"owner": 1, "id": 1})

    async def test_a_caller_that_goes_away_disturbs_nobody(self, store: Store) -> None:
        owner = fresh()
        tasks = [asyncio.create_task(store.put(NOTES, {"owner": owner, "id": n})) for n in range(60)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        kept = {row["id"] for row in await store.slice(NOTES, {"owner": owner}, limit=100)}
        assert kept >= set(range(1, 60, 2))


def _table(columns: dict[str, object]) -> TableSpec:
    return TableSpec(name=f"t{fresh()}", partition={"part": INT}, columns=columns)  # type: ignore[arg-type]


async def _assert_unreachable(store: Store, owner: int) -> None:
    with deadline.limit(5):
        with pytest.raises(Unavailable):
            await store.get(NOTES, {"owner": owner, "id": 1})
        with pytest.raises((Unavailable, TimedOut)):
            await store.put(NOTES, {"owner": owner, "id": 200})
        with pytest.raises((Unavailable, TimedOut)):
            await store.insert_if_absent(CLAIMS, {"name": f"n{owner}"})
        assert not (await store.health()).ready


async def _eventually(attempt: Callable[[], Awaitable[None]]) -> None:
    give_up = time.monotonic() + _RECOVERY_S
    error: StorageError | None = None
    while time.monotonic() < give_up:
        try:
            return await attempt()
        except (Unavailable, TimedOut) as refused:
            error = refused
            await asyncio.sleep(_POLL_S)
    raise AssertionError(f"the store did not recover within {_RECOVERY_S:.0f} s") from error
