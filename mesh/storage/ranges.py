"""Turns the bounds of a slice into conditions that both CQL and SQL understand.

Where every clustering column has the same direction one condition on tuples is enough. Where the
directions differ no tuple comparison says "after this row", so the range is cut into a few ranges,
each with a fixed prefix and open in one column only, to be read one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mesh.storage.contract import Bound, TableSpec, Value


@dataclass(frozen=True, slots=True)
class Range:
    """Conditions (`"a" = ? AND "b" > ?`, or empty) and the values they take."""

    where: str
    values: tuple[Value, ...]


EVERYTHING = Range("", ())


def ranges(spec: TableSpec, start: Bound | None, end: Bound | None, reverse: bool) -> list[Range]:
    """The ranges that make up a slice, in the order they are to be read; none where it is empty."""
    if start is None and end is None:
        return [EVERYTHING]
    ascending = [column.descending is reverse for column in spec.clustering]
    names = [f'"{column.name}"' for column in spec.clustering]
    used = max(len(bound.values) for bound in (start, end) if bound)
    if len(set(ascending[:used])) == 1:
        return [_on_tuples(names, ascending[0], start, end)]
    return list(_cut(_Cut(names, ascending), (), start, end))


def _on_tuples(names: Sequence[str], ascending: bool, start: Bound | None, end: Bound | None) -> Range:
    conditions: list[str] = []
    values: list[Value] = []
    for bound, towards in ((start, ascending), (end, not ascending)):
        if bound is not None:
            run = len(bound.values)
            marks = ", ".join("?" * run)
            conditions.append(f"({', '.join(names[:run])}) {_operator(towards, bound.inclusive)} ({marks})")
            values.extend(bound.values)
    return Range(" AND ".join(conditions), tuple(values))


def _operator(greater: bool, inclusive: bool) -> str:
    return (">" if greater else "<") + ("=" if inclusive else "")


@dataclass(frozen=True, slots=True)
class _Cut:
    names: Sequence[str]
    ascending: Sequence[bool]

    def range(self, prefix: tuple[Value, ...], start: Bound | None, end: Bound | None) -> Range:
        depth = len(prefix)
        conditions = [f"{name} = ?" for name in self.names[:depth]]
        values = list(prefix)
        for bound, towards in ((start, True), (end, False)):
            if bound is not None:
                operator = _operator(self.ascending[depth] is towards, bound.inclusive)
                conditions.append(f"{self.names[depth]} {operator} ?")
                values.append(bound.values[0])
        return Range(" AND ".join(conditions), tuple(values))

    def passes(self, depth: int, start: Value, end: Value) -> bool:
        """Whether ``start``, which is not ``end``, comes after it in the order read."""
        later: bool = _ordered(start) > _ordered(end)
        return later if self.ascending[depth] else not later


def _cut(cut: _Cut, prefix: tuple[Value, ...], start: Bound | None, end: Bound | None) -> Iterator[Range]:
    if _spent(start) or _spent(end):
        # The bound named exactly this prefix: all of its rows, or none of them.
        if any(_spent(bound) and bound is not None and not bound.inclusive for bound in (start, end)):
            return
        start, end = (None if _spent(bound) else bound for bound in (start, end))
    if start is not None and end is not None:
        if start.values[0] == end.values[0]:
            yield from _cut(cut, (*prefix, start.values[0]), _rest(start), _rest(end))
            return
        if cut.passes(len(prefix), start.values[0], end.values[0]):
            return
    yield from _three_parts(cut, prefix, start, end)


def _three_parts(cut: _Cut, prefix: tuple[Value, ...], start: Bound | None, end: Bound | None) -> Iterator[Range]:
    if start is not None and len(start.values) > 1:
        yield from _cut(cut, (*prefix, start.values[0]), _rest(start), None)
    yield cut.range(prefix, _first(start), _first(end))
    if end is not None and len(end.values) > 1:
        yield from _cut(cut, (*prefix, end.values[0]), None, _rest(end))


def _spent(bound: Bound | None) -> bool:
    return bound is not None and not bound.values


def _rest(bound: Bound) -> Bound:
    return Bound(bound.values[1:], bound.inclusive)


def _first(bound: Bound | None) -> Bound | None:
    if bound is None or len(bound.values) == 1:
        return bound
    return Bound(bound.values[:1], inclusive=False)


def _ordered(value: Value) -> Any:
    """A value as something Python orders the way both engines do: text by its UTF-8 bytes."""
    return value.encode() if isinstance(value, str) else value
