"""The dead letters as the outbox's store keeps them, for the day the bus is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from mesh.events.dead_letter_queue import Letter
from mesh.storage import Bound, Clustering, ColumnType, Row, Store, TableSpec, Value

_PAGE = 100

DEAD_LETTERS = TableSpec(
    "outbox_dead_letters",
    partition={"shard": ColumnType.INT, "group": ColumnType.TEXT},
    clustering=(Clustering("time", ColumnType.INT), Clustering("number", ColumnType.INT)),
    columns={
        "event_id": ColumnType.INT,
        "type": ColumnType.TEXT,
        "key": ColumnType.INT,
        "payload": ColumnType.BYTES,
        "traceparent": ColumnType.TEXT,
        "error": ColumnType.TEXT,
        "tries": ColumnType.INT,
        "time_ms": ColumnType.INT,
        "position": ColumnType.TEXT,
    },
)
"""What a group gave up, by the letter's id on the bus (``time``-``number``), so in the order it was given up.
The id and not the event's: who deletes a letter late never hits the one that the event got after a replay."""


class DeadLetterTable:
    """Reads and writes that table. Raises the errors of ``mesh.storage``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, shard: int, group: str, letter: Letter) -> None:
        """Keep a letter; may be repeated."""
        row: Row = {
            **_key(shard, group, letter.id),
            "event_id": letter.event_id,
            "type": letter.type,
            "key": letter.key,
            "payload": letter.payload,
            "traceparent": letter.traceparent,
            "error": letter.error,
            "tries": letter.tries,
            "time_ms": letter.time_ms,
            "position": letter.position,
        }
        await self._store.put(DEAD_LETTERS, row)

    async def delete(self, shard: int, group: str, letter_id: str) -> None:
        """Drop a letter; may be repeated."""
        await self._store.delete(DEAD_LETTERS, _key(shard, group, letter_id))

    async def walk(self, shard: int, group: str) -> AsyncIterator[list[Letter]]:
        """All letters of a group in the order they were given up, in pages."""
        partition: dict[str, Value] = {"shard": shard, "group": group}
        start = None
        while rows := await self._store.slice(DEAD_LETTERS, partition, limit=_PAGE, start=start):
            yield [_letter(row) for row in rows]
            if len(rows) < _PAGE:
                return
            start = Bound((rows[-1]["time"], rows[-1]["number"]), inclusive=False)

    async def forget(self, shard: int, group: str) -> None:
        """Drop all letters of a group."""
        async for letters in self.walk(shard, group):
            for letter in letters:
                await self.delete(shard, group, letter.id)


def _key(shard: int, group: str, letter_id: str) -> dict[str, Value]:
    time, _, number = letter_id.partition("-")
    return {"shard": shard, "group": group, "time": int(time), "number": int(number)}


def _letter(row: Mapping[str, Any]) -> Letter:
    return Letter(
        id=f"{row['time']}-{row['number']}",
        event_id=row["event_id"],
        type=row["type"],
        key=row["key"],
        payload=row["payload"],
        traceparent=row["traceparent"],
        error=row["error"],
        tries=row["tries"],
        time_ms=row["time_ms"],
        position=row["position"],
    )
