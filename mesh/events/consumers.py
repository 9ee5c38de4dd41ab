"""Consumes one shard of an area for one group: at least once, in order per key, while it has the lease.

Events of different keys are handled side by side; events of one key one after another, so that a
failing event holds up its own key alone. What a dead consumer held is handled first, one by one,
each try noted before it begins: so an event that kills its process is found out and dead-lettered.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping

import structlog
from google.protobuf.message import DecodeError, Message

from mesh import deadline
from mesh.clock import Clock
from mesh.events import metrics
from mesh.events.away import is_away
from mesh.events.background import Background
from mesh.events.bus import Bus, Entry, public_position, stream_of
from mesh.events.contract import Event, Handler, Handlers
from mesh.events.dead_letter_queue import Letter
from mesh.events.errors import BUS_ERRORS, LeaseLost
from mesh.events.row import decode, type_name
from mesh.events.tracing import HandlerSpans

_log = structlog.get_logger("events")
_START = "0-0"
_ERROR_CHARS = 2_000
_CANCEL_S = 1.0


class Dispatch:
    """Which handler takes which event, by the name of its type."""

    def __init__(self, area: str, handlers: Handlers) -> None:
        self.area = area
        self._handlers: Mapping[str, tuple[type[Message], Handler]] = {
            type_name(message): (message, handler) for message, handler in handlers.items()
        }

    def takes(self, entry: Entry) -> bool:
        """Whether anybody handles events of this type."""
        return entry.type in self._handlers

    async def handle(self, entry: Entry) -> None:
        """Decode and handle. Raises what the handler raises, or DecodeError."""
        message_type, handler = self._handlers[entry.type]
        message = decode(message_type, entry.payload)
        await handler(Event(entry.event_id, entry.key, message, self.area, public_position(entry.position)))


class ShardConsumer:
    """One group's consumer of one shard in this process; idle while another process has the lease."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        group: str,
        dispatch: Dispatch,
        shard: int,
        concurrency: int,
        spans: HandlerSpans,
    ) -> None:
        self.group, self.shard, self.area = group, shard, dispatch.area
        self._spans = spans
        self.stream = stream_of(dispatch.area, shard)
        self._bus, self._clock, self._dispatch, self._timing = bus, clock, dispatch, bus.timing
        self._slots = asyncio.Semaphore(concurrency)
        self._lanes: dict[int, deque[Entry]] = {}
        self._held = 0
        """Entries in lanes."""
        self._room = asyncio.Event()
        self._done: list[str] = []
        self._acknowledger: asyncio.Task[None] | None = None
        self._trouble: BaseException | None = None
        self._leased_until = 0.0
        self._tasks = Background()
        self._runner: asyncio.Task[None] | None = None
        self._ready, self._stopped = asyncio.Event(), asyncio.Event()
        labels = (self.area, group)
        self._handled, self._retries, self._dead = (
            metric.labels(*labels) for metric in (metrics.HANDLED, metrics.RETRIES, metrics.DEAD)
        )

    def start(self) -> None:
        """Begin to consume."""
        self._runner = self._tasks.spawn(self._run(), f"consume {self.stream} as {self.group}")

    async def ready(self) -> None:
        """Until the group exists and this process consumes it or stands by."""
        await self._ready.wait()

    async def stop(self, grace_s: float) -> None:
        """Take nothing new, finish what has begun within the grace, give the lease back."""
        self._stopped.set()
        if self._runner is None:
            return
        self._clear_waiting()
        self._runner.cancel()
        await asyncio.wait([self._runner], timeout=_CANCEL_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._quiet()
        await self._tasks.cancel()
        with contextlib.suppress(*BUS_ERRORS):
            await self._bus.release(self.stream, self.group)

    async def abort(self) -> None:
        """End as a crash would: handlers cut off, nothing acknowledged, the lease left to run out."""
        self._stopped.set()
        await self._tasks.cancel()

    async def _run(self) -> None:
        """Consume for the life of the process, whatever fails meanwhile."""
        shortest, longest = self._timing.away_s
        wait = shortest
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                await self._bus.create_group(self.stream, self.group)
                leased = await self._take_lease()
                self._ready.set()
                if leased:
                    await self._own()
                await asyncio.sleep(self._timing.lease_s / 3)
            except BUS_ERRORS as error:
                _log.debug("consumer starts anew", stream=self.stream, group=self.group, error=repr(error))
            except Exception:
                _log.exception("consumer failed", stream=self.stream, group=self.group)
            went_well = time.monotonic() - began > longest
            wait = shortest if went_well else min(wait * 2, longest)
            await asyncio.sleep(wait)

    async def _own(self) -> None:
        """Consume while the lease holds. Raises BUS_ERRORS or LeaseLost; leaves no handler running."""
        self._tasks.spawn(self._renew(), f"lease of {self.stream} for {self.group}")
        try:
            await self._recover()
            await self._read_on()
        finally:
            if not self._stopped.is_set():
                await self._abandon()

    async def _take_lease(self) -> bool:
        asked = time.monotonic()
        if await self._bus.lease(self.stream, self.group):
            self._leased_until = asked + self._timing.lease_s
            return True
        self._leased_until = 0.0
        return False

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._timing.lease_s / 3)
            with contextlib.suppress(*BUS_ERRORS):  # It runs out by itself then, and handling stops.
                if not await self._take_lease():
                    return

    def _require_lease(self) -> None:
        if time.monotonic() >= self._leased_until:
            raise LeaseLost(self.stream)

    async def _recover(self) -> None:
        """Handle what earlier consumers of the shard held, in order, before anything new."""
        cursor = _START
        while True:
            cursor, entries = await self._bus.claim(self.stream, self.group, cursor, self._timing.batch)
            for entry in entries:
                tries = await self._bus.tries(self.stream, self.group, entry.position)
                await self._attempt(entry, tries, claimed=True)
                await self._bus.acknowledge(self.stream, self.group, [entry.position])
            if cursor == _START:
                return

    async def _read_on(self) -> None:
        while not self._stopped.is_set():
            self._check()
            if self._held >= self._timing.window:
                await self._wait_for_room()
                continue
            count = min(self._timing.batch, self._timing.window - self._held)
            for entry in await self._bus.read(self.stream, self.group, count):
                self._take(entry)

    async def _wait_for_room(self) -> None:
        self._room.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.lease_s / 3):
                await self._room.wait()

    def _check(self) -> None:
        if self._trouble is not None:
            raise self._trouble
        self._require_lease()

    def _take(self, entry: Entry) -> None:
        """Put an entry in the line of its key."""
        if not self._concerns(entry):
            self._finish(entry)
            return
        self._held += 1
        lane = self._lanes.get(entry.key)
        if lane is not None:
            lane.append(entry)
            return
        self._lanes[entry.key] = deque((entry,))
        self._tasks.spawn(self._work(entry.key), f"{self.group} handles {entry.key} of {self.stream}")

    def _concerns(self, entry: Entry) -> bool:
        return self._dispatch.takes(entry) and entry.only_group in ("", self.group)

    async def _work(self, key: int) -> None:
        """Handle one key's entries one after another until there are none."""
        lane = self._lanes[key]
        try:
            while lane:
                await self._attempt(lane[0], 0, claimed=False)
                self._finish(lane.popleft())
                self._held -= 1
        except BUS_ERRORS as error:
            self._trouble = error
        except asyncio.CancelledError:
            self._trouble = LeaseLost(f"{self.stream}: a handler was cancelled")
            raise
        finally:
            self._held -= len(lane)
            if self._lanes.get(key) is lane:
                del self._lanes[key]
            self._room.set()

    async def _attempt(self, entry: Entry, tries: int, claimed: bool) -> None:
        """Try until the entry is handled or dead-lettered. Raises BUS_ERRORS or LeaseLost."""
        if not self._concerns(entry):
            return
        error = "its consumer died while it was handled"
        waits = 0
        while tries < self._timing.tries:
            self._require_lease()
            if claimed or waits:
                await self._bus.note_try(self.stream, self.group, entry.position, tries + 1)
            failure = await self._try(entry, last=tries + 1 == self._timing.tries)
            if failure is None:
                self._handled.inc()
                return
            if is_away(failure):
                # Not the event's fault: it waits for what it needs. Its age shows in the process's health.
                if claimed or waits:
                    await self._bus.note_try(self.stream, self.group, entry.position, tries)
            else:
                tries += 1
                error = f"{type(failure).__name__}: {failure}"[:_ERROR_CHARS]
            if tries < self._timing.tries:
                self._retries.inc()
                await self._pause(self._timing.retry_s[min(waits, len(self._timing.retry_s) - 1)])
                waits += 1
        await self._bus.dead.bury(self.stream, self.group, self._letter(entry, error, tries))
        self._dead.inc()
        _log.error("event dead-lettered", stream=self.stream, group=self.group, event_id=entry.event_id, error=error)

    def _letter(self, entry: Entry, error: str, tries: int) -> Letter:
        # Text that neither the bus nor every store could keep must not stand in the way.
        error = error.encode(errors="replace").decode().replace("\0", "\ufffd")
        return Letter(
            id="",
            event_id=entry.event_id,
            type=entry.type,
            key=entry.key,
            payload=entry.payload,
            traceparent=entry.traceparent,
            error=error,
            tries=tries,
            time_ms=self._clock.now_ms(),
            position=entry.position,
        )

    async def _pause(self, seconds: float) -> None:
        """Wait before the next try. Raises LeaseLost where this consumer stops meanwhile: its tries are noted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
                raise LeaseLost(f"{self.stream}: stopping")

    async def _try(self, entry: Entry, last: bool) -> Exception | None:
        """One try: None, or why it failed."""
        async with self._slots:
            try:
                async with asyncio.timeout(self._timing.handler_s):
                    with deadline.limit(self._timing.handler_s), self._spans.around(entry):
                        await self._dispatch.handle(entry)
            except Exception as error:  # Whatever a handler raises means: again later.
                _log.warning(
                    "event handler failed",
                    stream=self.stream,
                    group=self.group,
                    event_id=entry.event_id,
                    type=entry.type,
                    error=repr(error),
                    exc_info=last and not isinstance(error, DecodeError),
                )
                return error
        return None

    def _finish(self, entry: Entry) -> None:
        self._done.append(entry.position)
        if self._held <= self._timing.window:
            self._room.set()
        if self._acknowledger is None or self._acknowledger.done():
            self._acknowledger = self._tasks.spawn(self._acknowledge(), f"acknowledge {self.stream}")

    async def _acknowledge(self) -> None:
        """Acknowledge all that is done, what is done meanwhile in the next call."""
        while self._done:
            done, self._done = self._done, []
            try:
                await self._bus.acknowledge(self.stream, self.group, done)
            except BUS_ERRORS as error:
                self._trouble = error  # They stay pending, so they are recovered when we start anew.
                return

    def _clear_waiting(self) -> None:
        """Give up what no handler has begun: it stays pending for the next consumer."""
        for lane in self._lanes.values():
            while len(lane) > 1:
                lane.pop()
                self._held -= 1

    async def _quiet(self) -> None:
        """Until no handler runs and all that is done is acknowledged."""
        while self._lanes or (self._acknowledger is not None and not self._acknowledger.done()):
            self._room.clear()
            if self._acknowledger is not None and not self._acknowledger.done():
                await asyncio.wait([self._acknowledger])
            else:
                await self._room.wait()

    async def _abandon(self) -> None:
        """Before starting anew: let handlers end while the lease lasts, then end them."""
        self._clear_waiting()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._leased_until - time.monotonic())):
                await self._quiet()
        await self._tasks.cancel(but=self._runner)
        self._lanes.clear()
        self._done.clear()
        self._held, self._trouble, self._acknowledger = 0, None, None
