"""The CQL of one table."""

# Text in these statements is identifiers that the checker admitted; values are always bound.
# ruff: noqa: S608

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence

from mesh.storage.cassandra.client import Kind, Statement
from mesh.storage.checker import TableRules
from mesh.storage.contract import WriteMode
from mesh.storage.ranges import Range

EXISTS = "tintype_exists"
"""Hidden column of compare-and-set tables, true in every row that exists. CQL's ``IF a = null`` also
holds where there is no row, and would create one; this condition makes "the row exists" explicit."""
_MAX_SHAPES = 512
_TABLE_IDS = uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")


class CassandraTable:
    """One table's rules and statements, kept per shape where they depend on the columns named."""

    def __init__(self, rules: TableRules, keyspace: str) -> None:
        self.rules = rules
        self.spec = spec = rules.spec
        self.compare_and_set = spec.mode is WriteMode.COMPARE_AND_SET
        self.ttl_s = int(spec.ttl.total_seconds()) if spec.ttl else None
        self.name = f'"{keyspace}"."{spec.name}"'
        self._id = uuid.uuid5(_TABLE_IDS, f"{keyspace}.{spec.name}")
        self._is_key = " AND ".join(f'"{name}" = ?' for name in spec.key_columns)
        self._columns = ", ".join(f'"{name}"' for name in rules.columns)
        self._read = Kind.SERIAL_READ if self.compare_and_set else Kind.READ
        self._using_ttl = "" if self.ttl_s is None else " USING TTL ?"
        self.get = Statement(f"SELECT {self._columns} FROM {self.name} WHERE {self._is_key}", self._read)
        self.delete = Statement(f"DELETE FROM {self.name} WHERE {self._is_key}", Kind.WRITE)
        self._shapes: dict[tuple[object, ...], Statement] = {}

    def put(self, columns: tuple[str, ...]) -> Statement:
        return self._kept(("put", columns), lambda: Statement(self._insert(columns, ""), Kind.WRITE))

    def insert(self, columns: tuple[str, ...]) -> Statement:
        """Claim; takes the values of ``columns``, then True."""
        cql = self._insert
        return self._kept(
            ("insert", columns), lambda: Statement(cql((*columns, EXISTS), " IF NOT EXISTS"), Kind.COMPARE_AND_SET)
        )

    def update(self, changes: tuple[str, ...], expected: tuple[str, ...]) -> Statement:
        """Change; takes the ttl if there is one, the changes, True, the key, True and the expected values."""

        def build() -> Statement:
            sets = ", ".join(f'"{name}" = ?' for name in (*changes, EXISTS))
            holds = " AND ".join(f'"{name}" = ?' for name in (EXISTS, *expected))
            cql = f"UPDATE {self.name}{self._using_ttl} SET {sets} WHERE {self._is_key} IF {holds}"
            return Statement(cql, Kind.COMPARE_AND_SET)

        return self._kept(("update", changes, expected), build)

    def slice(self, part: Range, reverse: bool) -> Statement:
        def build() -> Statement:
            where = " AND ".join(f'"{name}" = ?' for name in self.rules.partition)
            bounds = f" AND {part.where}" if part.where else ""
            order = self._reversed() if reverse else ""
            return Statement(
                f"SELECT {self._columns} FROM {self.name} WHERE {where}{bounds}{order} LIMIT ?", self._read
            )

        return self._kept(("slice", part.where, reverse), build)

    def _kept(self, shape: tuple[object, ...], build: Callable[[], Statement]) -> Statement:
        statement = self._shapes.get(shape)
        if statement is None:
            if len(self._shapes) >= _MAX_SHAPES:
                self._shapes.clear()
            statement = self._shapes[shape] = build()
        return statement

    def _insert(self, columns: Sequence[str], condition: str) -> str:
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        return f"INSERT INTO {self.name} ({names}) VALUES ({marks}){condition}{self._using_ttl}"

    def _reversed(self) -> str:
        if not self.spec.clustering:
            return ""
        return f" ORDER BY {_directions((c.name, not c.descending) for c in self.spec.clustering)}"

    @property
    def stored_columns(self) -> dict[str, tuple[str, int, str, str]]:
        """Each column as ``system_schema.columns`` tells of it: kind, position, type and order."""
        spec = self.spec
        hidden = {EXISTS: ("regular", -1, "boolean", "none")} if self.compare_and_set else {}
        return {
            **{
                name: ("partition_key", at, kind.value, "none")
                for at, (name, kind) in enumerate(spec.partition.items())
            },
            **{
                column.name: ("clustering", at, column.type.value, "desc" if column.descending else "asc")
                for at, column in enumerate(spec.clustering)
            },
            **{name: ("regular", -1, kind.value, "none") for name, kind in spec.columns.items()},
            **hidden,
        }

    @property
    def create(self) -> str:
        """The id is fixed, so that two nodes told at once to create the table create the same one."""
        columns = ", ".join(f'"{name}" {kind}' for name, (_, _, kind, _) in self.stored_columns.items())
        partition = ", ".join(f'"{name}"' for name in self.rules.partition)
        key = ", ".join([f"({partition})", *(f'"{name}"' for name in self.rules.clustering)])
        options = [
            f"ID = {self._id}",
            "compaction = {'class': 'UnifiedCompactionStrategy'}",
            # A replica that is slow or dead costs a read 50 ms, not the timeout.
            "speculative_retry = '50ms'",
            f"default_time_to_live = {self.ttl_s or 0}",
        ]
        if self.spec.clustering:
            order = _directions((column.name, column.descending) for column in self.spec.clustering)
            options.append(f"CLUSTERING ORDER BY ({order})")
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}, PRIMARY KEY ({key})) WITH {' AND '.join(options)}"

    def add_column(self, name: str) -> str:
        return f'ALTER TABLE {self.name} ADD IF NOT EXISTS "{name}" {self.stored_columns[name][2]}'

    @property
    def set_ttl(self) -> str:
        return f"ALTER TABLE {self.name} WITH default_time_to_live = {self.ttl_s or 0}"


def _directions(columns: Iterable[tuple[str, bool]]) -> str:
    return ", ".join(f'"{name}" {"DESC" if descending else "ASC"}' for name, descending in columns)
