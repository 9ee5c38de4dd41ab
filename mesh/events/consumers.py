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

import structlog

from mesh.clock import Clock
from mesh.events.attempts import Attempts
from mesh.events.background import Background
from mesh.events.bus.contract import BEGINNING, Bus, BusError, Entry, LeaseLost, Position, Stream
from mesh.events.dead_letters import DeadLetters
from mesh.events.dispatch import Dispatch
from mesh.events.tracing import HandlerSpans

_log = structlog.get_logger("events")
_CANCEL_S = 1.0


class ShardConsumer:
    """One group's consumer of one shard in this process; idle while another process has the lease."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        group: str,
        dispatch: Dispatch,
        shard: int,
        letters: DeadLetters,
        concurrency: int,
        spans: HandlerSpans,
    ) -> None:
        self.group, self.stream = group, Stream(dispatch.area, shard)
        self._bus, self._timing = bus, bus.timing
        self._attempts = Attempts(
            bus, clock, self.stream, dispatch, group, letters, concurrency, spans, self._require_lease
        )
        self._lanes: dict[int, deque[Entry]] = {}
        self._held = 0
        """Entries in lanes."""
        self._room = asyncio.Event()
        self._done: list[Position] = []
        self._acknowledger: asyncio.Task[None] | None = None
        self._trouble: BaseException | None = None
        self._leased_until = 0.0
        self._tasks = Background()
        self._runner: asyncio.Task[None] | None = None
        self._ready, self._stopped = asyncio.Event(), self._attempts.stopped

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
        with contextlib.suppress(BusError):
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
            except BusError as error:
                _log.debug("consumer starts anew", stream=str(self.stream), group=self.group, error=repr(error))
            except Exception:
                _log.exception("consumer failed", stream=str(self.stream), group=self.group)
            went_well = time.monotonic() - began > longest
            wait = shortest if went_well else min(wait * 2, longest)
            await asyncio.sleep(wait)

    async def _own(self) -> None:
        """Consume while the lease holds. Raises BusError; leaves no handler running."""
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
            with contextlib.suppress(BusError):  # It runs out by itself then, and handling stops.
                if not await self._take_lease():
                    return

    def _require_lease(self) -> None:
        if time.monotonic() >= self._leased_until:
            raise LeaseLost(str(self.stream))

    async def _recover(self) -> None:
        """Handle what earlier consumers of the shard held, in order, before anything new."""
        cursor = BEGINNING
        while True:
            cursor, entries = await self._bus.claim(self.stream, self.group, cursor, self._timing.batch)
            for entry in entries:
                await self._attempts.settle(entry, claimed=True)
                await self._bus.acknowledge(self.stream, self.group, [entry.position])
            if cursor == BEGINNING:
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
        if not self._attempts.concerns(entry):
            self._finish(entry)
            return
        self._held += 1
        lane = self._lanes.get(entry.key)
        if lane is not None:
            lane.append(entry)
            return
        self._lanes[entry.key] = deque((entry,))
        self._tasks.spawn(self._work(entry.key), f"{self.group} handles {entry.key} of {self.stream}")

    async def _work(self, key: int) -> None:
        """Handle one key's entries one after another until there are none."""
        lane = self._lanes[key]
        try:
            while lane:
                await self._attempts.settle(lane[0])
                self._finish(lane.popleft())
                self._held -= 1
        except BusError as error:
            self._trouble = error
        except asyncio.CancelledError:
            self._trouble = LeaseLost(f"{self.stream}: a handler was cancelled")
            raise
        finally:
            self._held -= len(lane)
            if self._lanes.get(key) is lane:
                del self._lanes[key]
            self._room.set()

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
            except BusError as error:
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
