"""Reading a home feed: pushed posts, from the cache and below it from the table, merged with pulled ones."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence

import structlog

from mesh.cache.errors import CacheError
from mesh.clock import Clock
from mesh.ids import IdGenerator
from services.timeline.author_store import AuthorStore
from services.timeline.concurrency import for_each
from services.timeline.following import Following
from services.timeline.home_cache import NEWEST, HomeCache
from services.timeline.home_store import HomeStore
from services.timeline.model import Page, Ref, oldest_id
from services.timeline.pulled import PulledPosts

_log = structlog.get_logger("timeline")
BACKFILL = 50
"""Newest posts that a new follow brings into the feed."""
REBUILD_AUTHORS = 2_000
REBUILD_POSTS = 20
REBUILD_ROWS = 800
"""Bounds of rebuilding the feed of a reader who was away: authors, posts of each, rows in all."""
_HOUR_MS = 3_600_000
_ROUNDS = 12
"""Rounds of reading and filtering that one page may take before it is handed out short."""
_READERS = 32
_REMEMBERED = 1_000_000


class Home:
    """Home feeds of readers."""

    def __init__(
        self,
        store: HomeStore,
        authors: AuthorStore,
        cache: HomeCache,
        following: Following,
        pulled: PulledPosts,
        ids: IdGenerator,
        clock: Clock,
        home_days: int,
    ) -> None:
        self._store, self._authors, self._cache = store, authors, cache
        self._following, self._pulled, self._ids, self._clock = following, pulled, ids, clock
        self._days = home_days
        self._seen: OrderedDict[int, int] = OrderedDict()

    async def page(self, reader_id: int, before: int, limit: int) -> Page:
        """Posts older than ``before`` (0: from the newest) of those the reader follows now, newest first.
        A page may be short where many rows were of people no longer followed; ``next_before`` goes on."""
        await self._arrive(reader_id)
        following = await self._following.of(reader_id)
        pulled_authors = self._pulled.authors_among(following)
        # A first page seldom needs more than its own length again in rows of people no longer followed.
        pushed = await self._pushed(reader_id, 0 if before or pulled_authors else 2 * (limit + 1))
        if not pulled_authors:
            return await _only_pushed(pushed, following, before, limit)
        found: list[int] = []
        for _ in range(_ROUNDS):
            (rows, rows_to), (pulls, pulls_to) = await asyncio.gather(
                pushed.read(before, limit + 1), self._pulled.read(pulled_authors, before, limit + 1)
            )
            down_to = max(rows_to, pulls_to)
            theirs = {post for post, author in rows if author in following}
            theirs.update(ref.post_id for ref in pulls)
            found += [post for post in sorted(theirs, reverse=True) if post >= down_to]
            before = down_to
            if len(found) >= limit or not down_to:
                break
        return _page(found, before, limit)

    async def _pushed(self, reader_id: int, newest: int) -> Pushed:
        """The cached rows, or the ``newest`` of them, rebuilt where they are missing; none where Redis is away."""
        try:
            cached = await self._cache.read(reader_id, newest) or await self._rebuilt(reader_id)
        except CacheError as error:
            _log.debug("feed read from its table", error=str(error))
            cached = []
        return Pushed(self._store, reader_id, cached)

    async def _rebuilt(self, reader_id: int) -> list[tuple[int, int]]:
        """What the cache holds once it was filled from the table."""
        token = self._ids.next()
        await self._cache.begin_rebuild(reader_id, token)
        rows = await self._store.read(reader_id, 0, NEWEST)
        await self._cache.fill(reader_id, token, rows)
        return [*rows] if len(rows) == NEWEST else [*rows, Ref(0, 0)]

    async def _arrive(self, reader_id: int) -> None:
        """Note that a reader is here, at most once an hour; one who was away finds the feed rebuilt."""
        now_ms = self._clock.now_ms()
        if now_ms - self._seen.get(reader_id, -_HOUR_MS) < _HOUR_MS:
            return
        activity = await self._store.activity(reader_id)
        if not activity.whole:
            # Marked first: from here on posts are pushed; those before are in their authors' timelines.
            await self._store.mark_active(reader_id, whole=False)
            try:
                await self._rebuild(reader_id)
            except CacheError:
                return  # The old list may still be there: rebuilt again once Redis is back.
        if not activity.whole or now_ms - activity.seen_ms >= _HOUR_MS:
            await self._store.mark_active(reader_id, whole=True)
        self._seen[reader_id] = now_ms
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    async def _rebuild(self, reader_id: int) -> None:
        following = await self._following.of(reader_id)
        authors = [reader_id, *sorted(following - {reader_id}, reverse=True)[:REBUILD_AUTHORS]]
        found: list[Ref] = []

        async def read(author: int) -> None:
            found.extend(await self._newest(author, REBUILD_POSTS))

        await for_each(authors, read, min(_READERS, len(authors)))
        await self._fill(reader_id, sorted(found, reverse=True)[:REBUILD_ROWS])

    async def backfill(self, reader_id: int, author_id: int) -> None:
        """A reader follows an author from now on: bring the newest posts. May be repeated."""
        self._following.forget(reader_id)
        if await self._store.active([reader_id]):
            await self._fill(reader_id, await self._newest(author_id, BACKFILL))

    async def _newest(self, author_id: int, limit: int) -> list[Ref]:
        oldest = oldest_id(self._clock.now_ms(), self._days)
        return [Ref(post, author_id) for post in await self._authors.posts(author_id, 0, limit) if post >= oldest]

    async def _fill(self, reader_id: int, refs: list[Ref]) -> None:
        await self._store.fill(reader_id, refs)
        await self._cache.forget(reader_id)


async def _only_pushed(pushed: Pushed, following: Collection[int], before: int, limit: int) -> Page:
    """The common case, on the hottest path: nothing to merge."""
    found: list[int] = []
    for _ in range(_ROUNDS):
        rows, before = await pushed.read(before, limit + 1)
        found += [post for post, author in rows if author in following]
        if len(found) >= limit or not before:
            break
    return _page(found, before, limit)


def _page(found: list[int], before: int, limit: int) -> Page:
    """The first ``limit`` of what was found, down to ``before`` (0: the end)."""
    posts = found[:limit]
    more = len(found) > limit or (before and len(posts) == limit)
    return Page(posts, posts[-1] if more else before)


class Pushed:
    """The pushed rows of one feed as one reading sees them: ``cached`` first, then the table."""

    def __init__(self, store: HomeStore, reader_id: int, cached: Sequence[tuple[int, int]]) -> None:
        self._store, self._reader_id = store, reader_id
        self._whole = bool(cached) and cached[-1][0] == 0
        self._cached = cached[:-1] if self._whole else cached

    async def read(self, before: int, limit: int) -> tuple[Sequence[tuple[int, int]], int]:
        """Rows older than ``before`` (0: from the newest), newest first, and the id down to which they are
        all there (0: to the end)."""
        older = [row for row in self._cached if row[0] < before] if before else self._cached
        rows: Sequence[tuple[int, int]] = older[:limit]
        whole = self._whole
        if not rows and not whole:
            rows, whole = await self._store.read(self._reader_id, before, limit), True
        return rows, 0 if whole and len(rows) < limit else rows[-1][0]
