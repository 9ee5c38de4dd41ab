"""Publishes one service's events: right after their commit, in order, in batches, whatever the bus does.

Each shard has a queue. While the bus is away the queue fills; what no longer fits waits in the
outbox alone and is read from there once the bus is back, in order, before anything newer goes out.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Sequence
from itertools import islice

import structlog

from mesh.clock import Clock
from mesh.events import metrics
from mesh.events.background import Background
from mesh.events.bus.contract import (
    Bus,
    BusBuilding,
    BusError,
    BusFull,
    BusLost,
    BusNotReady,
    ShardState,
    Stream,
)
from mesh.events.row import OutboxRow
from mesh.events.tables import OutboxTables
from mesh.ids import first_id_at, time_ms
from mesh.storage import StorageError

_log = structlog.get_logger("events")
_AHEAD_MS = 1_000
"""Ids may run a little ahead of the clock."""
_MAX_MARKS = 20_000


class ShardRelay:
    """One shard of one service's outgoing events in this process."""

    def __init__(self, area: str, shard: int, bus: Bus, tables: OutboxTables, clock: Clock, tasks: Background) -> None:
        self.area, self.shard, self.stream = area, shard, Stream(area, shard)
        self._bus, self._tables, self._clock, self._tasks = bus, tables, clock, tasks
        self._token = uuid.uuid4().hex
        self._rebuilding = asyncio.Lock()
        self._queue: deque[OutboxRow] = deque()
        self._left_from: int | None = None
        """The first event that waits in the outbox alone."""
        self._catching_up = False
        self._marks: list[int] = []
        self._marker: asyncio.Task[None] | None = None
        self._sender: asyncio.Task[None] | None = None
        self._known = False
        self.accepted = 0
        """How many events were handed to it."""
        self.flowing = True
        """Whether the last use of the bus went well and nothing waits in the outbox alone."""

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be published."""
        return (self._sender is None or self._sender.done()) and not self._queue and not self._behind

    @property
    def _behind(self) -> bool:
        return self._catching_up or self._left_from is not None

    async def prepare(self) -> None:
        """Make sure that the sweep has a place to begin before the first event is written."""
        if not self._known:
            await self._tables.positions(self.shard)
            self._known = True

    def publish(self, row: OutboxRow) -> None:
        """Put a durable event in line; never waits, never fails."""
        self.accepted += 1
        if self._left_from is not None or len(self._queue) >= self._bus.timing.queue:
            self._left_from = min(row.event_id, self._left_from or row.event_id)
            self.flowing = False
        else:
            self._queue.append(row)
            metrics.WAITING.labels(self.area).inc()
        if self._sender is None or self._sender.done():
            self._sender = self._tasks.spawn(self._send(), f"publish {self.stream}")

    async def append(self, rows: Sequence[OutboxRow]) -> None:
        """Put durable events on the bus now, rebuilding it where it has lost data. Raises BusError."""
        async with self._rebuilding:
            pass  # Nothing is taken while we rebuild.
        try:
            await self._bus.append(self.stream, rows)
        except (BusLost, BusBuilding):  # The builder may be we ourselves, before a crash of the server.
            await self.rebuild()
            await self._bus.append(self.stream, rows)
        except BusFull:
            await self._bus.trim(self.stream)
            await self._bus.append(self.stream, rows)
        self._note(rows)

    async def state(self) -> ShardState:
        """Where the shard and its groups stand on the bus. Raises BusError."""
        return await self._bus.state(self.stream)

    async def rebuild(self) -> None:
        """Republish what a group may lack. Raises BusError, or what the store raises; may be repeated."""
        async with self._rebuilding:
            positions = await self._tables.positions(self.shard)
            if await self._bus.begin_rebuild(self.stream, self._token, positions.groups):
                count = await self._republish(positions.rebuild_from)
                await self._bus.finish_rebuild(self.stream, self._token)
                metrics.REBUILDS.labels(self.area).inc()
                log = _log.info if count else _log.debug  # every shard of a new installation begins so
                log("bus shard rebuilt from the outbox", stream=str(self.stream), events=count)

    async def _republish(self, start: int) -> int:
        count = 0
        async for page in self._tables.walk(self.shard, start, self._now()):
            rows = page.happened()
            for first in range(0, len(rows), self._bus.timing.batch):
                await self._append_rebuilding(rows[first : first + self._bus.timing.batch])
            count += len(rows)
        return count

    async def _append_rebuilding(self, batch: Sequence[OutboxRow]) -> None:
        while True:
            try:
                return await self._bus.append(self.stream, batch, self._token)
            except BusFull:  # Consumers read while the shard is rebuilt, so this ends.
                if not await self._bus.trim(self.stream):
                    await asyncio.sleep(self._bus.timing.away_s[1])

    async def flush_marks(self) -> None:
        """Write down which events are on the bus. Raises what the store raises."""
        while self._marks:
            marks, self._marks = self._marks, []
            try:
                await self._tables.mark_published(self.shard, marks)
            except StorageError:
                self._marks = marks + self._marks
                raise

    async def _send(self) -> None:
        """Publish until nothing waits; what fails is tried again, ever more slowly."""
        shortest, longest = self._bus.timing.away_s
        wait = shortest
        while self._queue or self._left_from is not None:
            try:
                await (self._send_batch() if self._queue else self._catch_up())
                wait, self.flowing = shortest, not self._behind
            except (BusError, StorageError) as error:
                if self.flowing and not isinstance(error, BusNotReady):
                    _log.warning("publishing waits for the bus", stream=str(self.stream), error=repr(error))
                self.flowing = False
                await asyncio.sleep(wait)
                wait = min(wait * 2, longest)
        self._sender = None  # Nothing was awaited since the queue was seen empty: no event is overlooked.

    async def _send_batch(self) -> None:
        batch = list(islice(self._queue, self._bus.timing.batch))
        await self.append(batch)
        for _ in batch:
            self._queue.popleft()
        metrics.WAITING.labels(self.area).dec(len(batch))

    async def _catch_up(self) -> None:
        """Publish from the outbox what was left to it; what is committed meanwhile queues behind that."""
        assert self._left_from is not None
        start, self._left_from = self._left_from, None
        self._catching_up = True
        try:
            async for page in self._tables.walk(self.shard, start, self._now()):
                rows = [row for row in page.unpublished() if row.publishable]
                for first in range(0, len(rows), self._bus.timing.batch):
                    await self.append(rows[first : first + self._bus.timing.batch])
        except BaseException:
            self._leave_queue(start)
            raise
        finally:
            self._catching_up = False

    def _leave_queue(self, start: int) -> None:
        """What queued is newer than what was not caught up with, so it must wait in the outbox too."""
        metrics.WAITING.labels(self.area).dec(len(self._queue))
        self._queue.clear()
        self._left_from = start

    def _note(self, rows: Sequence[OutboxRow]) -> None:
        now = self._clock.now_ms()
        metrics.PUBLISHED.labels(self.area).inc(len(rows))
        delay = metrics.PUBLISH_DELAY.labels(self.area)
        for row in rows:
            delay.observe(max(0, now - time_ms(row.event_id)) / 1000)
        self._marks += [row.event_id for row in rows]
        del self._marks[:-_MAX_MARKS]  # A repeated publication is harmless, memory without bound is not.
        if self._marker is None or self._marker.done():
            self._marker = self._tasks.spawn(self._mark_soon(), f"mark {self.stream}")

    async def _mark_soon(self) -> None:
        while self._marks:
            await asyncio.sleep(self._bus.timing.mark_every_s)
            try:
                await self.flush_marks()
            except StorageError as error:
                _log.warning("cannot mark published events", stream=str(self.stream), error=repr(error))

    def _now(self) -> int:
        return first_id_at(self._clock.now_ms() + _AHEAD_MS)
