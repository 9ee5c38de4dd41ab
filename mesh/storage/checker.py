"""The one checker of both engines: refuses what the contract forbids before anything is sent.

Every refusal is a :class:`ContractViolation` that names the table, the column and what to do
instead. Which columns a row names is checked once per distinct set of names and remembered; only
the values are looked at every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from mesh.storage.contract import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    MAX_KEYS,
    MAX_SLICE,
    Bound,
    ContractViolation,
    Key,
    Mutation,
    Put,
    Row,
    TableSpec,
    Value,
    WriteMode,
)
from mesh.storage.declaration import check_declaration, check_ttl
from mesh.storage.values import KEY_CHECKS, PARTITION_CHECKS, VALUE_CHECKS, Check, size_of

_MAX_SHAPES = 512


class TableRules:
    """What may be asked of one table, whose declaration has been checked."""

    def __init__(self, spec: TableSpec) -> None:
        check_declaration(spec)
        self.spec = spec
        self.columns: tuple[str, ...] = tuple(spec.types)
        self.partition: tuple[str, ...] = tuple(spec.partition)
        self.clustering: tuple[str, ...] = tuple(column.name for column in spec.clustering)
        self._key = frozenset(spec.key_columns)
        self._checks: dict[str, Check] = {
            **{name: PARTITION_CHECKS[kind] for name, kind in spec.partition.items()},
            **{column.name: KEY_CHECKS[column.type] for column in spec.clustering},
            **{name: VALUE_CHECKS[kind] for name, kind in spec.columns.items()},
        }
        self._shapes: dict[tuple[str, tuple[str, ...]], tuple[Check, ...]] = {}

    def filled(self, row: dict[str, Value]) -> Row:
        """A row as it was found, with the defaults of what is unset."""
        for name, default in self.spec.defaults.items():
            if row[name] is None:
                row[name] = default
        return row

    def put(self, row: Row, ttl: timedelta | None) -> None:
        self._mode(WriteMode.LAST_WRITE_WINS, "put", "insert_if_absent or update_if")
        self._values("row", row, self._whole if self.spec.ttl else self._keyed)
        if ttl is not None:
            self._ttl(ttl)

    def delete(self, key: Key) -> None:
        self._mode(WriteMode.LAST_WRITE_WINS, "delete", "update_if to clear its columns")
        self.key(key)

    def insert(self, row: Row) -> None:
        self._mode(WriteMode.COMPARE_AND_SET, "insert_if_absent", "put")
        self._values("row", row, self._whole if self.spec.ttl else self._keyed)

    def update(self, key: Key, changes: Row, expected: Row) -> None:
        self._mode(WriteMode.COMPARE_AND_SET, "update_if", "put")
        self.key(key)
        self._values("changes", changes, self._every_column if self.spec.ttl else self._some_columns)
        self._values("expected", expected, self._other_columns)

    def key(self, key: Key) -> None:
        self._values("key", key, self._exactly_key)

    def keys(self, keys: Sequence[Key]) -> None:
        if len(keys) > MAX_KEYS:
            raise self.refusal(f"{len(keys)} keys in one multi_get: ask for at most {MAX_KEYS} at a time")
        for key in keys:
            self.key(key)

    def slice(self, partition: Key, limit: int, start: Bound | None, end: Bound | None) -> None:
        self._values("partition", partition, self._exactly_partition)
        if type(limit) is not int or not 1 <= limit <= MAX_SLICE:
            raise self.refusal(f"a slice needs a limit from 1 to {MAX_SLICE}, not {limit!r}: page through the rest")
        for name, bound in (("start", start), ("end", end)):
            if bound is not None:
                self._bound(name, bound)

    def refusal(self, complaint: str) -> ContractViolation:
        return ContractViolation(f"table {self.spec.name!r}: {complaint}")

    def _mode(self, wanted: WriteMode, verb: str, instead: str) -> None:
        if self.spec.mode is not wanted:
            raise self.refusal(f"{verb} on a {self.spec.mode.value} table: use {instead}")

    def _ttl(self, ttl: timedelta) -> None:
        if self.spec.ttl is None:
            raise self.refusal("a ttl on a row of a table that declares none: declare one on its TableSpec")
        if complaint := check_ttl(ttl):
            raise self.refusal(complaint)

    def _bound(self, name: str, bound: Bound) -> None:
        if not 1 <= len(bound.values) <= len(self.clustering):
            raise self.refusal(
                f"{name} bound of {len(bound.values)} values: give 1 to {len(self.clustering)}, "
                f"for a leading run of the clustering columns ({', '.join(self.clustering)})"
            )
        self._values(f"{name} bound", dict(zip(self.clustering, bound.values, strict=False)), self._known)

    def _values(self, what: str, row: Mapping[str, Value], names_fit: Callable[[str, set[str]], None]) -> None:
        shape = (what, tuple(row))
        checks = self._shapes.get(shape)
        if checks is None:
            checks = self._admit(shape, names_fit)
        for check, value in zip(checks, row.values(), strict=True):
            if complaint := check(value):
                column = next(name for name, held in row.items() if held is value and self._checks[name] is check)
                raise self.refusal(f"column {column!r} in {what} {complaint}")

    def _admit(
        self, shape: tuple[str, tuple[str, ...]], names_fit: Callable[[str, set[str]], None]
    ) -> tuple[Check, ...]:
        what, names = shape
        names_fit(what, set(names))
        if len(self._shapes) >= _MAX_SHAPES:
            self._shapes.clear()
        checks = tuple(self._checks[name] for name in names)
        self._shapes[shape] = checks
        return checks

    def _known(self, what: str, names: set[str]) -> None:
        if unknown := [str(name) for name in names if name not in self._checks]:
            raise self.refusal(f"{what} names {_listed(unknown)}: the columns are {_listed(self.columns)}")

    def _keyed(self, what: str, names: set[str]) -> None:
        self._known(what, names)
        self._require(what, names, self.spec.key_columns, "give the whole key")

    def _whole(self, what: str, names: set[str]) -> None:
        self._keyed(what, names)
        self._require(what, names, self.columns, "the table has a ttl and its rows expire as one, so write them whole")

    def _exactly_key(self, what: str, names: set[str]) -> None:
        self._keyed(what, names)
        self._refuse_more(what, names, self._key)

    def _exactly_partition(self, what: str, names: set[str]) -> None:
        self._known(what, names)
        self._require(what, names, self.partition, "a slice reads one partition")
        self._refuse_more(what, names, frozenset(self.partition))

    def _other_columns(self, what: str, names: set[str]) -> None:
        self._known(what, names)
        if keys := sorted(names & self._key):
            raise self.refusal(f"{what} names the key column {_listed(keys)}: a key cannot be changed or compared")

    def _some_columns(self, what: str, names: set[str]) -> None:
        self._other_columns(what, names)
        if not names:
            raise self.refusal(f"{what} is empty: name at least one column to change")

    def _every_column(self, what: str, names: set[str]) -> None:
        self._some_columns(what, names)
        self._require(what, names, tuple(self.spec.columns), "the table has a ttl and its rows expire as one")

    def _require(self, what: str, names: set[str], wanted: Iterable[str], why: str) -> None:
        if missing := [name for name in wanted if name not in names]:
            raise self.refusal(f"{what} lacks {_listed(missing)}: {why}")

    def _refuse_more(self, what: str, names: set[str], allowed: frozenset[str]) -> None:
        if more := sorted(names - allowed):
            raise self.refusal(f"{what} names {_listed(more)}: give {_listed(sorted(allowed))} and nothing else")


class Checked(Protocol):
    """What an engine keeps for a table: at least its rules."""

    @property
    def rules(self) -> TableRules: ...


T = TypeVar("T", bound=Checked)


class Tables(Generic[T]):
    """The tables that a store was told of by ``create``, each with what the engine prepared for it."""

    def __init__(self, build: Callable[[TableRules], T]) -> None:
        self._build = build
        self._tables: dict[str, T] = {}

    def check(self, specs: Sequence[TableSpec]) -> list[T]:
        """Check declarations and build what the engine keeps for them, changing nothing yet."""
        names = [spec.name for spec in specs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ContractViolation(f"table {twice[0]!r} is declared twice: give each table a name of its own")
        return [self._build(TableRules(spec)) for spec in specs]

    def declare(self, tables: Iterable[T]) -> None:
        self._tables.update({table.rules.spec.name: table for table in tables})

    def all(self) -> list[T]:
        return list(self._tables.values())

    def __getitem__(self, spec: TableSpec) -> T:
        table = self._tables.get(spec.name)
        if table is None:
            raise ContractViolation(f"table {spec.name!r} is not known to this store: pass it to create() first")
        if table.rules.spec is not spec and table.rules.spec != spec:
            raise table.rules.refusal("declared differently from what create() was given: use that TableSpec")
        return table


def check_write(mutations: Sequence[tuple[TableRules, Mutation]]) -> None:
    """Refuse a batch that is too large, holds a compare-and-set table, or names one row twice."""
    if not 1 <= len(mutations) <= MAX_BATCH:
        raise ContractViolation(f"{len(mutations)} mutations in one write: give 1 to {MAX_BATCH}, or split it")
    size, seen = 0, set()
    for rules, mutation in mutations:
        row = _check_mutation(rules, mutation)
        identity = (rules.spec.name, *(row[name] for name in rules.spec.key_columns))
        if identity in seen:
            raise rules.refusal(f"one write names the row {identity[1:]} twice: merge the two mutations")
        seen.add(identity)
        size += sum(map(size_of, row.values()))
    if size > MAX_BATCH_BYTES:
        raise ContractViolation(f"a write of {size} bytes: at most {MAX_BATCH_BYTES}, keep large values out of batches")


def _check_mutation(rules: TableRules, mutation: Mutation) -> Row:
    if isinstance(mutation, Put):
        rules.put(mutation.row, mutation.ttl)
        return mutation.row
    rules.delete(mutation.key)
    return mutation.key


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
