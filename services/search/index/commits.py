"""Group commit: documents that arrive together become durable together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from prometheus_client import Counter

from services.search.documents import Document
from services.search.index.contract import IndexFailed, Writable

_log = structlog.get_logger("search")
_MAX_GROUP = 2_000
COMMITTED = Counter("tintype_search_documents_total", "Documents made durable in the search index.")

_Waiting = tuple[Document, "asyncio.Future[None]"]


class GroupCommit:
    """Collects documents and writes them as groups.

    A group closes when nothing has joined it for ``quiet_s``, after ``interval_s`` at the latest,
    or when it is full; while one is being written the next collects. So one event alone waits for
    little more than its own commit, and a flood shares a few.
    """

    def __init__(self, index: Writable, interval_s: float = 0.2, quiet_s: float = 0.01) -> None:
        self._index, self._interval_s, self._quiet_s = index, interval_s, quiet_s
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(_MAX_GROUP)
        self._task = asyncio.create_task(self._run(), name="search group commit")

    async def add(self, document: Document) -> None:
        """Return once the document is durable and can be found. Waits where too many wait already.
        Raises :class:`IndexFailed`; may be repeated."""
        if self._task.done():
            raise IndexFailed("the index is closed")
        done = asyncio.get_running_loop().create_future()
        await self._queue.put((document, done))
        await done

    async def close(self) -> None:
        """Stop; what was not committed raises, so that it is delivered again. Idempotent."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        while not self._queue.empty():
            _fail(self._queue.get_nowait(), IndexFailed("the index was closed before this was committed"))

    async def _run(self) -> None:
        while True:
            group = [await self._queue.get()]
            try:
                await self._collect(group)
                await self._write(group)
            finally:
                for waiting in group:
                    _fail(waiting, IndexFailed("the index was closed before this was committed"))

    async def _collect(self, group: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        latest = loop.time() + self._interval_s
        with contextlib.suppress(TimeoutError):
            while len(group) < _MAX_GROUP:
                async with asyncio.timeout_at(min(latest, loop.time() + self._quiet_s)):
                    group.append(await self._queue.get())

    async def _write(self, group: Sequence[_Waiting]) -> None:
        """Write a group; where that fails, each alone, so that one bad document harms no other."""
        try:
            await self._index.write([document for document, _ in group])
        except Exception as error:  # whatever it is, its own waiters must learn of it
            _log.warning("commit failed", documents=len(group), error=repr(error))
            if len(group) == 1:
                _fail(group[0], error)
                return
            for one in group:
                await self._write([one])
            return
        COMMITTED.inc(len(group))
        for _, done in group:
            if not done.done():
                done.set_result(None)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting[1].done():
        waiting[1].set_exception(error)
