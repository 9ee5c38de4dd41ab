"""The table contract over one SQLite file: WAL, group commit, fsync before acknowledging."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from mesh import deadline
from mesh.clock import Clock
from mesh.storage.checker import Tables, check_write
from mesh.storage.contract import (
    Bound,
    Difference,
    Key,
    Mutation,
    Outcome,
    Put,
    Row,
    StorageError,
    StoreHealth,
    TableSpec,
    TimedOut,
    Unavailable,
    Value,
)
from mesh.storage.ranges import ranges
from mesh.storage.sqlite.errors import translate
from mesh.storage.sqlite.schema import compare, reconcile
from mesh.storage.sqlite.statements import SqliteTable
from mesh.storage.sqlite.threads import Readers, Work, Worker, Writer
from mesh.storage.sqlite.work import (
    REAP_PORTION,
    apart,
    connect,
    key_values,
    read_many,
    read_slice,
    read_values,
    reap,
    run,
)

_REAP_EVERY_S = 30.0
_HEALTH_S = 2.0
_AT_ONCE_ROWS = 64
"""Rows that are read on the event loop: some ten to a hundred microseconds where the file is in memory."""
_TURN = 16
"""Such reads after which others have their turn."""


class SqliteStore:
    """One service's tables in one file. Open with :meth:`open`, in the event loop that will use it."""

    def __init__(self, path: Path, clock: Clock, timeout_s: float, durable: bool) -> None:
        self._path, self._clock, self._timeout_s = path, clock, timeout_s
        connect_to = partial(connect, path, durable)
        self._writer, self._readers = Writer(connect_to), Readers(connect_to)
        self._tables: Tables[SqliteTable] = Tables(SqliteTable)
        self._reaper: asyncio.Task[None] | None = None
        self._when_closed: Callable[[], None] = lambda: None
        self._at_once = 0

    @classmethod
    async def open(cls, path: Path, clock: Clock, timeout_s: float = 10.0) -> SqliteStore:
        """Open or create the file at ``path``. Raises :class:`Unavailable` where it cannot be."""
        store = cls(path, clock, timeout_s, durable=True)
        await store._start()
        return store

    @classmethod
    async def open_temporary(cls, clock: Clock, timeout_s: float = 10.0) -> SqliteStore:
        """A store for tests: nobody else's, never synced to disk, gone when closed."""
        directory = await asyncio.to_thread(tempfile.mkdtemp, prefix="tintype-")
        store = cls(Path(directory, "store.db"), clock, timeout_s, durable=False)
        store._when_closed = partial(shutil.rmtree, directory, ignore_errors=True)
        await store._start()
        return store

    async def _start(self) -> None:
        try:
            await asyncio.to_thread(self._path.parent.mkdir, parents=True, exist_ok=True)
            await self._writer.start()  # First: it is the one that makes the file a WAL file.
            await self._readers.start()
            self._connection = await asyncio.to_thread(connect, self._path, durable=False, busy_ms=0)
        except OSError as error:
            raise Unavailable(f"cannot open the SQLite file {self._path}: {error}") from error
        except sqlite3.Error as error:
            raise type(translate(error))(f"cannot open the SQLite file {self._path}: {error}") from error
        self._reaper = asyncio.create_task(self._reap_for_ever(), name="sqlite-reaper")

    async def create(self, tables: Sequence[TableSpec]) -> None:
        checked = self._tables.check(tables)
        await self._do(self._writer, lambda connection: apart(connection, self._reconcile(checked)))
        self._tables.declare(checked)

    def _reconcile(self, tables: Sequence[SqliteTable]) -> Work:
        return lambda connection: reconcile(connection, tables, self._clock.now_ms())

    async def compare(self, tables: Sequence[TableSpec]) -> list[Difference]:
        checked = self._tables.check(tables)
        found = await self._do(self._writer, lambda connection: [compare(connection, table) for table in checked])
        return list(chain.from_iterable(found))

    async def put(self, table: TableSpec, row: Row, ttl: timedelta | None = None) -> None:
        known = self._tables[table]
        known.rules.put(row, ttl)
        statement, values = self._put(known, row, ttl)
        await self._do(self._writer, lambda connection: run(connection, statement, values))

    async def delete(self, table: TableSpec, key: Key) -> None:
        known = self._tables[table]
        known.rules.delete(key)
        values = key_values(known, key)
        await self._do(self._writer, lambda connection: run(connection, known.delete, values))

    async def write(self, mutations: Sequence[Mutation]) -> None:
        known = [(self._tables[mutation.table], mutation) for mutation in mutations]
        check_write([(table.rules, mutation) for table, mutation in known])
        statements = [self._mutation(table, mutation) for table, mutation in known]

        def apply(connection: sqlite3.Connection) -> None:
            for statement, values in statements:
                connection.execute(statement, values)

        await self._do(self._writer, lambda connection: apart(connection, apply))

    def _mutation(self, table: SqliteTable, mutation: Mutation) -> tuple[str, Sequence[Value]]:
        if isinstance(mutation, Put):
            return self._put(table, mutation.row, mutation.ttl)
        return table.delete, key_values(table, mutation.key)

    def _put(self, table: SqliteTable, row: Row, ttl: timedelta | None) -> tuple[str, Sequence[Value]]:
        values = list(row.values())
        if table.ttl_ms is not None:
            lifetime = table.ttl_ms if ttl is None else int(ttl.total_seconds() * 1000)
            values.append(self._clock.now_ms() + lifetime)
        return table.put(tuple(row)), values

    async def insert_if_absent(self, table: TableSpec, row: Row) -> Outcome:
        known = self._tables[table]
        known.rules.insert(row)
        now = self._clock.now_ms()
        values: list[Value] = [row.get(name) for name in known.rules.columns]
        if known.ttl_ms is not None:
            values += [now + known.ttl_ms, now]
        return await self._compare_and_set(known, known.insert, values, row, now)

    async def update_if(self, table: TableSpec, key: Key, changes: Row, expected: Row) -> Outcome:
        known = self._tables[table]
        known.rules.update(key, changes, expected)
        now = self._clock.now_ms()
        values = list(changes.values())
        if known.ttl_ms is not None:
            values.append(now + known.ttl_ms)
        values += read_values(known, key, now)
        for name, value in expected.items():
            values += [table.defaults[name], value] if name in table.defaults else [value]
        return await self._compare_and_set(known, known.update(changes, expected), values, key, now)

    async def _compare_and_set(
        self, table: SqliteTable, statement: str, values: Sequence[Value], key: Key, now: int
    ) -> Outcome:
        def attempt(connection: sqlite3.Connection) -> Outcome:
            if connection.execute(statement, values).rowcount == 1:
                return Outcome(applied=True)
            found = connection.execute(table.get, read_values(table, key, now)).fetchone()
            return Outcome(applied=False, current=table.row(found) if found else None)

        outcome: Outcome = await self._do(self._writer, attempt)
        return outcome

    async def get(self, table: TableSpec, key: Key) -> Row | None:
        known = self._tables[table]
        known.rules.key(key)
        values = read_values(known, key, self._clock.now_ms())
        found = await self._read(1, lambda connection: connection.execute(known.get, values).fetchone())
        return known.row(found) if found else None

    async def multi_get(self, table: TableSpec, keys: Sequence[Key]) -> list[Row | None]:
        known = self._tables[table]
        known.rules.keys(keys)
        wanted = [tuple(key[name] for name in known.spec.key_columns) for key in keys]
        read = partial(read_many, known, wanted, self._clock.now_ms())
        found: dict[tuple[Value, ...], Sequence[Value]] = await self._read(len(wanted), read)
        # A row of its own for each time it was asked for: what one caller changes is not the other's.
        return [known.row(found[key]) if key in found else None for key in wanted]

    async def slice(
        self,
        table: TableSpec,
        partition: Key,
        *,
        limit: int,
        start: Bound | None = None,
        end: Bound | None = None,
        reverse: bool = False,
    ) -> list[Row]:
        known = self._tables[table]
        known.rules.slice(partition, limit, start, end)
        head = [partition[name] for name in known.rules.partition]
        if known.ttl_ms is not None:
            head.append(self._clock.now_ms())
        parts = ranges(table, start, end, reverse)
        rows: list[Row] = await self._read(limit, partial(read_slice, known, parts, head, limit, reverse))
        return rows

    async def reap(self) -> int:
        """Remove rows whose time has passed, a bounded portion per transaction; how many there were."""
        reaped = 0
        for table in [table for table in self._tables.all() if table.ttl_ms is not None]:
            portion = REAP_PORTION
            while portion == REAP_PORTION:
                portion = await self._do(self._writer, partial(reap, table, self._clock.now_ms()))
                reaped += portion
        return reaped

    async def _reap_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_REAP_EVERY_S)
            with contextlib.suppress(StorageError):  # What stayed is invisible, and next in line.
                await self.reap()

    async def health(self) -> StoreHealth:
        details = {"engine": "sqlite", "writes_waiting": str(self._writer.waiting)}
        if not (self._writer.alive and self._readers.alive):
            return StoreHealth(False, "the store is closed", details)
        try:
            with deadline.limit(_HEALTH_S):
                await self._do(self._writer, lambda connection: run(connection, "SELECT 1", ()))
        except StorageError as error:
            return StoreHealth(False, str(error), details)
        return StoreHealth(True, details=details)

    async def close(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reaper
            self._reaper = None
        await self._readers.close()
        await self._writer.close()
        await asyncio.to_thread(self._connection.close)
        await asyncio.to_thread(self._when_closed)

    async def _read(self, most: int, work: Work) -> Any:
        """Read at most so many rows: a few at once, on the event loop, which takes less than waking a thread."""
        if most <= _AT_ONCE_ROWS and self._readers.alive:
            self._at_once += 1
            if self._at_once % _TURN == 0:
                await asyncio.sleep(0)  # however many reads follow on each other, others have their turn
            with contextlib.suppress(sqlite3.OperationalError):  # busy: a thread can wait
                _require_time(self._timeout_s)
                return work(self._connection)
        return await self._do(self._readers, work)

    async def _do(self, worker: Worker, work: Work) -> Any:
        seconds = _require_time(self._timeout_s)
        future = worker.submit(work, time.monotonic() + seconds)
        # A timer on the future itself: asyncio.wait_for would cost more than the read.
        timer = future.get_loop().call_later(seconds, _expire, future, seconds)
        try:
            return await future
        finally:
            timer.cancel()


def _require_time(timeout_s: float) -> float:
    """Seconds that a request may take. Raises :class:`Unavailable` where none are left."""
    try:
        return deadline.within(timeout_s)
    except deadline.DeadlineExceeded:
        raise Unavailable("the caller's deadline had passed: nothing was sent") from None


def _expire(future: asyncio.Future[Any], seconds: float) -> None:
    if not future.done():
        future.set_exception(TimedOut(f"SQLite did not answer within {seconds:.3f} s"))
