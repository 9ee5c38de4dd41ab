"""What an outbox keeps in its service's store."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby

from mesh.clock import Clock
from mesh.events.dead_letters import DEAD_LETTERS
from mesh.events.row import OutboxRow, State
from mesh.ids import IdGenerator, first_id_at, time_ms
from mesh.personal import nobodys, owned
from mesh.storage import MAX_SLICE, Bound, Clustering, ColumnType, Put, Row, Store, TableSpec

_MINUTE_MS = 60_000
_PAGE = 500
_MARKS = 1_000
_FIRST_LOOK_BACK_MS = 60_000
_TTL = timedelta(hours=72)

OUTBOX = TableSpec(
    "outbox",
    partition={"shard": ColumnType.INT, "minute": ColumnType.INT},
    clustering=(Clustering("event_id", ColumnType.INT),),
    columns={
        "type": ColumnType.TEXT,
        "key": ColumnType.INT,
        "payload": ColumnType.BYTES,
        "state": ColumnType.INT,
        "traceparent": ColumnType.TEXT,
    },
    ttl=_TTL,
    personal=owned("payload", through="stream"),
)
"""Every event, by the minute of its id; the rows of a bucket expire whole."""

PUBLISHED = TableSpec(
    "outbox_published",
    partition={"shard": ColumnType.INT, "minute": ColumnType.INT},
    clustering=(Clustering("mark_id", ColumnType.INT),),
    columns={"event_ids": ColumnType.BYTES},
    ttl=_TTL,
    personal=nobodys("which events are on the bus"),
)
"""Which events of a bucket are on the bus: many ids in one small row, so that marking them costs a
fraction of what writing them did."""

POSITIONS = TableSpec(
    "outbox_positions",
    partition={"shard": ColumnType.INT},
    clustering=(Clustering("name", ColumnType.TEXT),),
    columns={"event_id": ColumnType.INT},
    personal=nobodys("how far events were handled"),
)
"""How far the sweep has come (``swept``), and up to where each group (``group:<name>``) has handled
everything: what lies before need not be republished when the bus is lost."""

OUTBOX_TABLES: tuple[TableSpec, ...] = (OUTBOX, PUBLISHED, POSITIONS, DEAD_LETTERS)
"""To be created in the store of every service that publishes or subscribes."""

SWEPT = "swept"
_GROUP = "group:"
_MAX_POSITIONS = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of one bucket in the order of their ids."""

    rows: Sequence[OutboxRow]
    published: frozenset[int]
    """Ids of this bucket that are known to be on the bus."""

    def unpublished(self) -> list[OutboxRow]:
        """Those that are not known to be on the bus, intents included."""
        return [row for row in self.rows if row.event_id not in self.published]

    def happened(self) -> list[OutboxRow]:
        """Those that are certain, on the bus or not."""
        return [row for row in self.rows if row.publishable or row.event_id in self.published]


@dataclass(frozen=True, slots=True)
class Positions:
    """The durable positions of one shard, as event ids."""

    swept: int
    """Every event before it is on the bus, or never will be."""
    groups: Mapping[str, int]
    """Every event before it was handled by that group."""

    @property
    def rebuild_from(self) -> int:
        """The first event that somebody may lack when the bus is lost."""
        return min((*self.groups.values(), self.swept))


class OutboxTables:
    """One service's outbox in the words of the domain. Raises the errors of ``mesh.storage``."""

    def __init__(self, store: Store, clock: Clock, ids: IdGenerator, retention: timedelta) -> None:
        self.store, self._clock, self._ids, self._retention = store, clock, ids, retention

    def put(self, row: OutboxRow) -> Put:
        """The mutation that writes an event."""
        values: Row = {
            "shard": row.shard,
            "minute": _minute(row.event_id),
            "event_id": row.event_id,
            "type": row.type,
            "key": row.key,
            "payload": row.payload,
            "state": int(row.state),
            "traceparent": row.traceparent,
        }
        return Put(OUTBOX, values, self._retention)

    async def change(self, row: OutboxRow, state: State) -> OutboxRow:
        """Write the event's standing."""
        changed = replace(row, state=state)
        mutation = self.put(changed)
        await self.store.put(OUTBOX, mutation.row, mutation.ttl)
        return changed

    async def row(self, shard: int, event_id: int) -> OutboxRow | None:
        """One event as it stands, or None where it has expired."""
        found = await self.store.get(OUTBOX, {"shard": shard, "minute": _minute(event_id), "event_id": event_id})
        return _row(found) if found else None

    async def unswept(self, shard: int, event_id: int) -> OutboxRow | None:
        """An event that may not be on the bus yet; None where the sweep has passed it or it has expired."""
        swept = await self.store.get(POSITIONS, {"shard": shard, "name": SWEPT})
        if swept is not None and event_id < _int(swept["event_id"]):
            return None
        return await self.row(shard, event_id)

    async def mark_published(self, shard: int, event_ids: Iterable[int]) -> None:
        """Remember that these are on the bus."""
        for minute, group in groupby(sorted(event_ids), _minute):
            ids = list(group)
            for start in range(0, len(ids), _MARKS):
                packed = _pack(ids[start : start + _MARKS])
                row: Row = {"shard": shard, "minute": minute, "mark_id": self._ids.next(), "event_ids": packed}
                await self.store.put(PUBLISHED, row, self._retention)

    async def walk(self, shard: int, start: int, end: int) -> AsyncIterator[Page]:
        """All events with ``start`` ≤ id < ``end`` that have not expired, in pages, in order of their ids."""
        oldest = first_id_at(self._clock.now_ms() - int(self._retention.total_seconds() * 1000))
        start = max(start, oldest)
        for minute in range(_minute(start), _minute(end) + 1):
            async for page in self._bucket(shard, minute, start, end):
                yield page

    async def _bucket(self, shard: int, minute: int, start: int, end: int) -> AsyncIterator[Page]:
        partition = {"shard": shard, "minute": minute}
        begin, stop = Bound((start,)), Bound((end,), inclusive=False)
        published: frozenset[int] | None = None
        while found := await self.store.slice(OUTBOX, partition, limit=_PAGE, start=begin, end=stop):
            if published is None:
                published = await self._published(partition)
            rows = [_row(values) for values in found]
            yield Page(rows, published)
            if len(rows) < _PAGE:
                return
            begin = Bound((rows[-1].event_id,), inclusive=False)

    async def _published(self, partition: Mapping[str, int]) -> frozenset[int]:
        marks = await self.store.slice(PUBLISHED, partition, limit=MAX_SLICE)
        return frozenset(event_id for mark in marks for event_id in _unpack(mark["event_ids"]))

    async def positions(self, shard: int) -> Positions:
        """The shard's positions; made, a little in the past, where there are none yet."""
        rows = await self.store.slice(POSITIONS, {"shard": shard}, limit=_MAX_POSITIONS)
        found = {str(row["name"]): _int(row["event_id"]) for row in rows}
        if SWEPT not in found:
            found[SWEPT] = first_id_at(self._clock.now_ms() - _FIRST_LOOK_BACK_MS)
            await self.save(shard, found[SWEPT], {})
        groups = {name.removeprefix(_GROUP): value for name, value in found.items() if name.startswith(_GROUP)}
        return Positions(found[SWEPT], groups)

    async def save(self, shard: int, swept: int, groups: Mapping[str, int]) -> None:
        """Make positions durable."""
        values = {SWEPT: swept, **{_GROUP + name: value for name, value in groups.items()}}
        rows: list[Row] = [{"shard": shard, "name": name, "event_id": event_id} for name, event_id in values.items()]
        await self.store.write([Put(POSITIONS, row) for row in rows])

    async def forget_group(self, shard: int, group: str) -> None:
        """The group is gone: nothing is republished for it."""
        await self.store.delete(POSITIONS, {"shard": shard, "name": _GROUP + group})


def _minute(event_id: int) -> int:
    return time_ms(event_id) // _MINUTE_MS


def _pack(event_ids: Sequence[int]) -> bytes:
    return struct.pack(f">{len(event_ids)}q", *event_ids)


def _unpack(packed: object) -> tuple[int, ...]:
    assert isinstance(packed, bytes)
    return struct.unpack(f">{len(packed) // 8}q", packed)


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _row(values: Row) -> OutboxRow:
    payload = values["payload"]
    assert isinstance(payload, bytes)
    return OutboxRow(
        _int(values["event_id"]),
        _int(values["shard"]),
        str(values["type"]),
        _int(values["key"]),
        payload,
        State(_int(values["state"])),
        str(values["traceparent"] or ""),  # None in rows that are older than the column
    )
