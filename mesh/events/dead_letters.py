"""Events that a group gave up after the last try, kept in the group's own store.

A letter is named by its group and its event, so an event that is given up twice makes one. It is written before the
event is acknowledged, and stays until the event has been handled after all, or an operator drops it: neither a
crash nor the loss of the bus loses it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from mesh.personal import owned
from mesh.storage import Bound, Clustering, ColumnType, Row, Store, TableSpec, Value

_PAGE = 500

DEAD_LETTERS = TableSpec(
    "dead_letters",
    partition={"area": ColumnType.TEXT, "group": ColumnType.TEXT},
    clustering=(Clustering("event_id", ColumnType.INT, descending=True),),
    columns={
        "type": ColumnType.TEXT,
        "key": ColumnType.INT,
        "payload": ColumnType.BYTES,
        "traceparent": ColumnType.TEXT,
        "error": ColumnType.TEXT,
        "tries": ColumnType.INT,
        "time_ms": ColumnType.INT,
    },
    personal=owned("payload", through="stream"),
)
"""The newest events that a group gave up, about as many as ``Timing.dead_letters`` of one area."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that one group could not handle."""

    area: str
    group: str
    event_id: int
    type: str
    key: int
    payload: bytes
    traceparent: str
    """The W3C trace context in which it was committed; empty where it was not traced."""
    error: str
    """Why the last try failed."""
    tries: int
    time_ms: int
    """When it was given up, in milliseconds since the Unix epoch."""

    @property
    def id(self) -> str:
        """Names it for replay: ``<area>/<group>/<event>``."""
        return f"{self.area}/{self.group}/{self.event_id}"


def parse(letter_id: str) -> tuple[str, str, int]:
    """Area, group and event of a letter's id. Raises ValueError for any other text."""
    area, _, rest = letter_id.partition("/")
    group, _, event = rest.partition("/")
    if not (area and group and event.isdecimal()):
        raise ValueError(f"dead letter {letter_id!r}: expected <area>/<group>/<event>, as listed")
    return area, group, int(event)


class DeadLetters:
    """What one group gave up of one area. Raises the errors of ``mesh.storage``; each method may be repeated.

    ``most`` letters are kept, and up to a tenth more; beyond that the oldest go.
    """

    def __init__(self, store: Store, area: str, group: str, most: int) -> None:
        self._store, self._area, self._group, self._most = store, area, group, most
        self._room = 0
        """Letters that may come before they are counted again."""

    async def put(self, letter: DeadLetter) -> None:
        """Keep a letter, in place of an older one of its event."""
        row: Row = {
            **self._key(letter.event_id),
            "type": letter.type,
            "key": letter.key,
            "payload": letter.payload,
            "traceparent": letter.traceparent,
            "error": letter.error,
            "tries": letter.tries,
            "time_ms": letter.time_ms,
        }
        await self._store.put(DEAD_LETTERS, row)
        self._room -= 1
        if self._room <= 0:
            await self._bound()

    async def get(self, event_id: int) -> DeadLetter | None:
        """The letter of an event."""
        row = await self._store.get(DEAD_LETTERS, self._key(event_id))
        return _letter(row) if row else None

    async def delete(self, event_id: int) -> None:
        """Drop the letter of an event, if there is one."""
        await self._store.delete(DEAD_LETTERS, self._key(event_id))

    async def newest(self, limit: int) -> list[DeadLetter]:
        """The letters of the newest events, the newest first."""
        found: list[DeadLetter] = []
        async for page in self._pages(limit):
            found += page
            if len(found) >= limit:
                break
        return found[:limit]

    async def forget(self) -> None:
        """Drop all."""
        async for page in self._pages(_PAGE):
            for letter in page:
                await self.delete(letter.event_id)

    async def _bound(self) -> None:
        count = 0
        async for page in self._pages(_PAGE):
            for letter in page[max(0, self._most - count) :]:
                await self.delete(letter.event_id)
            count += len(page)
        self._room = max(1, self._most + self._most // 10 - min(count, self._most))

    async def _pages(self, size: int) -> AsyncIterator[Sequence[DeadLetter]]:
        partition: dict[str, Value] = {"area": self._area, "group": self._group}
        size, start = min(size, _PAGE), None
        while rows := await self._store.slice(DEAD_LETTERS, partition, limit=size, start=start):
            yield [_letter(row) for row in rows]
            if len(rows) < size:
                return
            start = Bound((rows[-1]["event_id"],), inclusive=False)

    def _key(self, event_id: int) -> dict[str, Value]:
        return {"area": self._area, "group": self._group, "event_id": event_id}


def _letter(row: Any) -> DeadLetter:
    return DeadLetter(**row)
