"""Rebuilding the index from the services that own the facts, while search and events go on."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.search.documents import Document, Post, User
from services.search.index import Rebuild, SearchIndex

_log = structlog.get_logger("search")
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_WRITE_SIZE = 1_000


class Facts(Protocol):
    """Where the facts are read: pages in id order, each with the id to go on behind (0: the end)."""

    async def users(self, after: int) -> tuple[list[User], int]: ...

    async def posts(self, after: int) -> tuple[list[Post], int]: ...


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How much was read."""

    user_count: int
    post_count: int


class Reindexer:
    """Rebuilds the index, one rebuild at a time.

    The fresh index takes every event from before the first page is read, and versions decide where
    both speak of the same thing: so nothing that changes meanwhile is lost. Only the whole index is
    switched to; a rebuild that fails leaves the one in use as it was.
    """

    def __init__(self, index: SearchIndex, facts: Facts) -> None:
        self._index, self._facts = index, facts
        self._under_way: asyncio.Task[Rebuilt] | None = None

    async def run(self) -> Rebuilt:
        """Rebuild, or join the rebuild under way, which a caller's going away does not end.
        Raises Problem where the owners cannot be read and IndexFailed; may be repeated."""
        if self._under_way is None or self._under_way.done():
            # Not in the caller's context: its deadline and its token are not the rebuild's.
            self._under_way = asyncio.create_task(self._rebuild(), context=contextvars.Context())
        return await asyncio.shield(self._under_way)

    async def complete(self) -> None:
        """Rebuild an index that was begun anew, trying until the owners answer; then wait for ever."""
        pause_s = _FIRST_PAUSE_S
        while not self._index.complete:
            try:
                await self.run()
            except Exception as error:  # the owners may not be up yet, whatever that looks like
                _log.info("the first build waits for the owners of the facts", error=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the rebuild under way, if there is one."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)

    async def _rebuild(self) -> Rebuilt:
        fresh = await self._index.rebuild()
        try:
            user_count = await _copy(self._facts.users, fresh)  # before posts, so that few posts move
            post_count = await _copy(self._facts.posts, fresh)
            await fresh.switch()
        finally:
            await fresh.abandon()
        _log.info("index rebuilt", users=user_count, posts=post_count)
        return Rebuilt(user_count, post_count)


async def _copy(read: Callable[[int], Awaitable[tuple[Sequence[Document], int]]], fresh: Rebuild) -> int:
    count = 0
    waiting: list[Document] = []
    async for page in _pages(read):
        waiting += page
        count += len(page)
        if len(waiting) >= _WRITE_SIZE:
            await fresh.write(waiting)
            waiting = []
    await fresh.write(waiting)
    return count


async def _pages(read: Callable[[int], Awaitable[tuple[Sequence[Document], int]]]) -> AsyncIterator[Sequence[Document]]:
    after = 0
    while True:
        page, after = await read(after)
        yield page
        if not after:
            return
