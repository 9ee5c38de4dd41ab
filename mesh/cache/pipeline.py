"""The pipeline that concurrent calls share, and the circuit that fails them fast while Redis is away.

A call that finds no pipeline under way is sent a few turns of the event loop later; those that
arrive meanwhile go with it, and those that arrive until the answers are there go together as the next
one. So one connection carries everything, a lone call waits for microseconds, and the busier the
process the fewer writes and reads each call costs.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mesh import deadline
from mesh.cache.connection import CacheOptions, Command, Connection, Request, connect, request, settings_of
from mesh.cache.errors import CacheError, CacheUnavailable

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
_TURNS = 8
"""Turns of the event loop that a call waits for company. On an idle loop they pass at once; on a busy one gRPC
brings about one call a turn, and each would take a write and a read of its own."""
_CLOSED = "the cache client is closed"


@dataclass(slots=True)
class PipelineStats:
    """Totals since the start: calls sent, pipelines they took, connections made, failures."""

    calls: int = 0
    pipelines: int = 0
    connects: int = 0
    failures: int = 0


class SharedPipeline:
    """Commands in, answers out, in order, over one connection that is made when needed."""

    def __init__(self, options: CacheOptions) -> None:
        self.stats = PipelineStats()
        self._options = options
        self._settings = settings_of(options)
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._queue: deque[Request] = deque()
        self._queued_bytes = 0
        self._overdue: asyncio.TimerHandle | None = None
        self._gathering = False
        self._away = ""

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to these commands, which are sent together and in order.

        An error that Redis answered to one of them stands in its place as :class:`CacheError`.
        Raises :class:`CacheUnavailable`, ``CacheRefused`` for arguments that are no bytes, str, int
        or float, and ``DeadlineExceeded``.
        """
        seconds = deadline.within(self._options.seconds)
        call = request(commands)
        self._enqueue(call)
        if seconds == self._options.seconds:  # the pipeline's own bound holds
            return await call.done
        timer = asyncio.get_running_loop().call_later(seconds, _expire, call, seconds)
        try:
            return await call.done
        finally:
            timer.cancel()

    async def close(self) -> None:
        """Fail what waits and hang up. Idempotent."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        self._away = _CLOSED
        self._fail_queue(_CLOSED)
        if self._connection is not None:
            self._connection.close(_CLOSED)

    def _enqueue(self, call: Request) -> None:
        if self._away:
            raise CacheUnavailable(self._away)
        size = self._queued_bytes + len(call.packed)
        if len(self._queue) >= self._options.max_queue or size > self._options.max_queue_bytes:
            raise CacheUnavailable(f"{len(self._queue)} calls of {self._queued_bytes} bytes wait for Redis already")
        self._queue.append(call)
        self._queued_bytes = size
        if not self._gathering:
            self._gathering = True
            self._gather(_TURNS)

    def _gather(self, turns: int) -> None:
        if turns and len(self._queue) < self._options.max_pipeline:
            asyncio.get_running_loop().call_soon(self._gather, turns - 1)
        else:
            self._gathering = False
            self._send_queue()

    def _send_queue(self) -> None:
        """Send what waits, unless a pipeline is under way; its end comes here again."""
        if self._connection is None:
            if self._connecting is None:
                self._connecting = asyncio.get_running_loop().create_task(self._connect())
            return
        if self._connection.busy:
            return
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        if calls := self._take():
            self.stats.calls += len(calls)
            self.stats.pipelines += 1
            late = f"Redis is away: no answer within {self._options.seconds * 1000:.0f} ms"
            loop = asyncio.get_running_loop()
            self._overdue = loop.call_later(self._options.seconds, self._connection.close, late)
            self._connection.send(calls)

    def _take(self) -> list[Request]:
        calls = [self._queue.popleft() for _ in range(min(self._options.max_pipeline, len(self._queue)))]
        self._queued_bytes -= sum([len(call.packed) for call in calls])
        return [call for call in calls if not call.done.done()]

    async def _connect(self) -> None:
        """Connect; where that fails, fail every call at once until it succeeds."""
        pause = FIRST_PAUSE_SECONDS
        try:
            while error := await self._try():
                self.stats.failures += not self._away
                self._away = f"Redis is away: {error}"
                self._fail_queue(self._away)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            self._connecting = None
        self._away = ""
        self._send_queue()

    async def _try(self) -> str:
        """Why there is no connection yet; empty where there is one now."""
        connection = Connection(self._send_queue, self._lost)
        try:
            async with asyncio.timeout(self._options.seconds):
                await connect(self._settings, connection)
        except (OSError, CacheError) as error:
            return str(error) or type(error).__name__
        self.stats.connects += 1
        self._connection = connection
        return ""

    def _lost(self, connection: Connection, reason: str) -> None:
        """The connection ended: with calls under way Redis is away, an idle one is made again when needed."""
        if connection is not self._connection:
            return
        self._connection = None
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
            if self._away != _CLOSED:
                self.stats.failures += 1
                self._away = reason
                self._fail_queue(reason)
                self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def _fail_queue(self, reason: str) -> None:
        while self._queue:
            self._queue.popleft().fail(reason)
        self._queued_bytes = 0


def _expire(call: Request, seconds: float) -> None:
    call.fail(f"Redis did not answer within {seconds * 1000:.0f} ms")
