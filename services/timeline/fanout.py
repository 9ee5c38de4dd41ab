"""Fan-out: a new post into the feeds of its author's followers, resumable at every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mesh.clock import Clock
from mesh.ids import IdGenerator
from services.timeline.author_store import AuthorStore
from services.timeline.concurrency import for_each
from services.timeline.home_cache import HomeCache
from services.timeline.home_store import HomeStore
from services.timeline.model import Ref
from services.timeline.pulled import PulledPosts
from services.timeline.schema import Audience, Progress, PulledPost

PAGE = 1_000
"""Followers of one page: scanned, checked, pushed and noted in the ledger together."""
_SHARDS_AT_ONCE = 4
_HEAD = -1
_BACK_TO_PUSH = 0.8
"""A pulled author is pushed again once followers fall below this part of the threshold."""
_REMEMBER_MS = 600_000
_REMEMBERED = 1_000_000


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """Followers of one shard in id order; ``next_after`` is 0 at its end."""

    ids: Sequence[int]
    next_after: int
    shard_count: int


class Followers(Protocol):
    """What the graph service says of an author's followers. Raises Problem."""

    async def count(self, author_id: int) -> int:
        """How many there are."""

    async def scan(self, author_id: int, shard: int, after: int, limit: int) -> FollowerPage:
        """One page of one shard, in id order, behind the id ``after``."""


class FanOut:
    """Pushes posts, or leaves them to be pulled: decided for each author by followers alone."""

    def __init__(
        self,
        authors: AuthorStore,
        homes: HomeStore,
        cache: HomeCache,
        followers: Followers,
        pulled: PulledPosts,
        ids: IdGenerator,
        clock: Clock,
        pull_threshold: int,
    ) -> None:
        self._authors, self._homes, self._cache, self._followers = authors, homes, cache, followers
        self._pulled, self._ids, self._clock, self._threshold = pulled, ids, clock, pull_threshold
        self._active: dict[int, int] = {}

    async def deliver(self, ref: Ref) -> None:
        """Bring a post to those who follow its author. May be repeated; goes on where it was interrupted."""
        ledger = await self._authors.ledger(ref.post_id)
        head = ledger.get(_HEAD)
        if head and head.done:
            return
        pulled = head.pulled if head else await self._decide(ref)
        await self._push([ref.author_id], ref)
        if pulled:
            await self._authors.note_pulled(PulledPost(self._ids.next(), *ref), self._clock.now_ms())
            self._pulled.add(ref)
        else:
            await self._push_all(ref, {shard: progress.after_user_id for shard, progress in ledger.items()})
        await self._authors.note_progress(Progress(ref.post_id, _HEAD, 0, done=True, pulled=pulled))

    async def _decide(self, ref: Ref) -> bool:
        """Whether this post is pulled: recorded with the author and in the ledger, so that it stays so."""
        followers = await self._followers.count(ref.author_id)
        before = await self._authors.audience(ref.author_id)
        limit = self._threshold * _BACK_TO_PUSH if before.pulled else self._threshold
        pulled = followers > limit
        if pulled or before.pulled:
            newest = max(before.pulled_post_id, ref.post_id) if pulled else before.pulled_post_id
            await self._authors.set_audience(Audience(ref.author_id, pulled, newest))
        await self._authors.note_progress(Progress(ref.post_id, _HEAD, 0, done=False, pulled=pulled))
        return pulled

    async def _push_all(self, ref: Ref, progress: dict[int, int]) -> None:
        first = await self._followers.scan(ref.author_id, 0, progress.get(0, 0), PAGE)

        async def work(shard: int) -> None:
            await self._push_shard(ref, shard, progress.get(shard, 0), first if shard == 0 else None)

        await for_each(range(first.shard_count), work, _SHARDS_AT_ONCE)

    async def _push_shard(self, ref: Ref, shard: int, after: int, page: FollowerPage | None) -> None:
        while True:
            page = page or await self._followers.scan(ref.author_id, shard, after, PAGE)
            await self._push(page.ids, ref)
            if not page.next_after:
                return
            after, page = page.next_after, None
            await self._authors.note_progress(Progress(ref.post_id, shard, after, done=False, pulled=False))

    async def _push(self, followers: Sequence[int], ref: Ref) -> None:
        """Tables first: whoever rebuilds a cached feed from now on finds the post there."""
        readers = await self._reading(followers)
        if readers:
            await self._homes.push(readers, ref)
            await self._cache.push(readers, ref)

    async def _reading(self, followers: Sequence[int]) -> list[int]:
        """Those who still come; a reader who returns finds the feed rebuilt."""
        now_ms = self._clock.now_ms()
        if len(self._active) > _REMEMBERED:
            self._active.clear()
        unknown = [f for f in followers if self._active.get(f, 0) < now_ms]
        if unknown:
            self._active.update(dict.fromkeys(await self._homes.active(unknown), now_ms + _REMEMBER_MS))
        return [f for f in followers if self._active.get(f, 0) >= now_ms]
