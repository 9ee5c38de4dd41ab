"""Posts of authors with too many followers to push to, merged at read time.

Every process keeps one index of all pulled posts of the last days, newest first, and follows the
table by which the process that took a post in tells the others. Reading costs either a merge of the
followed authors' own lists or a walk down the index that tests who is followed: the cheaper of the
two by its measured cost. Below the index each author's timeline is read from its table.
"""

from __future__ import annotations

import asyncio
import bisect
import heapq
from collections.abc import Iterator
from itertools import islice

import structlog

from mesh.clock import Clock
from mesh.ids import first_id_at
from mesh.storage import StorageError
from services.timeline.author_store import AuthorStore
from services.timeline.concurrency import for_each
from services.timeline.model import Ref, oldest_id

_log = structlog.get_logger("timeline")
POLL_S = 0.5
MAX_AUTHORS = 1_000
"""Pulled authors that one read follows below the index: the most recent posters."""
_DAYS = 7
_HOUR_MS = 3_600_000
_OVERLAP_MS = 120_000
"""How late a post may be noted by a slow process and still be seen."""
_PAGE = 5_000
_READERS = 32
_MERGE_US, _WALK_US = 0.5, 0.05
"""Microseconds for each list that is merged, and for each post that is walked past."""


class PulledPosts:
    """The index of one process. ``capacity`` posts at most."""

    def __init__(self, store: AuthorStore, clock: Clock, home_days: int, capacity: int) -> None:
        self._store, self._clock, self._days, self._capacity = store, clock, home_days, capacity
        self._authors: dict[int, int] = {}
        self._ascending: list[Ref] = []
        self._by_author: dict[int, list[int]] = {}
        self._floor = first_id_at(clock.now_ms())
        self._polled_ms = 0

    async def load(self) -> None:
        """Read what is known so far: once, before the first read."""
        self._authors = await self._store.pulled_authors()
        self._polled_ms = self._clock.now_ms() - _DAYS * 24 * _HOUR_MS + _HOUR_MS
        self._floor = first_id_at(self._polled_ms)
        await self.refresh()

    async def follow(self) -> None:
        """Keep up with other processes, for the life of this one."""
        away = False
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.refresh()
                away = False
            except StorageError as error:  # What was missed is read by the next round that succeeds.
                if not away:  # said once for each outage
                    _log.warning("pulled posts not refreshed", error=str(error))
                away = True

    async def refresh(self) -> None:
        """Take in what was noted since the last time."""
        now_ms, since_ms = self._clock.now_ms(), self._polled_ms - _OVERLAP_MS
        after = first_id_at(since_ms)
        for hour in range(since_ms // _HOUR_MS, now_ms // _HOUR_MS + 1):
            await self._take_in(hour, after)
        self._polled_ms = now_ms

    async def _take_in(self, hour: int, after: int) -> None:
        noted = await self._store.pulled_posts(hour, after, _PAGE)
        while noted:
            for post in noted:
                self.add(Ref(post.post_id, post.author_id))
            full = len(noted) == _PAGE
            noted = await self._store.pulled_posts(hour, after, _PAGE, before=noted[-1].noted_id) if full else []

    def add(self, ref: Ref) -> None:
        """Take one pulled post in. May be repeated."""
        at = bisect.bisect_left(self._ascending, ref)
        if self._ascending[at : at + 1] == [ref] or ref.post_id < self._floor:
            return
        self._ascending.insert(at, ref)
        bisect.insort(self._by_author.setdefault(ref.author_id, []), ref.post_id)
        self._authors[ref.author_id] = max(ref.post_id, self._authors.get(ref.author_id, 0))
        if len(self._ascending) > self._capacity:
            self._shrink()

    def _shrink(self) -> None:
        """Forget the oldest tenth; what is older than the floor is read from the tables."""
        dropped = self._ascending[: self._capacity // 10]
        del self._ascending[: len(dropped)]
        self._floor = self._ascending[0].post_id
        for post_id, author_id in dropped:
            posts = self._by_author[author_id]
            del posts[: bisect.bisect_right(posts, post_id)]
            if not posts:
                del self._by_author[author_id]

    def authors_among(self, following: frozenset[int]) -> list[int]:
        """Those followed whose posts of the feed's time were pulled, most recent posters first."""
        known = self._authors.keys() & following
        if not known:
            return []
        oldest = oldest_id(self._clock.now_ms(), self._days)
        both = [author for author in known if self._authors[author] >= oldest]
        return sorted(both, key=lambda author: self._authors[author], reverse=True)

    async def read(self, authors: list[int], before: int, limit: int) -> tuple[list[Ref], int]:
        """Posts of these authors older than ``before`` (0: from the newest), newest first, and the id
        down to which they are all there (0: to the end of the feed)."""
        if not authors:
            return [], 0
        if not before or before > self._floor:
            found = self._in_memory(authors, before, limit)
            return found, found[-1].post_id if len(found) == limit else self._floor
        found = await self._in_tables(authors[:MAX_AUTHORS], before, limit)
        return found, found[-1].post_id if len(found) == limit else 0

    def _in_memory(self, authors: list[int], before: int, limit: int) -> list[Ref]:
        walked = limit * max(1, len(self._by_author)) / len(authors)
        cheaper = self._merge if len(authors) * _MERGE_US < walked * _WALK_US else self._walk
        return list(islice(cheaper(authors, before or 1 << 63), limit))

    def _merge(self, authors: list[int], before: int) -> Iterator[Ref]:
        def newest_first(author: int) -> Iterator[Ref]:
            posts = self._by_author.get(author, [])
            for at in range(bisect.bisect_left(posts, before) - 1, -1, -1):
                yield Ref(posts[at], author)

        return heapq.merge(*map(newest_first, authors), reverse=True)

    def _walk(self, authors: list[int], before: int) -> Iterator[Ref]:
        followed = frozenset(authors)
        start = bisect.bisect_left(self._ascending, Ref(before, 0)) if before < 1 << 63 else len(self._ascending)
        for at in range(start - 1, -1, -1):
            if self._ascending[at].author_id in followed:
                yield self._ascending[at]

    async def _in_tables(self, authors: list[int], before: int, limit: int) -> list[Ref]:
        lists: list[list[Ref]] = []
        oldest = oldest_id(self._clock.now_ms(), self._days)

        async def read(author: int) -> None:
            posts = await self._store.posts(author, before, limit)
            lists.append([Ref(post, author) for post in posts if post >= oldest])

        await for_each(authors, read, min(_READERS, len(authors)))
        return list(islice(heapq.merge(*lists, reverse=True), limit))
