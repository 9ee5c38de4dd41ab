"""Liking and unliking: one claim for each person and post."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

from mesh.errors import Code, Problem
from mesh.events import Event, NewEvent, Outbox
from mesh.ids import IdGenerator, time_ms
from services.engagement import transitions
from services.engagement.counts import Counts, counts_of
from services.engagement.model import Like, PostCounts, Tally
from services.engagement.store import ClaimStore
from services.engagement.tallies import Contended, Tallies

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
        tallies: Tallies,
        counts: Counts,
        ids: IdGenerator,
        announce: Callable[[Like], NewEvent],
        bucket_rows: int,
    ) -> None:
        self._store, self._outbox, self._tallies, self._counts = store, outbox, tallies, counts
        self._ids, self._announce, self._bucket_rows = ids, announce, bucket_rows

    async def set(self, post_id: int, person_id: int, liked: bool) -> PostCounts:
        """Make this the state; the counts with it. May be repeated. Raises CONFLICT where other
        devices of the same person keep changing it."""
        for _ in range(transitions.ATTEMPTS):
            before, tally = await asyncio.gather(self._store.like(post_id, person_id), self._store.tally(post_id))
            if before is None and not liked:
                return counts_of(tally)
            if before is not None and before.liked is liked:
                return await self._counted(before)
            after = self._next(before, tally, post_id, person_id, liked)
            event = await self._claim(before, after)
            if event is not None:
                return await self._finish(before, replace(after, event_id=event.id), event)
        raise Problem(Code.ABORTED, "CONFLICT", "this like is being changed on another device; try again")

    def _next(self, before: Like | None, tally: Tally, post_id: int, person_id: int, liked: bool) -> Like:
        version = before.version + 1 if before else 1
        if before and not liked:
            return replace(before, liked=False, version=version)
        bucket = tally.peak_likes // self._bucket_rows
        known = before or Like(post_id, person_id, liked, version, 0, 0, bucket)
        return replace(known, liked=liked, version=version, like_id=self._ids.next(), bucket=bucket)

    async def _claim(self, before: Like | None, after: Like) -> Event | None:
        await self._counts.mark(after.post_id, after.person_id)
        if before is not None:
            # Its event is settled before the claim forgets it: what it said stays said, and first.
            await self._outbox.confirm(self._event(before))

        async def holder() -> int | None:
            like = await self._store.like(after.post_id, after.person_id)
            return like.event_id if like else None

        return await transitions.attempt(
            self._outbox,
            self._announce(after),
            lambda event_id: self._store.claim_like(replace(after, event_id=event_id)),
            holder,
        )

    async def _finish(self, before: Like | None, after: Like, event: Event) -> PostCounts:
        """Once claimed it happens whole, whether or not the caller still waits."""
        work = asyncio.create_task(self._settle(before, after, event))
        return await asyncio.shield(work)

    async def _settle(self, before: Like | None, after: Like, event: Event) -> PostCounts:
        if before is not None and before.liked:
            await self._store.unlist_like(before)
        if after.liked:
            await self._store.list_like(after)
        try:
            return await self._counted(after)
        finally:  # Where counting failed, its event does it later.
            await self._outbox.confirm(event)

    async def _counted(self, like: Like) -> PostCounts:
        """The counts with this like in them; where others keep the tally busy, as they will be."""
        await self._counts.show_like(like)
        try:
            tally = await self._tallies.include(like.post_id, like.claim)
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
        if like.liked:
            await self._store.list_like(like)
        # Whoever counted it may not have reached the cache, which may have kept what it had while it was
        # away: this is the last chance to put it right, so where it fails the event is handled again.
        await self._counts.show_like(like, surely=True)
        if like.liked == like.counted:
            await self._counts.show(await self._store.tally(post_id), surely=True)
            return None
        tally = await self._tallies.include(post_id, like.claim)
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

    def _event(self, like: Like) -> Event:
        fact = self._announce(like)
        return Event(like.event_id, fact.key, fact.message, "engagement")
