"""Live posts: what the bus tells of this process's watched posts, read once for all who watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import TypeAlias

from mesh import ids
from mesh.clock import Clock
from mesh.live import Hub, Stream, Told
from services.engagement.comment_store import CommentStore
from services.engagement.counts import counts_of
from services.engagement.model import Comment, PostCounts
from services.engagement.store import ClaimStore

REPLAYED = 200
"""Changes of comments that a resumed stream gets for each post."""
_OVERLAP_MS = 10_000
"""How far before its cursor a stream resumes: events may become known out of order by so much."""
Change: TypeAlias = PostCounts | Comment
"""Counts are told as the newest of their post, comments in order."""


class LivePosts:
    """Reads what changed, and tells."""

    def __init__(self, claims: ClaimStore, comments: CommentStore, clock: Clock, hub: Hub[int, Change]) -> None:
        self._claims, self._comments, self._clock, self._hub = claims, comments, clock, hub
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()

    def watch(self, post_ids: Sequence[int], cursor: int, closing: asyncio.Event) -> AsyncGenerator[Told[Change]]:
        """Changes as they happen, from ``cursor`` on (0: from now)."""

        async def resume(stream: Stream[int, Change]) -> None:
            await self._replay(stream, sorted(set(post_ids)), cursor)

        return self._hub.watch(post_ids, closing, cursor, resume)

    async def _replay(self, stream: Stream[int, Change], post_ids: list[int], cursor: int) -> None:
        """The counts as they are and the comments that changed since; some may be told twice."""
        now_ms = self._clock.now_ms()
        since_ms = ids.time_ms(cursor) - _OVERLAP_MS
        since = ids.first_id_at(since_ms)
        for tally in await self._claims.tallies(post_ids):
            counts = counts_of(tally)
            stream.newest(counts.post_id, counts, counts.fold)
        found: list[tuple[int, Change]] = []
        for post_id in post_ids:
            changes = await self._comments.changed_since(post_id, since, since_ms, now_ms, REPLAYED)
            latest = {comment_id: event_id for event_id, comment_id in changes}
            comments = await self._comments.comments(list(latest))
            found += [(latest[comment.comment_id], comment) for comment in comments if comment]
        stream.replay(found)

    async def counts_changed(self, post_id: int) -> None:
        """Counts of a post changed: read them once, however many changes come meanwhile, and tell."""
        if not self._hub.watched(post_id):
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
                self._hub.newest(post_id, counts, counts.fold)
                if post_id not in self._again:
                    return
        finally:
            del self._reading[post_id]

    async def comment_changed(self, post_id: int, comment_id: int, event_id: int) -> None:
        """A comment was written, edited or deleted: tell, with the post's counts."""
        if not self._hub.watched(post_id):
            return
        comment = await self._comments.comment(comment_id)
        if comment is not None:
            self._hub.add(post_id, comment, event_id)
        await self.counts_changed(post_id)

    async def settle(self) -> None:
        """Wait until nothing is being read."""
        while self._reading:
            await asyncio.gather(*self._reading.values())
