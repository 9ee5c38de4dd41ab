"""The SQL of one table, and how its rows travel to and from SQLite."""

# Text in these statements is identifiers that the checker admitted; values are always bound.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mesh.storage.checker import TableRules
from mesh.storage.contract import ColumnType, Row, Value
from mesh.storage.ranges import Range

EXPIRY = "tintype_expires_ms"
"""Hidden column of tables with a ttl: when the row dies, in milliseconds since the epoch."""

_TYPES = {
    ColumnType.INT: "INTEGER",
    ColumnType.FLOAT: "REAL",
    ColumnType.BOOL: "INTEGER",
    ColumnType.TEXT: "TEXT",
    ColumnType.BYTES: "BLOB",
}
_MAX_SHAPES = 512


class SqliteTable:
    """One table's rules and statements. Statements that depend on which columns a row names are kept per shape."""

    def __init__(self, rules: TableRules) -> None:
        self.rules = rules
        self.spec = spec = rules.spec
        self.ttl_ms = int(spec.ttl.total_seconds() * 1000) if spec.ttl else None
        self.name = f'"{spec.name}"'
        self.key = [f'"{name}"' for name in spec.key_columns]
        self._bools = [name for name, kind in spec.types.items() if kind is ColumnType.BOOL]
        self._is_key = " AND ".join(f"{name} = ?" for name in self.key)
        self._alive = f" AND {EXPIRY} > ?" if self.ttl_ms is not None else ""
        self._columns = ", ".join(f'"{name}"' for name in rules.columns)
        self._select = f"SELECT {self._columns} FROM {self.name} WHERE "
        self.get = self._select + self._is_key + self._alive
        self.delete = f"DELETE FROM {self.name} WHERE {self._is_key}"
        self.insert = self._insert()
        self._key_at = [rules.columns.index(name) for name in spec.key_columns]
        self._puts: dict[tuple[str, ...], str] = {}

    def row(self, values: Sequence[Value]) -> Row:
        row = dict(zip(self.rules.columns, values, strict=True))
        for name in self._bools:
            value = row[name]
            row[name] = None if value is None else bool(value)
        return self.rules.filled(row)

    def put(self, columns: tuple[str, ...]) -> str:
        statement = self._puts.get(columns)
        if statement is None:
            if len(self._puts) >= _MAX_SHAPES:
                self._puts.clear()
            statement = self._puts[columns] = self._upsert(columns)
        return statement

    def _upsert(self, columns: tuple[str, ...]) -> str:
        names = [f'"{name}"' for name in columns] + ([EXPIRY] if self.ttl_ms is not None else [])
        changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in self.key)
        action = f"UPDATE SET {changes}" if changes else "NOTHING"
        return f"{self._into(names)} ON CONFLICT ({', '.join(self.key)}) DO {action}"

    def _insert(self) -> str:
        """Insert a whole row where none lives; a dead one that was not reaped yet gives way."""
        names = [f'"{name}"' for name in self.rules.columns] + ([EXPIRY] if self.ttl_ms is not None else [])
        if self.ttl_ms is None:
            return f"{self._into(names)} ON CONFLICT DO NOTHING"
        changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in self.key)
        return (
            f"{self._into(names)} ON CONFLICT ({', '.join(self.key)}) "
            f"DO UPDATE SET {changes} WHERE {self.name}.{EXPIRY} <= ?"
        )

    def _into(self, names: Sequence[str]) -> str:
        return f"INSERT INTO {self.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"

    def update(self, changes: Iterable[str], expected: Iterable[str]) -> str:
        sets = [f'"{name}" = ?' for name in changes] + ([f"{EXPIRY} = ?"] if self.ttl_ms is not None else [])
        holds = "".join(f" AND {self._held(name)} IS ?" for name in expected)
        return f"UPDATE {self.name} SET {', '.join(sets)} WHERE {self._is_key}{self._alive}{holds}"

    def _held(self, name: str) -> str:
        """A column's value; where it is unset, the default that is bound just before what is expected of it."""
        return f'ifnull("{name}", ?)' if name in self.spec.defaults else f'"{name}"'

    def slice(self, part: Range, reverse: bool) -> str:
        where = " AND ".join(f'"{name}" = ?' for name in self.rules.partition) + self._alive
        if part.where:
            where += f" AND {part.where}"
        return f"{self._select}{where}{self._order(reverse)} LIMIT ?"

    def _order(self, reverse: bool) -> str:
        if not self.spec.clustering:
            return ""
        directions = (f'"{c.name}" {"ASC" if c.descending is reverse else "DESC"}' for c in self.spec.clustering)
        return f" ORDER BY {', '.join(directions)}"

    @property
    def create(self) -> list[str]:
        columns = [f'"{name}" {_TYPES[kind]}' for name, kind in self.spec.types.items()]
        descending = {column.name for column in self.spec.clustering if column.descending}
        key = ", ".join(f'"{name}" DESC' if name in descending else f'"{name}"' for name in self.spec.key_columns)
        table = f"CREATE TABLE {self.name} ({', '.join(columns)}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID"
        return [table, *(self.expiry if self.ttl_ms is not None else [])]

    @property
    def expiry(self) -> list[str]:
        """Makes a table expire; the rows it already has live one ttl from the time bound to it on."""
        index = f'"tintype_expiry_of_{self.spec.name}"'
        return [
            f"ALTER TABLE {self.name} ADD COLUMN {EXPIRY} INTEGER",
            f"CREATE INDEX {index} ON {self.name} ({EXPIRY})",
        ]

    def add_column(self, name: str) -> str:
        return f'ALTER TABLE {self.name} ADD COLUMN "{name}" {_TYPES[self.spec.columns[name]]}'

    def multi_get(self, keys: int) -> str:
        """Many rows by key. Alternatives are searched by the primary key; a row-value IN would scan the table."""
        any_of = " OR ".join([f"({self._is_key})"] * keys)
        return f"{self._select}({any_of}){self._alive}"

    def key_of(self, values: Sequence[Value]) -> tuple[Value, ...]:
        """The key among the values of a whole row."""
        return tuple(values[position] for position in self._key_at)

    @property
    def dead(self) -> str:
        return f"SELECT {', '.join(self.key)} FROM {self.name} WHERE {EXPIRY} <= ? ORDER BY {EXPIRY} LIMIT ?"
