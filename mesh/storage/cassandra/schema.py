"""Brings a keyspace to the declared tables, while other processes may be doing the same.

Where nothing is missing nothing is locked. Otherwise one process at a time holds a lease (a
compare-and-set row that expires by itself) and changes the schema; and nobody goes on before all
nodes agree on it.
"""

# Text in these statements is identifiers that the checker admitted; values are always bound.
# ruff: noqa: S608

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TypeAlias

from mesh.storage.cassandra.client import Client, Kind, Statement
from mesh.storage.cassandra.statements import EXISTS, CassandraTable
from mesh.storage.contract import Corrupt, Difference, Gap, StorageError, TimedOut, Unavailable, Value

_LEASE_S = 30
_STEP_S = 30.0
_POLL_S = 0.1
_LEASE_TABLE = "tintype_schema_lease"
_LEASE_ID = uuid.UUID("0a3b1c5e-7d2f-4e86-9a41-5c6d7e8f9012")

Columns: TypeAlias = dict[str, tuple[Value, ...]]


class Schema:
    """The tables of one keyspace."""

    def __init__(self, client: Client, keyspace: str, replication: int) -> None:
        self._client, self._keyspace, self._replication = client, keyspace, replication

    async def reconcile(self, tables: Sequence[CassandraTable]) -> None:
        """Create what is missing; raise :class:`Corrupt` for what differs. Repeating it changes nothing."""
        # Nothing missing is not enough: a node shows a table a moment before it can serve it.
        if await self._missing(tables) or await self._is_held():
            await self._create_keyspace()
            async with self._lease() as renew:
                # Read again: whoever held the lease before may have done it all.
                for change in await self._missing(tables):
                    await renew()
                    await self._client.query(change, _STEP_S)
                    await self._agreed()
        await self._agreed()

    async def compare(self, tables: Sequence[CassandraTable]) -> list[Difference]:
        """How tables are stored otherwise than they are declared."""
        stored, lifetimes = await self._stored()
        found: list[Difference] = []
        for table in tables:
            name = table.spec.name
            if (columns := stored.get(name)) is None:
                found.append(Difference(name, Gap.TABLE))
                continue
            found += _columns(table, columns)
            if lifetimes.get(name) != (table.ttl_s or 0):
                found.append(Difference(name, Gap.LIFE, f"rows expire after {table.spec.ttl}"))
        return found

    async def _missing(self, tables: Sequence[CassandraTable]) -> list[str]:
        by_name = {table.spec.name: table for table in tables}
        return [
            change
            for difference in await self.compare(tables)
            if (change := _change(by_name[difference.table], difference))
        ]

    async def _stored(self) -> tuple[dict[str, Columns], dict[str, Value]]:
        of_keyspace = f"WHERE keyspace_name = '{self._keyspace}'"
        found = await self._client.query(
            "SELECT table_name, column_name, kind, position, type, clustering_order "
            f"FROM system_schema.columns {of_keyspace}",
            _STEP_S,
        )
        stored: dict[str, Columns] = {}
        for row in found:
            columns = stored.setdefault(str(row["table_name"]), {})
            columns[str(row["column_name"])] = tuple(
                row[name] for name in ("kind", "position", "type", "clustering_order")
            )
        tables = await self._client.query(
            f"SELECT table_name, default_time_to_live FROM system_schema.tables {of_keyspace}", _STEP_S
        )
        return stored, {str(row["table_name"]): row["default_time_to_live"] for row in tables}

    async def _create_keyspace(self) -> None:
        replication = f"{{'class': 'NetworkTopologyStrategy', 'replication_factor': {self._replication}}}"
        await self._client.query(
            f'CREATE KEYSPACE IF NOT EXISTS "{self._keyspace}" WITH replication = {replication}', _STEP_S
        )
        await self._agreed()
        await self._client.query(
            f'CREATE TABLE IF NOT EXISTS "{self._keyspace}".{_LEASE_TABLE} '
            f"(name text PRIMARY KEY, holder text) WITH ID = {_lease_id(self._keyspace)}",
            _STEP_S,
        )
        await self._agreed()

    async def _agreed(self) -> None:
        """Wait until every node that is up has the same schema."""
        give_up = time.monotonic() + _STEP_S
        while True:
            versions = await self._client.query("SELECT schema_version FROM system.local", _STEP_S)
            versions += await self._client.query("SELECT schema_version FROM system.peers_v2", _STEP_S)
            if len({str(row["schema_version"]) for row in versions if row["schema_version"]}) <= 1:
                return
            if time.monotonic() > give_up:
                raise Unavailable(f"the nodes of Cassandra did not agree on the schema within {_STEP_S:.0f} s")
            await asyncio.sleep(_POLL_S)

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        holder = uuid.uuid4().hex
        give_up = time.monotonic() + 2 * _LEASE_S + _STEP_S
        while not await self._take(holder):
            if time.monotonic() > give_up:
                raise Unavailable(f"another process has held the schema lease of {self._keyspace} for too long")
            await asyncio.sleep(_POLL_S)
        try:
            yield partial(self._renew, holder)
        finally:
            with suppress(StorageError):  # It expires by itself.
                await self._client.execute(
                    self._statement("DELETE FROM {} WHERE name = 'schema' IF holder = ?"), [holder], _STEP_S
                )

    async def _is_held(self) -> bool:
        read = Statement(self._cql("SELECT holder FROM {} WHERE name = 'schema'"), Kind.SERIAL_READ)
        return bool(await self._client.execute(read, [], _STEP_S))

    async def _renew(self, holder: str) -> None:
        renew = self._statement(f"UPDATE {{}} USING TTL {_LEASE_S} SET holder = ? WHERE name = 'schema' IF holder = ?")
        answer = await self._client.execute(renew, [holder, holder], _STEP_S)
        if not answer[0]["[applied]"]:
            raise Unavailable(f"lost the schema lease of {self._keyspace}: try again")

    async def _take(self, holder: str) -> bool:
        insert = "INSERT INTO {} (name, holder) VALUES ('schema', ?) IF NOT EXISTS " + f"USING TTL {_LEASE_S}"
        try:
            answer = await self._client.execute(self._statement(insert), [holder], _STEP_S)
            return bool(answer[0]["[applied]"])
        except TimedOut:
            read = Statement(self._cql("SELECT holder FROM {} WHERE name = 'schema'"), Kind.SERIAL_READ)
            found = await self._client.execute(read, [], _STEP_S)
            return bool(found) and found[0]["holder"] == holder

    def _statement(self, cql: str) -> Statement:
        return Statement(self._cql(cql), Kind.COMPARE_AND_SET)

    def _cql(self, cql: str) -> str:
        return cql.format(f'"{self._keyspace}".{_LEASE_TABLE}')


def _lease_id(keyspace: str) -> uuid.UUID:
    return uuid.uuid5(_LEASE_ID, keyspace)


def _columns(table: CassandraTable, stored: Columns) -> Iterator[Difference]:
    spec = table.spec
    if ("tintype_exists" in stored) is not table.compare_and_set:
        yield Difference(spec.name, Gap.CONFLICT, "it was created for another write mode")
    for name, declared in table.stored_columns.items():
        found = stored.get(name)
        if found is None and declared[0] == "regular":
            yield Difference(spec.name, Gap.COLUMN, name)
        elif found != declared:
            yield Difference(
                spec.name, Gap.CONFLICT, f"column {name!r} is stored as {found} but declared as {declared}"
            )
    for name in stored.keys() - table.stored_columns.keys() - {EXISTS}:
        in_key = stored[name][0] in ("partition_key", "clustering")
        gap = Gap.CONFLICT if in_key else Gap.UNKNOWN
        yield Difference(spec.name, gap, f"the key column {name!r} is not declared" if in_key else name)


def _change(table: CassandraTable, difference: Difference) -> str | None:
    """The statement that closes a gap; None where there is none to close."""
    match difference.gap:
        case Gap.CONFLICT:
            raise Corrupt(f"table {table.spec.name!r}: {difference.what}: migrate it by hand")
        case Gap.TABLE:
            return table.create
        case Gap.COLUMN:
            return table.add_column(difference.what)
        case Gap.LIFE:
            return table.set_ttl
    return None
