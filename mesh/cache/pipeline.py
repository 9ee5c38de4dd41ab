"""The pipeline that concurrent calls share, and the circuit that fails them fast while Redis is away.

A call that finds no pipeline under way is sent at once; those that arrive meanwhile go together as
the next one. So one connection carries everything, a lone call never waits for company, and the
busier the process the fewer writes and reads each call costs.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from redis.exceptions import DataError, RedisError

from mesh import deadline
from mesh.cache.connection import CacheOptions, new_connection, open_connection, read_answer
from mesh.cache.errors import CacheRefused, CacheUnavailable

Argument: TypeAlias = bytes | str | int | float
Command: TypeAlias = Sequence[Argument]

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0


@dataclass(slots=True)
class _Call:
    packed: bytes
    answers: int
    done: asyncio.Future[list[Any]]


@dataclass(slots=True)
class PipelineStats:
    """Totals since the start, for metrics: calls sent, pipelines they took, connections made, failures."""

    calls: int = 0
    pipelines: int = 0
    connects: int = 0
    failures: int = 0


class SharedPipeline:
    """Commands in, answers out, in order, over one connection that is made when needed."""

    def __init__(self, options: CacheOptions) -> None:
        self.stats = PipelineStats()
        self._options = options
        self._connection = new_connection(options)
        self._queue: deque[_Call] = deque()
        self._queued_bytes = 0
        self._sender: asyncio.Task[None] | None = None
        self._repair: asyncio.Task[None] | None = None
        self._away = ""

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to these commands, which are sent together and in order.

        An error that Redis answered to one of them stands in its place as ``ResponseError``.
        Raises :class:`CacheUnavailable`, :class:`CacheRefused` for arguments that are no bytes,
        str, int or float, and ``DeadlineExceeded``.
        """
        seconds = deadline.within(self._options.seconds)
        call = self._enqueue(self._pack(commands), len(commands))
        timer = asyncio.get_running_loop().call_later(seconds, _expire, call.done, seconds)
        try:
            return await call.done
        finally:
            timer.cancel()

    @property
    def away(self) -> str:
        """Why calls fail at once for now; empty when they are sent."""
        return self._away

    async def close(self) -> None:
        """Fail what waits and hang up. Idempotent."""
        tasks = [task for task in (self._sender, self._repair) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._away = "the cache client is closed"
        self._fail(self._take(len(self._queue)), self._away)
        await self._connection.disconnect()

    def _pack(self, commands: Sequence[Command]) -> bytes:
        try:
            return b"".join(chunk for command in commands for chunk in self._connection.pack_command(*command))
        except DataError as error:
            raise CacheRefused(str(error)) from error

    def _enqueue(self, packed: bytes, answers: int) -> _Call:
        if self._away:
            raise CacheUnavailable(self._away)
        too_long = len(self._queue) >= self._options.max_queue
        if too_long or self._queued_bytes + len(packed) > self._options.max_queue_bytes:
            raise CacheUnavailable(f"{len(self._queue)} calls of {self._queued_bytes} bytes wait for Redis already")
        loop = asyncio.get_running_loop()
        call = _Call(packed, answers, loop.create_future())
        self._queue.append(call)
        self._queued_bytes += len(packed)
        if self._sender is None:
            self._sender = loop.create_task(self._send_queue())
        return call

    def _take(self, limit: int) -> list[_Call]:
        calls = [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]
        self._queued_bytes -= sum(len(call.packed) for call in calls)
        return [call for call in calls if not call.done.done()]

    async def _send_queue(self) -> None:
        calls: list[_Call] = []
        try:
            while self._queue:
                calls = self._take(self._options.max_pipeline)
                async with asyncio.timeout(self._options.seconds):
                    await self._exchange(calls)
        except (RedisError, OSError) as error:
            self._break(calls, error)
        except asyncio.CancelledError:
            self._fail(calls, "the cache client is closed")
            raise
        finally:
            self._sender = None

    async def _exchange(self, calls: list[_Call]) -> None:
        if not calls:
            return
        await self._connect()
        self.stats.calls += len(calls)
        self.stats.pipelines += 1
        await self._connection.send_packed_command([call.packed for call in calls], check_health=False)
        for call in calls:
            answers = [await read_answer(self._connection) for _ in range(call.answers)]
            if not call.done.done():
                call.done.set_result(answers)

    async def _connect(self) -> None:
        self.stats.connects += await open_connection(self._connection)

    def _break(self, calls: list[_Call], error: Exception) -> None:
        """Fail everything that waits and call by call what comes, until Redis answers again."""
        self.stats.failures += 1
        self._away = f"Redis is away: {error or type(error).__name__}"
        self._fail([*calls, *self._take(len(self._queue))], self._away)
        self._repair = asyncio.get_running_loop().create_task(self._reconnect())

    def _fail(self, calls: list[_Call], reason: str) -> None:
        for call in calls:
            if not call.done.done():
                call.done.set_exception(CacheUnavailable(reason))

    async def _reconnect(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not await self._answers():
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        self._away = ""
        self._repair = None

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(self._options.seconds):
                await self._connection.disconnect(nowait=True)
                await self._connect()
                await self._connection.send_command("PING", check_health=False)
                return bool(await read_answer(self._connection) == b"PONG")
        except (RedisError, OSError):
            return False


def _expire(done: asyncio.Future[list[Any]], seconds: float) -> None:
    if not done.done():
        done.set_exception(CacheUnavailable(f"Redis did not answer within {seconds * 1000:.0f} ms"))
