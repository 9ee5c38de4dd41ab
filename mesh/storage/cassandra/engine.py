"""The table contract over Cassandra: prepared statements, quorums, compare-and-set by Paxos."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from mesh import deadline
from mesh.storage.cassandra.client import Client, Found, Statement, Values
from mesh.storage.cassandra.schema import Schema
from mesh.storage.cassandra.statements import CassandraTable
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

_IN_FLIGHT = 512
"""Requests under way at once; more wait here, where they cost nothing."""
_KEYS_AT_ONCE = 64
_HEALTH_S = 2.0
# A request that failed at the deadline may still be answered by the client a moment later.
_GRACE_S = 0.5


class CassandraStore:
    """One service's tables in one keyspace."""

    def __init__(self, client: Client, keyspace: str, replication: int, timeout_s: float = 12.0) -> None:
        # Above the server's own timeouts (at most 10 s), so that it is the server who says what happened.
        self._client, self._keyspace, self._timeout_s = client, keyspace, timeout_s
        self._schema = Schema(client, keyspace, replication)
        self._tables: Tables[CassandraTable] = Tables(partial(CassandraTable, keyspace=keyspace))
        self._in_flight = asyncio.Semaphore(_IN_FLIGHT)
        self._closed = False

    async def create(self, tables: Sequence[TableSpec]) -> None:
        checked = self._tables.check(tables)
        self._seconds()
        await self._schema.reconcile(checked)
        self._tables.declare(checked)

    async def compare(self, tables: Sequence[TableSpec]) -> list[Difference]:
        checked = self._tables.check(tables)
        self._seconds()
        return await self._schema.compare(checked)

    async def put(self, table: TableSpec, row: Row, ttl: timedelta | None = None) -> None:
        known = self._tables[table]
        known.rules.put(row, ttl)
        await self._execute(*_put(known, row, ttl))

    async def delete(self, table: TableSpec, key: Key) -> None:
        known = self._tables[table]
        known.rules.delete(key)
        await self._execute(known.delete, _key_values(known, key))

    async def write(self, mutations: Sequence[Mutation]) -> None:
        known = [(self._tables[mutation.table], mutation) for mutation in mutations]
        check_write([(table.rules, mutation) for table, mutation in known])
        statements = [_mutation(table, mutation) for table, mutation in known]
        if len(statements) == 1:  # Atomic by itself: no need to pay for the batch log.
            await self._execute(*statements[0])
            return
        async with self._bounded() as seconds:
            await self._client.batch(statements, seconds)

    async def insert_if_absent(self, table: TableSpec, row: Row) -> Outcome:
        known = self._tables[table]
        known.rules.insert(row)
        values: list[Value] = [*row.values(), True]
        if known.ttl_s is not None:
            values.append(known.ttl_s)
        found = (await self._execute(known.insert(tuple(row)), values))[0]
        if found["[applied]"]:
            return Outcome(applied=True)
        current = known.rules.filled({name: found[name] for name in known.rules.columns})
        return Outcome(applied=False, current=current)

    async def update_if(self, table: TableSpec, key: Key, changes: Row, expected: Row) -> Outcome:
        known = self._tables[table]
        known.rules.update(key, changes, expected)
        lifetime: list[Value] = [] if known.ttl_s is None else [known.ttl_s]
        values = [*lifetime, *changes.values(), True, *_key_values(known, key), True, *expected.values()]
        found = await self._execute(known.update(tuple(changes), tuple(expected)), values)
        if found[0]["[applied]"]:
            return Outcome(applied=True)
        if unset := _unset(known, expected, found[0]):
            return await self.update_if(table, key, changes, {**expected, **unset})
        # Cassandra answers with the compared columns alone; the contract promises the row.
        return Outcome(applied=False, current=await self.get(table, key))

    async def get(self, table: TableSpec, key: Key) -> Row | None:
        known = self._tables[table]
        known.rules.key(key)
        found = await self._execute(known.get, _key_values(known, key))
        return known.rules.filled(found[0]) if found else None

    async def multi_get(self, table: TableSpec, keys: Sequence[Key]) -> list[Row | None]:
        known = self._tables[table]
        known.rules.keys(keys)
        wanted = [tuple(_key_values(known, key)) for key in keys]
        found = await self._get_each(known, list(dict.fromkeys(wanted)))
        # A row of its own for each time it was asked for: what one caller changes is not the other's.
        return [known.rules.filled(dict(found[key])) if key in found else None for key in wanted]

    async def _get_each(self, table: CassandraTable, wanted: list[tuple[Value, ...]]) -> dict[tuple[Value, ...], Found]:
        found: dict[tuple[Value, ...], Found] = {}
        waiting = iter(wanted)

        async def read() -> None:
            for key in waiting:
                if rows := await self._execute(table.get, key):
                    found[key] = rows[0]

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_KEYS_AT_ONCE, len(wanted))):
                    group.create_task(read())
        except* StorageError as errors:
            raise errors.exceptions[0] from None
        return found

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
        rows: list[Row] = []
        for part in ranges(table, start, end, reverse):
            values = [*head, *part.values, limit - len(rows)]
            rows += map(known.rules.filled, await self._execute(known.slice(part, reverse), values))
            if len(rows) == limit:
                break
        return rows

    async def health(self) -> StoreHealth:
        details = {"engine": "cassandra", "keyspace": self._keyspace}
        try:
            with deadline.limit(_HEALTH_S):
                async with asyncio.timeout(_HEALTH_S):
                    await self._client.query("SELECT release_version FROM system.local", self._seconds())
        except (StorageError, TimeoutError) as error:
            return StoreHealth(False, str(error) or f"no answer within {_HEALTH_S} s", details)
        return StoreHealth(True, details=details)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._client.close()

    async def _execute(self, statement: Statement, values: Values) -> list[Found]:
        async with self._bounded() as seconds:
            return await self._client.execute(statement, values, seconds)

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[float]:
        """One request among those under way; answers how many seconds it may take."""
        seconds = self._seconds()
        try:
            # The client keeps the time itself; this is for a client that fails to.
            async with self._in_flight, asyncio.timeout(seconds + _GRACE_S):
                yield seconds
        except TimeoutError:
            raise TimedOut(f"Cassandra did not answer within {seconds:.3f} s") from None

    def _seconds(self) -> float:
        if self._closed:
            raise Unavailable("the store is closed: open it again")
        try:
            return deadline.within(self._timeout_s)
        except deadline.DeadlineExceeded:
            raise Unavailable("the caller's deadline had passed: nothing was sent") from None


def _unset(table: CassandraTable, expected: Row, found: Found) -> dict[str, Value]:
    """What a refused update expected to hold its default and is unset: true, but not in the words of CQL."""
    defaults = table.spec.defaults
    return {
        name: None
        for name, value in expected.items()
        if value is not None and name in found and found[name] is None and defaults.get(name) == value
    }


def _mutation(table: CassandraTable, mutation: Mutation) -> tuple[Statement, Values]:
    if isinstance(mutation, Put):
        return _put(table, mutation.row, mutation.ttl)
    return table.delete, _key_values(table, mutation.key)


def _put(table: CassandraTable, row: Row, ttl: timedelta | None) -> tuple[Statement, Values]:
    values = list(row.values())
    if table.ttl_s is not None:
        values.append(table.ttl_s if ttl is None else int(ttl.total_seconds()))
    return table.put(tuple(row)), values


def _key_values(table: CassandraTable, key: Key) -> list[Value]:
    return [key[name] for name in table.spec.key_columns]
