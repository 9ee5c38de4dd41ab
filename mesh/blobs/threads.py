"""Blocking requests on a bounded number of threads, under deadlines, repeated where the store was away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from mesh import deadline
from mesh.blobs.contract import BlobUnavailable
from mesh.blobs.errors import translated

T = TypeVar("T")

TRIES = 3
FIRST_PAUSE_SECONDS = 0.1


class Threads:
    """``seconds`` bounds one try; the caller's deadline bounds them all."""

    def __init__(self, size: int, max_waiting: int, seconds: float) -> None:
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="blobs")
        self._places = size + max_waiting
        self._taken = 0
        self._seconds = seconds

    async def run(self, work: Callable[[], T], tries: int = TRIES) -> T:
        """The result of ``work``, which may be repeated, in a thread; its errors are those of the contract."""
        for tried in range(1, tries + 1):
            try:
                return await self._once(work)
            except BlobUnavailable:
                if tried == tries:
                    raise
                await self._pause(tried)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Drop what waits; what runs ends by its own time limit."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _once(self, work: Callable[[], T]) -> T:
        if self._taken >= self._places:
            raise BlobUnavailable(f"{self._taken} requests wait for the S3 store already")
        seconds = deadline.within(self._seconds)
        self._taken += 1
        try:
            call = asyncio.get_running_loop().run_in_executor(self._executor, copy_context().run, _translated, work)
            async with asyncio.timeout(seconds):
                return await call
        except TimeoutError as error:
            raise BlobUnavailable(f"the S3 store did not answer within {seconds:.1f} s") from error
        finally:
            self._taken -= 1

    async def _pause(self, tried: int) -> None:
        """Twice as long each time, jittered so that callers who failed together do not return together."""
        pause = FIRST_PAUSE_SECONDS * 2 ** (tried - 1) * random.uniform(0.5, 1.5)
        await asyncio.sleep(deadline.within(pause))


def _translated(work: Callable[[], T]) -> T:
    with translated():
        return work()
