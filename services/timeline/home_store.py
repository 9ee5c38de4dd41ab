"""The pushed feed of each reader, and who still reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mesh.clock import Clock
from mesh.storage import Bound, Key, Row, Store
from services.timeline.concurrency import for_each
from services.timeline.model import Ref, home_bucket, oldest_id
from services.timeline.schema import Activity, activity_table, home_table

_WRITERS = 64
"""Rows under way at a time in one push."""


class HomeStore:
    """Home feeds and activity marks. Raises what the store raises."""

    def __init__(self, store: Store, clock: Clock, home_days: int, activity_days: int) -> None:
        self._store, self._clock, self._days = store, clock, home_days
        self._home, self._activity = home_table(home_days), activity_table(activity_days)

    async def push(self, readers: Iterable[int], ref: Ref) -> None:
        """Put one post into many feeds, a bounded number at a time. May be repeated."""
        await self._put(self._row(reader, ref) for reader in readers)

    async def fill(self, reader_id: int, refs: Iterable[Ref]) -> None:
        """Put many posts into one feed. May be repeated."""
        await self._put(self._row(reader_id, ref) for ref in refs)

    def _row(self, reader_id: int, ref: Ref) -> Row:
        return self._home.encode(ref, reader_id=reader_id, bucket=home_bucket(ref.post_id))

    async def _put(self, rows: Iterable[Row]) -> None:
        await for_each(rows, lambda row: self._store.put(self._home, row), _WRITERS)

    async def read(self, reader_id: int, before: int, limit: int) -> list[Ref]:
        """A feed's rows older than ``before`` (0: from the newest), newest first, down to its time to live."""
        now_ms = self._clock.now_ms()
        oldest = home_bucket(oldest_id(now_ms, self._days))
        newest = home_bucket(before) if before else home_bucket(oldest_id(now_ms, -1))
        found: list[Ref] = []
        for bucket in range(newest, oldest - 1, -1):
            if len(found) < limit:
                partition: Key = {"reader_id": reader_id, "bucket": bucket}
                start = Bound((before,), inclusive=False) if before else None
                rows = await self._store.slice(self._home, partition, limit=limit - len(found), start=start)
                found += map(self._home.decode, rows)
        return found

    async def activity(self, reader_id: int) -> Activity:
        """What is known of a reader's presence."""
        row = await self._store.get(self._activity, {"reader_id": reader_id})
        return self._activity.decode(row) if row else Activity(reader_id)

    async def mark_active(self, reader_id: int, whole: bool) -> None:
        """A reader is here now."""
        mark = Activity(reader_id, self._clock.now_ms(), whole)
        await self._store.put(self._activity, self._activity.encode(mark))

    async def active(self, reader_ids: Sequence[int]) -> list[int]:
        """Those readers who came within the time to live of their marks, at most 1,000 asked at a time."""
        rows = await self._store.multi_get(self._activity, [{"reader_id": reader_id} for reader_id in reader_ids])
        return [reader for reader, row in zip(reader_ids, rows, strict=True) if row]
