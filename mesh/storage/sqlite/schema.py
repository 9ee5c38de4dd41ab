"""Brings a SQLite file to the declared tables: creates, adds columns, refuses what does not agree.

Runs inside one write transaction, so several processes may do it at once. What a table was
declared as is kept in a catalogue of its own, because SQLite does not give back key directions
and does not know a write mode.
"""

# Text in these statements is identifiers that the checker admitted; values are always bound.
# ruff: noqa: S608

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from mesh.storage.contract import Corrupt, TableSpec
from mesh.storage.sqlite.statements import EXPIRY, SqliteTable

_CATALOGUE = "CREATE TABLE IF NOT EXISTS tintype_tables (name TEXT PRIMARY KEY, declaration TEXT NOT NULL) STRICT"


def reconcile(connection: sqlite3.Connection, tables: Iterable[SqliteTable], now_ms: int) -> None:
    """Create what is missing; raise :class:`Corrupt` for what differs. Repeating it changes nothing."""
    connection.execute(_CATALOGUE)
    for table in tables:
        declared = connection.execute("SELECT declaration FROM tintype_tables WHERE name = ?", (table.spec.name,))
        found = declared.fetchone()
        if found is None:
            _create(connection, table)
        else:
            _compare(table.spec, found[0])
            _extend(connection, table, now_ms)


def _create(connection: sqlite3.Connection, table: SqliteTable) -> None:
    for statement in table.create:
        connection.execute(statement)
    connection.execute("INSERT INTO tintype_tables VALUES (?, ?)", (table.spec.name, _declaration(table.spec)))


def _compare(spec: TableSpec, found: str) -> None:
    declared = _declaration(spec)
    if declared != found:
        raise Corrupt(f"table {spec.name!r} is stored as [{found}] but declared as [{declared}]: migrate it by hand")


def _extend(connection: sqlite3.Connection, table: SqliteTable, now_ms: int) -> None:
    stored = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table.name})")}
    for name in table.spec.columns:
        if name not in stored:
            connection.execute(table.add_column(name))
        elif not table.add_column(name).endswith(f" {stored[name]}"):
            raise Corrupt(f"table {table.spec.name!r}: column {name!r} is stored as {stored[name]}: migrate it by hand")
    if table.ttl_ms is not None and EXPIRY not in stored:
        for statement in table.expiry:
            connection.execute(statement)
        connection.execute(f"UPDATE {table.name} SET {EXPIRY} = ?", (now_ms + table.ttl_ms,))


def _declaration(spec: TableSpec) -> str:
    partition = ", ".join(f"{name} {kind.value}" for name, kind in spec.partition.items())
    clustering = ", ".join(f"{c.name} {c.type.value} {'desc' if c.descending else 'asc'}" for c in spec.clustering)
    return f"{spec.mode.value}; partition {partition}; clustering {clustering}"
