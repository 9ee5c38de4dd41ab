"""What the threads do with a connection: open it, write, read, reap."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from mesh.storage.contract import Key, Row, Value
from mesh.storage.ranges import Range
from mesh.storage.sqlite.statements import SqliteTable
from mesh.storage.sqlite.threads import Work

REAP_PORTION = 500
"""Dead rows that one transaction removes."""
_KEYS_AT_ONCE = 32


def key_values(table: SqliteTable, key: Key) -> list[Value]:
    return [key[name] for name in table.spec.key_columns]


def read_values(table: SqliteTable, key: Key, now: int) -> list[Value]:
    values = key_values(table, key)
    if table.ttl_ms is not None:
        values.append(now)
    return values


def connect(path: Path, durable: bool, busy_ms: int = 5_000) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=1024)
    for pragma in (
        f"busy_timeout = {busy_ms}",
        "journal_mode = WAL",
        f"synchronous = {'FULL' if durable else 'OFF'}",
        "fullfsync = ON",
        "journal_size_limit = 67108864",
        "cache_size = -16384",
        "mmap_size = 268435456",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def run(connection: sqlite3.Connection, statement: str, values: Sequence[Value]) -> int:
    return connection.execute(statement, values).rowcount


def apart(connection: sqlite3.Connection, work: Work) -> None:
    """Run several statements of one caller so that their failure undoes them and no one else's."""
    connection.execute("SAVEPOINT one_caller")
    try:
        work(connection)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO one_caller")
            connection.execute("RELEASE one_caller")
        raise
    connection.execute("RELEASE one_caller")


def read_slice(
    table: SqliteTable,
    parts: Sequence[Range],
    head: Sequence[Value],
    limit: int,
    reverse: bool,
    connection: sqlite3.Connection,
) -> list[Row]:
    rows: list[Row] = []
    for part in parts:
        statement = table.slice(part, reverse)
        found = connection.execute(statement, (*head, *part.values, limit - len(rows)))
        rows.extend(map(table.row, found))
        if len(rows) == limit:
            break
    return rows


def read_many(
    table: SqliteTable, wanted: Sequence[tuple[Value, ...]], now: int, connection: sqlite3.Connection
) -> dict[tuple[Value, ...], Sequence[Value]]:
    found = {}
    for first in range(0, len(wanted), _KEYS_AT_ONCE):
        keys = wanted[first : first + _KEYS_AT_ONCE]
        # Padded to a power of two, so that a handful of statements serves every number of keys.
        size = 1 << (len(keys) - 1).bit_length()
        padded = [*keys, *[keys[-1]] * (size - len(keys))]
        values = [*chain.from_iterable(padded), *([now] if table.ttl_ms is not None else [])]
        for row in connection.execute(table.multi_get(size), values):
            found[table.key_of(row)] = row
    return found


def reap(table: SqliteTable, now: int, connection: sqlite3.Connection) -> int:
    dead = connection.execute(table.dead, (now, REAP_PORTION)).fetchall()
    connection.executemany(table.delete, dead)
    return len(dead)
