"""What a consumer does with one entry: tries its handler until the event is handled or given up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from google.protobuf.message import DecodeError

from mesh import deadline
from mesh.clock import Clock
from mesh.events import metrics
from mesh.events.away import is_away
from mesh.events.bus.contract import Bus, Entry, LeaseLost, Stream
from mesh.events.dead_letters import DeadLetter, DeadLetters
from mesh.events.dispatch import Dispatch
from mesh.events.tracing import HandlerSpans
from mesh.storage import StorageError

_log = structlog.get_logger("events")
_ERROR_CHARS = 2_000
_DIED = "its consumer died while it was handled"


class Attempts:
    """Tries of one group's handlers for the entries of one shard, at most ``concurrency`` side by side."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        stream: Stream,
        dispatch: Dispatch,
        group: str,
        letters: DeadLetters,
        concurrency: int,
        spans: HandlerSpans,
        require_lease: Callable[[], None],
    ) -> None:
        self._bus, self._clock, self._timing, self._stream = bus, clock, bus.timing, stream
        self._dispatch, self._group, self._letters, self._spans = dispatch, group, letters, spans
        self._require_lease = require_lease
        self._slots = asyncio.Semaphore(concurrency)
        self.stopped = asyncio.Event()
        """Set to begin no further try."""
        self._handled, self._retries, self._dead = (
            metric.labels(stream.area, group) for metric in (metrics.HANDLED, metrics.RETRIES, metrics.DEAD)
        )

    def concerns(self, entry: Entry) -> bool:
        """Whether this group handles it at all."""
        return self._dispatch.takes(entry) and entry.only_group in ("", self._group)

    async def settle(self, entry: Entry, claimed: bool = False) -> None:
        """Try until the entry is handled or a dead letter. ``claimed``: another consumer may have tried it before.

        Raises BusError, LeaseLost where this consumer may do no more: nothing is settled then."""
        if not self.concerns(entry):
            return
        tries = await self._bus.tries(self._stream, self._group, entry.position) if claimed else 0
        tries, failure = await self._try_on(entry, tries, claimed)
        if failure:
            await self._give_up(entry, failure, tries)
            return
        self._handled.inc()
        if entry.only_group:
            await self._keep(lambda: self._letters.delete(entry.event_id))

    async def _try_on(self, entry: Entry, tries: int, noting: bool) -> tuple[int, str]:
        """All the tries that are left, and why the last failed; empty where one went well."""
        error, waits = _DIED, 0
        while tries < self._timing.tries:
            self._require_lease()
            if noting or waits:
                await self._bus.note_try(self._stream, self._group, entry.position, tries + 1)
            failure = await self._try(entry, last=tries + 1 == self._timing.tries)
            if failure is None:
                return tries, ""
            if is_away(failure):
                # Not the event's fault: it waits for what it needs. Its age shows in the process's health.
                if noting or waits:
                    await self._bus.note_try(self._stream, self._group, entry.position, tries)
            else:
                tries += 1
                error = f"{type(failure).__name__}: {failure}"[:_ERROR_CHARS]
            if tries < self._timing.tries:
                self._retries.inc()
                await self._pause(self._timing.retry_s[min(waits, len(self._timing.retry_s) - 1)])
                waits += 1
        return tries, error

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
                    stream=str(self._stream),
                    group=self._group,
                    event_id=entry.event_id,
                    type=entry.type,
                    error=repr(error),
                    exc_info=last and not isinstance(error, DecodeError),
                )
                return error
        return None

    async def _give_up(self, entry: Entry, error: str, tries: int) -> None:
        letter = DeadLetter(
            area=self._stream.area,
            group=self._group,
            event_id=entry.event_id,
            type=entry.type,
            key=entry.key,
            payload=entry.payload,
            traceparent=entry.traceparent,
            # Text that not every store could keep must not stand in the way.
            error=error.encode(errors="replace").decode().replace("\0", "\ufffd"),
            tries=tries,
            time_ms=self._clock.now_ms(),
        )
        await self._keep(lambda: self._letters.put(letter))
        self._dead.inc()
        _log.error(
            "event dead-lettered", stream=str(self._stream), group=self._group, event_id=entry.event_id, error=error
        )

    async def _keep(self, write: Callable[[], Awaitable[None]]) -> None:
        """Until the group's store has taken it: other keys go on meanwhile, but for what an earlier consumer left,
        which is settled one by one. Raises LeaseLost."""
        while True:
            try:
                return await write()
            except StorageError as error:
                _log.warning("the dead letters cannot be kept", stream=str(self._stream), error=repr(error))
            await self._pause(self._timing.away_s[1])
            self._require_lease()

    async def _pause(self, seconds: float) -> None:
        """Wait before the next try. Raises LeaseLost where this consumer stops meanwhile: its tries are noted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopped.wait()
                raise LeaseLost(f"{self._stream}: stopping")
