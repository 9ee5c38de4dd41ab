"""Tables whose rows are values of a class: columns, defaults and codec all come from its fields.

A field is a column of its name. Its type says how it is kept:

====================================  =============================================
``int``, ``float``, ``bool``,         as it is; with ``| None`` it may be unset
``str``, ``bytes``
an ``Enum`` of str or int             its value
a tuple                               JSON text; its items may be dataclasses
:data:`Packed`                        eight bytes an integer, big-endian
a dataclass                           its fields are columns of the same row. With
                                      ``| None``, None where one without default is unset
``Annotated[T, Column(…)]``           as told
====================================  =============================================

A field's default is its column's, so **adding a column is adding a field with a default**: rows that are older
than the column read with it.
"""

from __future__ import annotations

import json
import struct
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import timedelta
from enum import Enum
from functools import cached_property
from inspect import Parameter, signature
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from mesh.personal import Personal
from mesh.storage.contract import Clustering, ColumnType, Corrupt, Row, TableSpec, Value, WriteMode

R = TypeVar("R")


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Column:
    """How one field is kept: the column's type, and the way there and back."""

    type: ColumnType
    dump: Callable[[Any], Value] = _same
    load: Callable[[Any], Any] = _same


def _pack(numbers: Sequence[int]) -> bytes:
    return struct.pack(f">{len(numbers)}q", *numbers)


def _unpack(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(packed) // 8}q", packed)


Packed: TypeAlias = Annotated[tuple[int, ...], Column(ColumnType.BYTES, _pack, _unpack)]
"""A few 64-bit integers in one column."""

_PLAIN = {
    int: Column(ColumnType.INT),
    float: Column(ColumnType.FLOAT),
    bool: Column(ColumnType.BOOL),
    str: Column(ColumnType.TEXT),
    bytes: Column(ColumnType.BYTES),
}


@dataclass(frozen=True, kw_only=True)
class Table(TableSpec, Generic[R]):
    """A table that knows the class of its rows. Made by :func:`table`."""

    record: type[R]

    def encode(self, record: R, **others: Value) -> dict[str, Value]:
        """The columns of a record, and ``others`` that the record has no field for."""
        row = dict(others)
        self._codec.encode(record, row)
        return row

    def key(self, record: R) -> dict[str, Value]:
        """The key of a record whose fields hold all of it."""
        return {name: value for name, value in self.encode(record).items() if name not in self.columns}

    def changes(self, record: R) -> dict[str, Value]:
        """The columns of a record but for its key: what an update sets."""
        return {name: value for name, value in self.encode(record).items() if name in self.columns}

    def decode(self, row: Row) -> R:
        """The record in a row. Raises :class:`Corrupt` where a column without default is unset."""
        try:
            record: R = self._codec.decode(row)
        except _Unset as unset:
            raise Corrupt(f"table {self.name!r}: a row has no {unset}") from None
        return record

    @cached_property
    def _codec(self) -> _Part[R]:
        return _Part(self.record)


def table(
    name: str,
    record: type[R],
    *,
    partition: Sequence[str],
    clustering: Sequence[str] = (),
    extra: Mapping[str, ColumnType] | None = None,
    ttl: timedelta | None = None,
    mode: WriteMode = WriteMode.LAST_WRITE_WINS,
    personal: Personal | None = None,
) -> Table[R]:
    """Declare a table for the values of a class. ``clustering``: names, each with `` desc`` behind it where the
    highest comes first. ``extra``: columns that the class has no field for."""
    part = _Part(record)
    kinds = {**part.columns, **(extra or {})}
    order = [column.split() for column in clustering]
    key = {*partition, *(column for column, *_ in order)}
    return Table(
        name=name,
        record=record,
        partition={column: kinds[column] for column in partition},
        clustering=tuple(Clustering(column, kinds[column], descending == ["desc"]) for column, *descending in order),
        columns={column: kind for column, kind in kinds.items() if column not in key},
        defaults={column: value for column, value in part.defaults.items() if column not in key},
        ttl=ttl,
        mode=mode,
        personal=personal,
    )


class _Unset(Exception):
    """A column that a record cannot do without is unset."""


class _Scalar:
    """A field that is one column."""

    def __init__(self, name: str, column: Column, default: object, optional: bool) -> None:
        self._name, self._column, self._optional = name, column, optional
        self.columns = {name: column.type}
        self.defaults = {} if default in (None, Parameter.empty) else {name: column.dump(default)}

    def encode(self, value: Any, row: dict[str, Value]) -> None:
        row[self._name] = None if value is None else self._column.dump(value)

    def decode(self, row: Row) -> Any:
        value = row[self._name]
        if value is not None:
            return self._column.load(value)
        if self._optional:
            return None
        raise _Unset(self._name)


class _Part(Generic[R]):
    """All fields of a class, which are columns of one row."""

    def __init__(self, record: type[R], optional: bool = False) -> None:
        self._record, self._optional = record, optional
        hints = get_type_hints(record, include_extras=True)
        self._fields = [
            (name, _field(name, hints[name], parameter.default))
            for name, parameter in signature(record).parameters.items()
        ]
        self.columns: dict[str, ColumnType] = {}
        self.defaults: dict[str, Value] = {}
        for _, field in self._fields:
            self.columns |= field.columns
            self.defaults |= field.defaults

    def encode(self, value: R | None, row: dict[str, Value]) -> None:
        for name, field in self._fields:
            field.encode(None if value is None else getattr(value, name), row)

    def decode(self, row: Row) -> Any:
        try:
            return self._record(*[field.decode(row) for _, field in self._fields])
        except _Unset:
            if self._optional:
                return None
            raise


def _field(name: str, hint: Any, default: object) -> _Scalar | _Part[Any]:
    optional = get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)
    if optional:
        (hint,) = set(get_args(hint)) - {type(None)}
    column = _column(hint)
    return _Scalar(name, column, default, optional) if column else _Part(hint, optional)


def _column(hint: Any) -> Column | None:
    """How a type is kept in one column; None where it takes several."""
    if get_origin(hint) is Annotated:
        return next(told for told in hint.__metadata__ if isinstance(told, Column))
    if get_origin(hint) is tuple:
        return _json(get_args(hint)[0])
    if issubclass(hint, Enum):
        kept = next(base for base in (str, int) if issubclass(hint, base))
        return Column(_PLAIN[kept].type, lambda member: member.value, hint)
    return _PLAIN.get(hint)


def _json(item: type[Any]) -> Column:
    make: Callable[[Any], Any] = (lambda fields: item(**fields)) if is_dataclass(item) else _same

    def dump(items: tuple[Any, ...]) -> str:
        return json.dumps(items, default=asdict, ensure_ascii=False, separators=(",", ":"))

    return Column(ColumnType.TEXT, dump, lambda text: tuple(make(each) for each in json.loads(text)))
