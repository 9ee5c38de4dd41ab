"""A connection for one user alone: blocking reads, which would hold up everyone on a shared one."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from mesh import deadline
from mesh.cache.connection import Argument, CacheOptions, Connection, connect, request, settings_of
from mesh.cache.errors import CacheError, CacheUnavailable


class Dedicated:
    """``async with cache.dedicated() as redis: await redis.execute("XREADGROUP", …, block_seconds=2)``.

    Connects when used and again after a failure. Calls made at the same time wait for each other.
    """

    def __init__(self, options: CacheOptions) -> None:
        self._options = options
        self._settings = settings_of(options)
        self._connection = Connection()
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Dedicated:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def execute(self, *command: Argument, block_seconds: float = 0) -> Any:
        """The answer to one command that may block for ``block_seconds`` on the server.

        Raises :class:`CacheUnavailable`, ``CacheRefused`` and ``DeadlineExceeded``. The command may
        have been applied; whoever repeats it must bear that.
        """
        seconds = deadline.within(block_seconds + self._options.seconds)
        try:
            async with self._turn, asyncio.timeout(seconds):
                answer = await self._exchange(command)
        except OSError as error:
            raise CacheUnavailable(f"Redis is away: {error or type(error).__name__}") from error
        if isinstance(answer, CacheError):
            raise answer
        return answer

    async def close(self) -> None:
        """Hang up. Idempotent; a later call connects again."""
        self._connection.close("the connection is closed")

    async def _exchange(self, command: tuple[Argument, ...]) -> Any:
        call = request([command])
        try:
            if not self._connection.open:
                self._connection = Connection()
                await connect(self._settings, self._connection)
            self._connection.send([call])
            (answer,) = await call.done
        except BaseException:
            # An answer left unread would be taken for that of the next command.
            self._connection.close("the call was given up")
            raise
        return answer
