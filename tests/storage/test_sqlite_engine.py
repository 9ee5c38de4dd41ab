"""What SQLite alone promises: fsync before acknowledging, group commit, expiry by the injected clock."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from mesh import deadline
from mesh.clock import FakeClock, SystemClock
from mesh.storage import Corrupt, Put, StorageError, Store, TimedOut, Unavailable, open_store
from mesh.storage.sqlite.engine import SqliteStore
from mesh.storage.sqlite.threads import Writer
from mesh.testing.storage.tables import NOTES, PROFILES, REQUESTS, SESSIONS

_WRITES_UNTIL_KILLED = """
import asyncio, itertools, sys
from mesh.clock import SystemClock
from mesh.storage import open_store
from mesh.testing.storage.tables import CLAIMS, NOTES

async def main():
    store = await open_store(sys.argv[1], "killed", SystemClock())
    await store.create([NOTES, CLAIMS])
    numbers = itertools.count()

    async def write_for_ever():
        for number in numbers:
            await store.put(NOTES, {"owner": 1, "id": number, "body": "x" * 200})
            await store.insert_if_absent(CLAIMS, {"name": f"n{number}"})
            print(number, flush=True)

    await asyncio.gather(*(write_for_ever() for _ in range(16)))

asyncio.run(main())
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest_asyncio.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(tmp_path / "store.db", clock)
    await opened.create([NOTES, PROFILES, SESSIONS, REQUESTS])
    yield opened
    await opened.close()


@contextlib.contextmanager
def _raw(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


class TestDurability:
    @pytest.mark.parametrize("acknowledged_before", [1, 300, 2000])
    async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
        self, tmp_path: Path, acknowledged_before: int
    ) -> None:
        url = f"sqlite://{tmp_path}"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _WRITES_UNTIL_KILLED, url, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        acknowledged = [int(await process.stdout.readline()) for _ in range(acknowledged_before)]
        process.kill()
        acknowledged += [int(line) for line in (await process.stdout.read()).split(b"\n")[:-1]]
        await process.wait()
        with _raw(tmp_path / "killed.db") as raw:
            kept = {row[0] for row in raw.execute("SELECT id FROM notes")}
            claimed = {row[0] for row in raw.execute("SELECT name FROM claims")}
        assert set(acknowledged) <= kept
        assert {f"n{number}" for number in acknowledged} <= claimed

    async def test_every_commit_is_synced(self, store: SqliteStore) -> None:
        full = 2
        for connection in store._writer._connections:
            assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


class TestGroupCommit:
    @pytest_asyncio.fixture
    async def writer(self, tmp_path: Path) -> AsyncIterator[Writer]:
        connect = partial(sqlite3.connect, tmp_path / "group.db", isolation_level=None, check_same_thread=False)
        with connect() as raw:
            raw.execute("CREATE TABLE t (v INTEGER CHECK (v > 0))")
        raw.close()
        opened = Writer(connect)
        await opened.start()
        yield opened
        await opened.close()

    async def test_what_waits_together_is_committed_together(self, writer: Writer) -> None:
        statements: list[str] = []
        writer._connections[0].set_trace_callback(statements.append)
        await asyncio.gather(*(writer.submit(_insert(value)) for value in range(1, 501)))
        writer._connections[0].set_trace_callback(None)
        assert sum(statement.startswith("INSERT") for statement in statements) == 500
        assert statements.count("COMMIT") < 50

    async def test_one_that_fails_does_not_take_the_group_with_it(self, writer: Writer) -> None:
        values = [1, -1, 2, -2, 3]
        outcomes = await asyncio.gather(*(writer.submit(_insert(v)) for v in values), return_exceptions=True)
        assert [isinstance(outcome, StorageError) for outcome in outcomes] == [False, True, False, True, False]
        kept = await writer.submit(lambda connection: connection.execute("SELECT v FROM t ORDER BY v").fetchall())
        assert kept == [(1,), (2,), (3,)]

    async def test_what_was_not_begun_by_its_deadline_is_never_applied(self, writer: Writer) -> None:
        writer.submit(_insert(1), until=time.monotonic())  # nobody has been told yet: the loop may be late
        await writer.submit(_insert(2), until=time.monotonic() + 60)
        kept = await writer.submit(lambda connection: connection.execute("SELECT v FROM t").fetchall())
        assert kept == [(2,)]

    async def test_a_write_that_fails_half_way_is_undone_whole(self, store: SqliteStore, tmp_path: Path) -> None:
        with _raw(tmp_path / "store.db") as other:
            other.execute("DROP TABLE profiles")
        outcomes = await asyncio.gather(
            store.put(NOTES, {"owner": 5, "id": 1}),
            store.write([Put(NOTES, {"owner": 5, "id": 2}), Put(PROFILES, {"name": "n"})]),
            store.put(NOTES, {"owner": 5, "id": 3}),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [type(None), Corrupt, type(None)]
        assert [row["id"] for row in await store.slice(NOTES, {"owner": 5}, limit=9)] == [1, 3]

    async def test_a_full_disk_refuses_and_leaves_what_was_there(self, store: SqliteStore) -> None:
        await store.put(NOTES, {"owner": 1, "id": 0, "body": "kept"})
        connection = store._writer._connections[0]
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(Unavailable, match="full"):
            await store.put(NOTES, {"owner": 1, "id": 1, "body": "x" * 500_000})
        connection.execute("PRAGMA max_page_count = 1000000")
        await store.put(NOTES, {"owner": 1, "id": 2, "body": "after"})
        rows = await store.slice(NOTES, {"owner": 1}, limit=9)
        assert [row["id"] for row in rows] == [0, 2]

    async def test_a_queue_that_is_full_refuses_at_once(self, store: SqliteStore, tmp_path: Path) -> None:
        with _raw(tmp_path / "store.db") as other:
            other.execute("BEGIN IMMEDIATE")
            puts = [asyncio.create_task(store.put(NOTES, {"owner": 2, "id": n})) for n in range(10_000)]
            await asyncio.wait(puts, return_when=asyncio.FIRST_EXCEPTION)
            refused = [put for put in puts if put.done()]
            other.execute("ROLLBACK")
        outcomes = await asyncio.gather(*puts, return_exceptions=True)
        assert refused
        assert all(isinstance(put.exception(), Unavailable) for put in refused)
        assert sum(outcome is None for outcome in outcomes) == 10_000 - len(refused)

    async def test_a_write_that_waits_past_the_deadline_is_of_unknown_outcome(
        self, store: SqliteStore, tmp_path: Path
    ) -> None:
        with _raw(tmp_path / "store.db") as other:
            other.execute("BEGIN IMMEDIATE")
            with deadline.limit(0.1), pytest.raises(TimedOut):
                await store.put(NOTES, {"owner": 3, "id": 1})
            other.execute("ROLLBACK")
        await store.put(NOTES, {"owner": 3, "id": 2})
        assert (await store.health()).ready


class TestExpiryByTheClock:
    async def test_a_row_dies_to_the_millisecond(self, store: SqliteStore, clock: FakeClock) -> None:
        key = {"person": 1, "id": 1}
        await store.put(SESSIONS, {**key, "agent": "a"}, ttl=timedelta(seconds=10))
        clock.advance(9_999)
        assert await store.get(SESSIONS, key) is not None
        clock.advance(1)
        assert await store.get(SESSIONS, key) is None

    async def test_a_dead_claim_gives_way_before_it_was_reaped(self, store: SqliteStore, clock: FakeClock) -> None:
        await store.insert_if_absent(REQUESTS, {"request": "r", "answer": "old"})
        clock.advance(2_000)
        assert (await store.insert_if_absent(REQUESTS, {"request": "r", "answer": None})).applied
        assert await store.get(REQUESTS, {"request": "r"}) == {"request": "r", "answer": None}

    async def test_reaping_removes_the_dead_and_only_them(
        self, store: SqliteStore, clock: FakeClock, tmp_path: Path
    ) -> None:
        for number in range(1_200):
            await store.put(SESSIONS, {"person": 1, "id": number, "agent": "a"}, ttl=timedelta(seconds=1))
        await store.put(SESSIONS, {"person": 1, "id": 5_000, "agent": "alive"})
        clock.advance(1_000)
        assert await store.reap() == 1_200
        with _raw(tmp_path / "store.db") as raw:
            assert raw.execute("SELECT id FROM sessions").fetchall() == [(5_000,)]

    async def test_a_table_that_begins_to_expire_keeps_its_rows_one_more_life(
        self, store: SqliteStore, clock: FakeClock
    ) -> None:
        await store.put(PROFILES, {"name": "n", "bio": "b", "age": 1})
        expiring = type(PROFILES)(
            PROFILES.name, partition=PROFILES.partition, columns=PROFILES.columns, ttl=timedelta(minutes=1)
        )
        await store.create([expiring])
        assert await store.get(expiring, {"name": "n"}) is not None
        clock.advance(60_000)
        assert await store.get(expiring, {"name": "n"}) is None


class TestFiles:
    async def test_each_service_has_a_file_of_its_name_with_plain_tables(self, tmp_path: Path) -> None:
        store = await open_store(f"sqlite://{tmp_path}/new", "media", SystemClock())
        await store.create([NOTES])
        await store.put(NOTES, {"owner": 1, "id": 2, "body": "text", "pinned": True})
        await store.close()
        with _raw(tmp_path / "new" / "media.db") as raw:
            row = raw.execute("SELECT owner, id, body, pinned FROM notes").fetchone()
        assert row == (1, 2, "text", 1)

    async def test_a_file_that_is_no_database_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "media.db").write_bytes(b"not a database" * 100)
        with pytest.raises(Corrupt, match=r"media\.db"):
            await open_store(f"sqlite://{tmp_path}", "media", SystemClock())

    async def test_a_place_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(Unavailable, match=r"media\.db"):
            await open_store(f"sqlite://{tmp_path}/file", "media", SystemClock())

    async def test_stores_in_memory_are_private_and_leave_nothing(self, clock: FakeClock) -> None:
        stores: list[Store] = [await open_store("sqlite::memory:", "same", clock) for _ in range(2)]
        for each in stores:
            await each.create([NOTES])
        await stores[0].put(NOTES, {"owner": 1, "id": 1})
        assert await stores[1].get(NOTES, {"owner": 1, "id": 1}) is None
        paths = [each._path for each in stores if isinstance(each, SqliteStore)]
        for each in stores:
            await each.close()
        assert not any(path.parent.exists() for path in paths)


def _insert(value: int) -> partial[sqlite3.Cursor]:
    def insert(connection: sqlite3.Connection, value: int) -> sqlite3.Cursor:
        return connection.execute("INSERT INTO t VALUES (?)", (value,))

    return partial(insert, value=value)
