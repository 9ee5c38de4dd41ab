"""Brings a SQLite file to the declared tables: creates, adds columns, refuses what does not agree.

Runs inside one write transaction, so several processes may do it at once. What a table was
declared as is kept in a catalogue of its own, because SQLite does not give back key directions
and does not know a write mode.
"""

# Text in these statements is identifiers that the checker admitted; values are always bound.
# ruff: noqa: S608

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from mesh.storage.contract import Corrupt, Difference, Gap, TableSpec
from mesh.storage.sqlite.statements import EXPIRY, SqliteTable

_CATALOGUE = "CREATE TABLE IF NOT EXISTS tintype_tables (name TEXT PRIMARY KEY, declaration TEXT NOT NULL) STRICT"


def reconcile(connection: sqlite3.Connection, tables: Iterable[SqliteTable], now_ms: int) -> None:
    """Create what is missing; raise :class:`Corrupt` for what differs. Repeating it changes nothing."""
    for table in tables:
        for difference in compare(connection, table):
            _close(connection, table, difference, now_ms)


def compare(connection: sqlite3.Connection, table: SqliteTable) -> list[Difference]:
    """How one table is stored otherwise than it is declared."""
    name, declared = table.spec.name, _declaration(table.spec)
    connection.execute(_CATALOGUE)
    found = connection.execute("SELECT declaration FROM tintype_tables WHERE name = ?", (name,)).fetchone()
    if found is None:
        return [Difference(name, Gap.TABLE)]
    if declared != found[0]:
        return [Difference(name, Gap.CONFLICT, f"stored as [{found[0]}] but declared as [{declared}]")]
    stored = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table.name})")}
    return [*_columns(table, stored), *_life(table, stored)]


def _columns(table: SqliteTable, stored: Mapping[str, str]) -> Iterator[Difference]:
    name = table.spec.name
    for column in table.spec.columns:
        if column not in stored:
            yield Difference(name, Gap.COLUMN, column)
        elif not table.add_column(column).endswith(f" {stored[column]}"):
            kind = table.spec.columns[column].value
            yield Difference(name, Gap.CONFLICT, f"column {column!r} is stored as {stored[column]}, declared as {kind}")
    for column in stored.keys() - table.spec.types.keys() - {EXPIRY}:
        yield Difference(name, Gap.UNKNOWN, column)


def _life(table: SqliteTable, stored: Mapping[str, str]) -> Iterator[Difference]:
    if table.ttl_ms is not None and EXPIRY not in stored:
        yield Difference(table.spec.name, Gap.LIFE, f"rows expire after {table.spec.ttl}")


def _close(connection: sqlite3.Connection, table: SqliteTable, difference: Difference, now_ms: int) -> None:
    match difference.gap:
        case Gap.CONFLICT:
            raise Corrupt(f"table {table.spec.name!r}: {difference.what}: migrate it by hand")
        case Gap.TABLE:
            for statement in table.create:
                connection.execute(statement)
            declaration = _declaration(table.spec)
            connection.execute("INSERT INTO tintype_tables VALUES (?, ?)", (table.spec.name, declaration))
        case Gap.COLUMN:
            connection.execute(table.add_column(difference.what))
        case Gap.LIFE:
            for statement in table.expiry:
                connection.execute(statement)
            connection.execute(f"UPDATE {table.name} SET {EXPIRY} = ?", (now_ms + (table.ttl_ms or 0),))


def _declaration(spec: TableSpec) -> str:
    partition = ", ".join(f"{name} {kind.value}" for name, kind in spec.partition.items())
    clustering = ", ".join(f"{c.name} {c.type.value} {'desc' if c.descending else 'asc'}" for c in spec.clustering)
    return f"{spec.mode.value}; partition {partition}; clustering {clustering}"
