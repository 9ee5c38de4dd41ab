"""The embedded engine: tantivy in this process, one directory, one writing thread, a few reading ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
import tantivy

from mesh import deadline
from mesh.errors import exhausted
from services.search.documents import Document, User
from services.search.index import queries, reading
from services.search.index.contract import (
    MAX_WRITE,
    HashtagHit,
    IndexFailed,
    NameQuery,
    Page,
    PlaceHit,
    Position,
)
from services.search.index.directory import Current, IndexDirectory
from services.search.index.fields import FORMAT
from services.search.index.generation import Generation

_log = structlog.get_logger("search")
_READING_THREADS = 4
_MAX_READS = 256
"""Searches under way and waiting; one more is refused at once."""
_READ_TIMEOUT_S = 5.0

T = TypeVar("T")


class EmbeddedIndex:
    """An index in a directory of its own. Open it with :meth:`open`."""

    def __init__(self, directory: IndexDirectory, current: Current, generation: Generation) -> None:
        self._directory, self._current, self._generation = directory, current, generation
        self._writing = asyncio.Lock()
        self._writer = ThreadPoolExecutor(1, "search-write")
        self._readers = ThreadPoolExecutor(_READING_THREADS, "search-read")
        self._reads = 0
        self._fresh: _Fresh | None = None

    @classmethod
    async def open(cls, path: Path) -> EmbeddedIndex:
        """Open or make the index at ``path``. One of another format, or one that cannot be read, is
        begun anew (it is derived: see ``complete``). Raises :class:`DirectoryInUse`."""
        directory = await asyncio.to_thread(IndexDirectory, path)
        try:
            current, generation = await asyncio.to_thread(_open_current, directory)
        except BaseException:
            directory.close()
            raise
        return cls(directory, current, generation)

    @property
    def complete(self) -> bool:
        return self._current.complete

    async def write(self, documents: Sequence[Document]) -> None:
        _check_size(documents)
        async with self._writing:
            await self._in_writer(partial(self._generation.write, documents))
            if self._fresh is not None:
                await self._fresh.mirror(documents)

    async def users(self, query: NameQuery, after: Position | None, limit: int) -> Page[int]:
        page = await self._read(lambda searcher: reading.ranked(searcher, queries.people(query), after, limit))
        return Page([user.user_id for user in page.items if isinstance(user, User)], page.next)

    async def posts(self, words: Sequence[Sequence[str]], after: Position | None, limit: int) -> Page[int]:
        return await self._newest(queries.captions(words), after, limit)

    async def tagged(self, tag: str, after: Position | None, limit: int) -> Page[int]:
        return await self._newest(queries.tagged(tag), after, limit)

    async def taken_at(self, place_id: str, after: Position | None, limit: int) -> Page[int]:
        return await self._newest(queries.taken_at(place_id), after, limit)

    async def hashtags(self, prefix: str, after: Position | None, limit: int) -> Page[HashtagHit]:
        query = queries.term("hashtag_prefixes", prefix)
        return reading.hashtag_hits(await self._read(lambda searcher: reading.ranked(searcher, [query], after, limit)))

    async def places(self, words: Sequence[str], after: Position | None, limit: int) -> Page[PlaceHit]:
        query = queries.all_of([queries.term("place_prefixes", word) for word in words])
        return reading.place_hits(await self._read(lambda searcher: reading.ranked(searcher, [query], after, limit)))

    async def rebuild(self) -> _Fresh:
        async with self._writing:
            previous, self._fresh = self._fresh, None
            if previous is not None:
                await previous.drop()
            name = await self._in_writer(self._directory.new_generation)
            generation = await self._in_writer(partial(Generation, self._directory.place(name)))
            self._fresh = _Fresh(self, name, generation)
            return self._fresh

    async def close(self) -> None:
        async with self._writing:
            fresh, self._fresh = self._fresh, None
            if fresh is not None:
                await fresh.drop()
            await asyncio.to_thread(self._writer.shutdown)
            await asyncio.to_thread(self._readers.shutdown)
            if self._directory.opened:
                await asyncio.to_thread(self._generation.close)
            self._directory.close()

    async def adopt(self, fresh: _Fresh) -> None:
        """Put a rebuilt generation in place of the one in use; reads under way end on the old one."""
        async with self._writing:
            if self._fresh is not fresh or fresh.failure is not None:
                raise IndexFailed(f"the rebuild was given up: {fresh.failure or 'another one has begun'}")
            current = Current(fresh.name, FORMAT, complete=True)
            await self._in_writer(partial(self._directory.switch, current))
            old, self._generation, self._current, self._fresh = self._generation, fresh.generation, current, None
            await self._in_writer(old.close)
            await self._in_writer(partial(self._directory.remove_all_but, current.generation))

    async def forget(self, fresh: _Fresh) -> None:
        """Drop a rebuild that will not be adopted."""
        async with self._writing:
            if self._fresh is fresh:
                self._fresh = None
                await fresh.drop()
                await self._in_writer(partial(self._directory.remove_all_but, self._current.generation))

    async def in_turn(self, work: Callable[[], None]) -> None:
        """Run a write to a fresh generation between those to the one in use."""
        async with self._writing:
            await self._in_writer(work)

    async def _newest(self, query: tantivy.Query, after: Position | None, limit: int) -> Page[int]:
        return await self._read(lambda searcher: reading.newest(searcher, query, after, limit))

    async def _read(self, search: Callable[[tantivy.Searcher], T]) -> T:
        """Search in a thread (tantivy lets go of the interpreter's lock meanwhile), bounded in number and time."""
        if self._reads >= _MAX_READS:
            raise exhausted("OVERLOADED", "search is busy; try again shortly", retry_after_ms=1000)
        self._reads += 1
        try:
            async with asyncio.timeout(deadline.within(_READ_TIMEOUT_S)):
                searcher = self._generation.searcher()
                return await asyncio.get_running_loop().run_in_executor(self._readers, search, searcher)
        except (ValueError, OSError) as error:
            raise IndexFailed(f"the index could not be read: {error}") from error
        except TimeoutError:
            raise IndexFailed("the index did not answer in time") from None
        finally:
            self._reads -= 1

    async def _in_writer(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)


class _Fresh:
    """A generation being rebuilt; see the contract's ``Rebuild``."""

    def __init__(self, index: EmbeddedIndex, name: str, generation: Generation) -> None:
        self._index, self.name, self.generation = index, name, generation
        self.failure: IndexFailed | None = None
        self._dropped = False

    async def write(self, documents: Sequence[Document]) -> None:
        _check_size(documents)
        self._refuse_dropped()
        await self._index.in_turn(partial(self._write, documents))

    async def mirror(self, documents: Sequence[Document]) -> None:
        """Take what the index in use took. Its failure ends the rebuild, not the write."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._index._writer, self.generation.write, documents)
        except IndexFailed as error:
            self.failure = error
            _log.error("rebuild failed", error=str(error))

    async def switch(self) -> None:
        await self._index.adopt(self)

    async def abandon(self) -> None:
        await self._index.forget(self)

    async def drop(self) -> None:
        """Let go of the files."""
        self._dropped = True
        await asyncio.to_thread(self.generation.close)

    def _write(self, documents: Sequence[Document]) -> None:
        self._refuse_dropped()
        self.generation.write(documents)

    def _refuse_dropped(self) -> None:
        if self._dropped:
            raise IndexFailed("this rebuild was given up: another one has begun, or the index was closed")


def _check_size(documents: Sequence[Document]) -> None:
    if len(documents) > MAX_WRITE:
        raise ValueError(f"{len(documents)} documents in one write: at most {MAX_WRITE}")


def _open_current(directory: IndexDirectory) -> tuple[Current, Generation]:
    current = directory.current()
    if current is not None and current.format == FORMAT:
        try:
            generation = Generation(directory.place(current.generation))
        except IndexFailed as error:
            _log.error("the index is unreadable and will be built anew", error=str(error))
        else:
            directory.remove_all_but(current.generation)
            return current, generation
    directory.remove_all_but()
    current = Current(directory.new_generation(), FORMAT, complete=False)
    generation = Generation(directory.place(current.generation))
    directory.switch(current)
    return current, generation
