"""Liking and unliking: one claim for each person and post."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

from mesh.claims import Claims
from mesh.counting import Contended
from mesh.events import NewEvent, Outbox
from mesh.ids import IdGenerator, time_ms
from mesh.storage import Outcome
from services.engagement.counts import Counts, counts_of
from services.engagement.model import Counter, Like, PostCounts, Tally
from services.engagement.store import ClaimStore

_ROUNDS = 5
"""Slices that one page of likers may take where rows turn out to be stale."""


@dataclass(frozen=True, slots=True)
class LikerPage:
    """Persons and when they liked (ms), newest first; ``next_before`` is 0 at the end."""

    person_ids: list[int]
    times_ms: list[int]
    next_before: int


class Likes:
    """Who likes what. ``announce`` makes the event of a like's state."""

    def __init__(
        self,
        store: ClaimStore,
        outbox: Outbox,
        counter: Counter,
        counts: Counts,
        ids: IdGenerator,
        announce: Callable[[Like], NewEvent],
        bucket_rows: int,
    ) -> None:
        self._store, self._counter, self._counts = store, counter, counts
        self._ids, self._bucket_rows = ids, bucket_rows
        self._claims: Claims[Like] = Claims(outbox, self._write, lambda _, after: announce(after))

    async def set(self, post_id: int, person_id: int, liked: bool) -> PostCounts:
        """Make this the state; the counts with it. May be repeated. Raises CONFLICT where other
        devices of the same person keep changing it."""
        tally, like_id = Tally(post_id), self._ids.next()

        async def read() -> Like:
            nonlocal tally
            like, tally = await asyncio.gather(self._store.like(post_id, person_id), self._store.tally(post_id))
            return like or Like(post_id, person_id)

        def step(before: Like, event_id: int) -> Like | None:
            after = self._next(before, tally, liked, like_id)
            return None if before.liked is liked else replace(after, event_id=event_id)

        async def repeat(like: Like) -> PostCounts:
            return await self._counted(like) if like.version else counts_of(tally)

        return await self._claims.change(read, step, self._align, repeat)

    def _next(self, before: Like, tally: Tally, liked: bool, like_id: int) -> Like:
        after = replace(before, liked=liked, version=before.version + 1)
        return replace(after, like_id=like_id, bucket=tally.peak_likes // self._bucket_rows) if liked else after

    async def _write(self, after: Like) -> Outcome:
        await self._counts.mark(after.post_id, after.person_id)
        return await self._store.claim_like(after)

    async def _align(self, like: Like) -> PostCounts:
        await self._enlist(like)
        return await self._counted(like)

    async def _enlist(self, like: Like) -> None:
        await (self._store.list_like if like.liked else self._store.unlist_like)(like)

    async def _counted(self, like: Like) -> PostCounts:
        """The counts with this like in them; where others keep the tally busy, as they will be."""
        await self._counts.show_like(like)
        try:
            tally = await self._counter.include(like.post_id, like.claim)
        except Contended:
            tally = await self._store.tally(like.post_id)
            tally = replace(tally, likes=tally.likes + int(like.liked) - int(like.counted))
        else:
            await self._counts.show(tally)
        return replace(counts_of(tally), liked=like.liked)

    async def changed(self, post_id: int, person_id: int) -> Tally | None:
        """A like changed, maybe in a process that died since: complete what it left. May be repeated.
        The tally, where it had to be corrected."""
        like = await self._store.like(post_id, person_id)
        if like is None:
            return None
        await self._enlist(like)
        # Whoever counted it may not have reached the cache, which may have kept what it had while it was
        # away: this is the last chance to put it right, so where it fails the event is handled again.
        await self._counts.show_like(like, surely=True)
        if like.liked == like.counted:
            await self._counts.show(await self._store.tally(post_id), surely=True)
            return None
        tally = await self._counter.include(post_id, like.claim)
        await self._counts.show(tally)
        return tally

    async def likers(self, post_id: int, before_like_id: int, limit: int) -> LikerPage:
        """Who likes a post, newest first. Reads at most ``_ROUNDS`` slices of each bucket."""
        buckets = (await self._store.tally(post_id)).peak_likes // self._bucket_rows + 1
        found: list[tuple[int, int]] = []
        for _ in range(_ROUNDS):
            rows = await self._newest(post_id, buckets, before_like_id, limit)
            valid = await self._valid(post_id, rows)
            found += valid[: limit - len(found)]
            before_like_id = found[-1][0] if len(found) == limit else rows[-1][0] if len(rows) == limit else 0
            if len(found) == limit or not before_like_id:
                break
        return LikerPage([person for _, person in found], [time_ms(like_id) for like_id, _ in found], before_like_id)

    async def _newest(self, post_id: int, buckets: int, before: int, limit: int) -> list[tuple[int, int]]:
        slices = await asyncio.gather(*(self._store.likers(post_id, b, before, limit) for b in range(buckets)))
        return heapq.nlargest(limit, chain.from_iterable(slices))

    async def _valid(self, post_id: int, rows: list[tuple[int, int]]) -> list[tuple[int, int]]:
        likes = await self._store.likes_by(post_id, [person for _, person in rows])
        return [row for row, like in zip(rows, likes, strict=True) if like and like.liked and like.like_id == row[0]]
