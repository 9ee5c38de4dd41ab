"""A connection for one user alone: blocking reads, which would hold up everyone on a shared one."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from redis.exceptions import DataError, RedisError, ResponseError

from mesh import deadline
from mesh.cache.connection import CacheOptions, new_connection, open_connection, read_answer
from mesh.cache.errors import CacheRefused, CacheUnavailable, from_answer
from mesh.cache.pipeline import Argument


class Dedicated:
    """``async with cache.dedicated() as redis: await redis.execute("XREADGROUP", …, block_seconds=2)``.

    Connects when used and again after a failure. Calls made at the same time wait for each other.
    """

    def __init__(self, options: CacheOptions) -> None:
        self._options = options
        self._connection = new_connection(options)
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Dedicated:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def execute(self, *command: Argument, block_seconds: float = 0) -> Any:
        """The answer to one command that may block for ``block_seconds`` on the server.

        Raises :class:`CacheUnavailable`, :class:`CacheRefused` and ``DeadlineExceeded``. The
        command may have been applied; whoever repeats it must bear that.
        """
        seconds = deadline.within(block_seconds + self._options.seconds)
        try:
            async with self._turn, asyncio.timeout(seconds):
                answer = await self._exchange(command)
        except DataError as error:
            raise CacheRefused(str(error)) from error
        except (RedisError, OSError) as error:
            raise CacheUnavailable(f"Redis is away: {error or type(error).__name__}") from error
        if isinstance(answer, ResponseError):
            raise from_answer(answer)
        return answer

    async def close(self) -> None:
        """Hang up. Idempotent; a later call connects again."""
        await self._connection.disconnect()

    async def _exchange(self, command: tuple[Argument, ...]) -> Any:
        packed = self._connection.pack_command(*command)
        try:
            await open_connection(self._connection)
            await self._connection.send_packed_command(packed, check_health=False)
            return await read_answer(self._connection)
        except BaseException:
            # An answer left unread would be taken for that of the next command.
            await self._connection.disconnect(nowait=True)
            raise
