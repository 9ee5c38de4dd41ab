"""What each column type accepts: exactly the values that both engines give back unchanged.

A check returns None for a good value and otherwise the end of a sentence that says what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from mesh.storage.contract import MAX_KEY_BYTES, MAX_VALUE_BYTES, ColumnType, Value

Check: TypeAlias = Callable[[Any], str | None]

_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_VALUE_OVERHEAD = 8
"""Bytes that a value costs in a Cassandra batch beside its own, rounded up."""


def _int(value: Any) -> str | None:
    if type(value) is not int:
        return _wrong_type(value, "an int")
    return None if _MIN_INT <= value <= _MAX_INT else f"holds {value}: an int is 64 bits, signed"


def _float(value: Any) -> str | None:
    if type(value) is not float:
        return _wrong_type(value, "a float")
    return "holds NaN: pass None for no value" if math.isnan(value) else None


def _bool(value: Any) -> str | None:
    return None if type(value) is bool else _wrong_type(value, "a bool")


def _text(limit: int) -> Check:
    def check(value: Any) -> str | None:
        if type(value) is not str:
            return _wrong_type(value, "a str")
        if "\0" in value:
            return "holds a NUL character: remove it, or use a BYTES column"
        if value.isascii():
            return _too_long(len(value), limit)
        try:
            return _too_long(len(value.encode()), limit)
        except UnicodeEncodeError:
            return "holds a lone surrogate, which is not Unicode text: replace it"

    return check


def _bytes(limit: int) -> Check:
    def check(value: Any) -> str | None:
        return _too_long(len(value), limit) if type(value) is bytes else _wrong_type(value, "bytes")

    return check


def _too_long(size: int, limit: int) -> str | None:
    return None if size <= limit else f"holds {size} bytes: at most {limit}, keep larger things in the blob store"


def _wrong_type(value: Any, wanted: str) -> str:
    if value is None:
        return f"is None: a key column needs {wanted}"
    return f"takes {wanted}, not {type(value).__name__}"


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _not_empty(check: Check) -> Check:
    def checked(value: Any) -> str | None:
        return "is empty: a partition key needs at least one character or byte" if value in ("", b"") else check(value)

    return checked


KEY_CHECKS: dict[ColumnType, Check] = {
    ColumnType.INT: _int,
    ColumnType.BOOL: _bool,
    ColumnType.TEXT: _text(MAX_KEY_BYTES),
    ColumnType.BYTES: _bytes(MAX_KEY_BYTES),
}
PARTITION_CHECKS: dict[ColumnType, Check] = {
    **KEY_CHECKS,
    ColumnType.TEXT: _not_empty(KEY_CHECKS[ColumnType.TEXT]),
    ColumnType.BYTES: _not_empty(KEY_CHECKS[ColumnType.BYTES]),
}
VALUE_CHECKS: dict[ColumnType, Check] = {
    ColumnType.INT: _or_none(_int),
    ColumnType.FLOAT: _or_none(_float),
    ColumnType.BOOL: _or_none(_bool),
    ColumnType.TEXT: _or_none(_text(MAX_VALUE_BYTES)),
    ColumnType.BYTES: _or_none(_bytes(MAX_VALUE_BYTES)),
}


def size_of(value: Value) -> int:
    """Bytes that one value adds to an atomic write, a fixed overhead included."""
    if isinstance(value, str):
        return len(value.encode()) + _VALUE_OVERHEAD
    return (len(value) if isinstance(value, bytes) else 8) + _VALUE_OVERHEAD
