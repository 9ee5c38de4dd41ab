"""Checks a :class:`TableSpec` once, when a store is told of it."""

from __future__ import annotations

import re
from datetime import timedelta

from mesh.storage.contract import MAX_KEY_COLUMNS, MAX_TTL, ColumnType, ContractViolation, TableSpec
from mesh.storage.values import VALUE_CHECKS

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,47}")
_MAX_COLUMNS = 64


def check_declaration(spec: TableSpec) -> None:
    """Raise :class:`ContractViolation` for a table that one of the engines could not keep."""
    for check in (_names, _columns, _keys, _defaults, _owners, _ttl):
        if complaint := check(spec):
            raise ContractViolation(f"table {spec.name!r}: {complaint}")


def _owners(spec: TableSpec) -> str | None:
    unknown = [name for name in spec.personal.owners if name not in spec.types] if spec.personal else []
    return f"the owner column {unknown[0]!r} does not exist" if unknown else None


def _ttl(spec: TableSpec) -> str | None:
    return None if spec.ttl is None else check_ttl(spec.ttl)


def check_ttl(ttl: timedelta) -> str | None:
    """What is wrong with a time to live, or None."""
    if not timedelta(seconds=1) <= ttl <= MAX_TTL:
        return f"a ttl of {ttl}: give one second to {MAX_TTL.days} days"
    return "a ttl takes whole seconds: round it" if ttl.microseconds else None


def _names(spec: TableSpec) -> str | None:
    all_names = [*spec.partition, *(column.name for column in spec.clustering), *spec.columns]
    for name in (spec.name, *all_names):
        if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
            return f"the name {name!r}: use lower-case snake case that starts with a letter, at most 48 characters"
    # Both engines keep columns of their own under such names, and SQLite keeps its catalogue under sqlite_.
    if reserved := [name for name in (spec.name, *all_names) if name.startswith(("tintype_", "sqlite_"))]:
        return f"the name {reserved[0]!r} is reserved: use another prefix"
    if twice := sorted({name for name in all_names if all_names.count(name) > 1}):
        return f"column {twice[0]!r} is declared twice: give each column a name of its own"
    return None


def _columns(spec: TableSpec) -> str | None:
    if not spec.partition:
        return "no partition key: name the columns that rows are spread by"
    if len(spec.types) > _MAX_COLUMNS:
        return f"{len(spec.types)} columns: at most {_MAX_COLUMNS}, split the table"
    wrong = [name for name, kind in spec.types.items() if not isinstance(kind, ColumnType)]
    return f"column {wrong[0]!r} has no ColumnType: give one" if wrong else None


def _defaults(spec: TableSpec) -> str | None:
    for name, value in spec.defaults.items():
        if name not in spec.columns:
            return f"a default for {name!r}: only a column outside the key can be unset"
        if complaint := VALUE_CHECKS[spec.columns[name]](value):
            return f"the default of {name!r} {complaint}"
    return None


def _keys(spec: TableSpec) -> str | None:
    if len(spec.key_columns) > MAX_KEY_COLUMNS:
        return f"{len(spec.key_columns)} key columns: at most {MAX_KEY_COLUMNS}"
    floats = [name for name in spec.key_columns if spec.types[name] is ColumnType.FLOAT]
    return f"key column {floats[0]!r} is FLOAT, which engines order differently: scale to an INT" if floats else None
