"""Live posts: one hub for each process, one bounded queue for each stream.

The hub hears of every change from the bus. Counts wait in a stream's queue as the newest of each
post; comments wait in order. A stream whose reader is so slow that its queue overflows is told to
resume from its cursor, which costs nobody else anything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from mesh import ids
from mesh.clock import Clock
from services.engagement.comment_store import CommentStore
from services.engagement.counts import counts_of
from services.engagement.model import Comment, PostCounts
from services.engagement.store import ClaimStore

REPLAYED = 200
"""Changes of comments that a resumed stream gets for each post."""
_OVERLAP_MS = 10_000
"""How far before its cursor a stream resumes: events may become known out of order by so much."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to tell a watcher. Neither counts nor comment: a heartbeat, or the ``end``."""

    cursor: int
    counts: PostCounts | None = None
    comment: Comment | None = None
    end: bool = False


class Watch:
    """One stream's queue."""

    def __init__(self, post_ids: Sequence[int], cursor: int, limit: int) -> None:
        self.post_ids = frozenset(post_ids)
        self.overflowed = False
        self._cursor = cursor
        self._limit = limit
        self._counts: dict[int, PostCounts] = {}
        self._comments: deque[tuple[int, Comment]] = deque()
        self._ready = asyncio.Event()

    def counts(self, counts: PostCounts) -> None:
        """The newest counts of a post win."""
        waiting = self._counts.get(counts.post_id)
        if waiting is None or waiting.fold <= counts.fold:
            self._counts[counts.post_id] = counts
        self._ready.set()

    def comment(self, event_id: int, comment: Comment) -> None:
        """Queue a comment's change, or give up on this reader."""
        if len(self._comments) >= self._limit:
            self.overflowed = True
        else:
            self._comments.append((event_id, comment))
        self._ready.set()

    def replayed(self, event_id: int, comment: Comment) -> None:
        """Queue a change from before, of which there is a bounded number, beside the limit."""
        self._comments.append((event_id, comment))
        self._ready.set()

    def wake(self) -> None:
        """Let the stream look around."""
        self._ready.set()

    async def wait(self, seconds: float) -> bool:
        """Whether there is something to look at, within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            return False
        self._ready.clear()
        return True

    def take(self) -> list[Change]:
        """Everything that waits: comments in order, then counts."""
        changes = []
        while self._comments:
            event_id, comment = self._comments.popleft()
            self._cursor = max(self._cursor, event_id)
            changes.append(Change(self._cursor, comment=comment))
        counts, self._counts = self._counts, {}
        return changes + [Change(self._cursor, counts=newest) for newest in counts.values()]

    def heartbeat(self, cursor: int = 0) -> Change:
        """Alive; everything before the cursor has been told."""
        self._cursor = max(self._cursor, cursor)
        return Change(self._cursor)

    def end(self) -> Change:
        """Resume elsewhere."""
        return Change(self._cursor, end=True)


class Hub:
    """All streams of this process, by post."""

    def __init__(
        self, claims: ClaimStore, comments: CommentStore, clock: Clock, heartbeat_s: float, queue_limit: int
    ) -> None:
        self._claims, self._comments, self._clock = claims, comments, clock
        self._heartbeat_s, self._queue_limit = heartbeat_s, queue_limit
        self._watches: dict[int, set[Watch]] = {}
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()

    async def watch(self, post_ids: Sequence[int], cursor: int, closing: asyncio.Event) -> AsyncIterator[Change]:
        """Changes as they happen, from ``cursor`` on (0: from now), until ``closing`` or overflow."""
        watch = Watch(post_ids, cursor or ids.first_id_at(self._clock.now_ms()), self._queue_limit)
        for post_id in watch.post_ids:
            self._watches.setdefault(post_id, set()).add(watch)
        closed = asyncio.create_task(closing.wait())
        closed.add_done_callback(lambda _: watch.wake())
        try:
            yield watch.heartbeat()
            if cursor:
                await self._replay(watch, cursor)
            async for change in self._changes(watch, closing):
                yield change
        finally:
            closed.cancel()
            self._forget(watch)

    async def _changes(self, watch: Watch, closing: asyncio.Event) -> AsyncIterator[Change]:
        while not closing.is_set():
            # Read before taking: what is told after this moment is behind it.
            now = ids.first_id_at(self._clock.now_ms())
            for change in watch.take():
                yield change
            if watch.overflowed:
                for change in watch.take():
                    yield change
                break
            if not await watch.wait(self._heartbeat_s):
                yield watch.heartbeat(now)
        yield watch.end()

    async def _replay(self, watch: Watch, cursor: int) -> None:
        """The counts as they are and the comments that changed since; some may be told twice."""
        now_ms = self._clock.now_ms()
        since_ms = ids.time_ms(cursor) - _OVERLAP_MS
        since = ids.first_id_at(since_ms)
        for tally in await self._claims.tallies(sorted(watch.post_ids)):
            watch.counts(counts_of(tally))
        for post_id in sorted(watch.post_ids):
            changes = await self._comments.changed_since(post_id, since, since_ms, now_ms, REPLAYED)
            latest = {comment_id: event_id for event_id, comment_id in changes}
            comments = await self._comments.comments(list(latest))
            for comment in comments:
                if comment:
                    watch.replayed(latest[comment.comment_id], comment)

    def _forget(self, watch: Watch) -> None:
        for post_id in watch.post_ids:
            watches = self._watches[post_id]
            watches.discard(watch)
            if not watches:
                del self._watches[post_id]

    async def counts_changed(self, post_id: int) -> None:
        """Counts of a post changed: read them once, however many changes come meanwhile, and tell."""
        if post_id not in self._watches:
            return
        if post_id in self._reading:
            self._again.add(post_id)
        else:
            self._reading[post_id] = asyncio.create_task(self._read(post_id))

    async def _read(self, post_id: int) -> None:
        try:
            while True:
                self._again.discard(post_id)
                counts = counts_of(await self._claims.tally(post_id))
                for watch in self._watches.get(post_id, ()):
                    watch.counts(counts)
                if post_id not in self._again:
                    return
        finally:
            del self._reading[post_id]

    async def comment_changed(self, post_id: int, comment_id: int, event_id: int) -> None:
        """A comment was written, edited or deleted: tell, with the post's counts."""
        if post_id not in self._watches:
            return
        comment = await self._comments.comment(comment_id)
        if comment is not None:
            for watch in self._watches.get(post_id, ()):
                watch.comment(event_id, comment)
        await self.counts_changed(post_id)

    async def settle(self) -> None:
        """Wait until nothing is being read."""
        while self._reading:
            await asyncio.gather(*self._reading.values())
