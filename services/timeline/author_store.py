"""Author timelines, their counts and how their posts travel."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Sequence

from mesh.storage import Bound, Key, Row, Store
from services.timeline.model import author_bucket
from services.timeline.schema import (
    AUDIENCES,
    AUTHOR_BUCKETS,
    AUTHOR_POSTS,
    AUTHORS,
    FANOUTS,
    POST_STATES,
    PULLED_POSTS,
    Audience,
    Author,
    AuthorPost,
    Bucket,
    PostState,
    Progress,
    PulledPost,
)

AUDIENCE_SHARDS = 16
MAX_BUCKETS = 400
"""Buckets of one author: a hundred years."""
_SLICE = 5_000
_HOUR_MS = 3_600_000
_ATTEMPTS = 20


class Contended(Exception):
    """Other processes changed the same row at every attempt: the event comes again."""


class AuthorStore:
    """What authors posted. Raises what the store raises."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next_count: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._counting: dict[int, asyncio.Task[None]] = {}

    async def add_post(self, author_id: int, post_id: int) -> None:
        """Note a post: in the directory first, so that no row is beyond it. May be repeated."""
        bucket = author_bucket(post_id)
        await self._store.insert_if_absent(AUTHOR_BUCKETS, AUTHOR_BUCKETS.encode(Bucket(author_id, bucket)))
        await self._store.put(AUTHOR_POSTS, AUTHOR_POSTS.encode(AuthorPost(author_id, bucket, post_id)))

    async def posts(self, author_id: int, before: int, limit: int) -> list[int]:
        """An author's posts older than ``before`` (0: from the newest), newest first."""
        found: list[int] = []
        for each in await self._buckets(author_id):
            if len(found) < limit and (not before or each.bucket <= author_bucket(before)):
                partition: Key = {"author_id": author_id, "bucket": each.bucket}
                start = Bound((before,), inclusive=False) if before else None
                rows = await self._store.slice(AUTHOR_POSTS, partition, limit=limit - len(found), start=start)
                found += [AUTHOR_POSTS.decode(row).post_id for row in rows]
        return found

    async def _buckets(self, author_id: int) -> list[Bucket]:
        rows = await self._store.slice(AUTHOR_BUCKETS, {"author_id": author_id}, limit=MAX_BUCKETS)
        return [AUTHOR_BUCKETS.decode(row) for row in rows]

    async def set_state(self, author_id: int, post_id: int, version: int, listed: bool) -> None:
        """Whether a post is listed, as of a version; an older version changes nothing."""
        bucket = author_bucket(post_id)
        key: Key = {"author_id": author_id, "bucket": bucket, "post_id": post_id}
        state = POST_STATES.encode(PostState(author_id, bucket, post_id, version, listed))
        outcome = await self._store.insert_if_absent(POST_STATES, state)
        while outcome.current and (current := POST_STATES.decode(outcome.current)).version < version:
            changes: Row = {"version": version, "listed": listed}
            outcome = await self._store.update_if(POST_STATES, key, changes, {"version": current.version})

    async def recount(self, author_id: int, bucket: int) -> None:
        """Count a bucket's listed posts, then the author's. A count is written only where no other was
        since it began, so it holds whatever was written before it. May be repeated; who asks while
        another count has yet to begin shares it. Raises :class:`Contended`."""
        place = (author_id, bucket)
        if place not in self._next_count:
            work = self._recount_after(place, self._counting.get(author_id))
            # A context of its own: it serves many callers, and the deadline of none of them.
            self._next_count[place] = asyncio.create_task(work, context=contextvars.Context())
        await asyncio.shield(self._next_count[place])

    async def _recount_after(self, place: tuple[int, int], before: asyncio.Task[None] | None) -> None:
        if before:
            await asyncio.wait([before])
        author_id, bucket = place
        mine = self._counting[author_id] = self._next_count.pop(place)
        try:
            await self._recount({"author_id": author_id, "bucket": bucket})
            await self._sum(author_id)
        finally:
            if self._counting[author_id] is mine:
                del self._counting[author_id]

    async def _recount(self, part: Key) -> None:
        for _ in range(_ATTEMPTS):
            row = await self._store.get(AUTHOR_BUCKETS, part)
            before = AUTHOR_BUCKETS.decode(row).recount if row else 0
            changes = {"listed": await self._listed(part), "recount": before + 1}
            if (await self._store.update_if(AUTHOR_BUCKETS, part, changes, {"recount": before})).applied:
                return
        raise Contended(f"{part}")

    async def _listed(self, part: Key) -> int:
        listed, start = 0, None
        while True:
            rows = await self._store.slice(POST_STATES, part, limit=_SLICE, start=start)
            states = [POST_STATES.decode(row) for row in rows]
            listed += sum(state.listed for state in states)
            if len(states) < _SLICE:
                return listed
            start = Bound((states[-1].post_id,), inclusive=False)

    async def _sum(self, author_id: int) -> None:
        await self._store.insert_if_absent(AUTHORS, AUTHORS.encode(Author(author_id)))
        key: Key = {"author_id": author_id}
        for _ in range(_ATTEMPTS):
            row = await self._store.get(AUTHORS, key)
            before = AUTHORS.decode(row).recount if row else 0
            listed = sum(bucket.listed for bucket in await self._buckets(author_id))
            changes = {"listed": listed, "recount": before + 1}
            if (await self._store.update_if(AUTHORS, key, changes, {"recount": before})).applied:
                return
        raise Contended(f"{key}")

    async def post_counts(self, author_ids: Sequence[int]) -> list[int]:
        """Listed posts of each author, in the order asked."""
        rows = await self._store.multi_get(AUTHORS, [{"author_id": author_id} for author_id in author_ids])
        return [AUTHORS.decode(row).listed if row else 0 for row in rows]

    async def audience(self, author_id: int) -> Audience:
        """How an author's posts travel."""
        key: Key = {"shard": author_id % AUDIENCE_SHARDS, "author_id": author_id}
        row = await self._store.get(AUDIENCES, key)
        return AUDIENCES.decode(row) if row else Audience(author_id)

    async def set_audience(self, audience: Audience) -> None:
        """Record how an author's posts travel."""
        await self._store.put(AUDIENCES, AUDIENCES.encode(audience, shard=audience.author_id % AUDIENCE_SHARDS))

    async def pulled_authors(self) -> dict[int, int]:
        """Every author who was ever pulled, with their newest pulled post."""
        shards = await asyncio.gather(*(self._audiences(shard) for shard in range(AUDIENCE_SHARDS)))
        return {each.author_id: each.pulled_post_id for audiences in shards for each in audiences}

    async def _audiences(self, shard: int) -> list[Audience]:
        found: list[Audience] = []
        start = None
        while True:
            rows = await self._store.slice(AUDIENCES, {"shard": shard}, limit=_SLICE, start=start)
            found += [AUDIENCES.decode(row) for row in rows]
            if len(rows) < _SLICE:
                return found
            start = Bound((found[-1].author_id,), inclusive=False)

    async def note_pulled(self, post: PulledPost, noted_ms: int) -> None:
        """Tell every process of a pulled post."""
        await self._store.put(PULLED_POSTS, PULLED_POSTS.encode(post, hour=noted_ms // _HOUR_MS))

    async def pulled_posts(self, hour: int, after: int, limit: int, before: int = 0) -> list[PulledPost]:
        """Posts of one hour, newest first, noted after one id and before another."""
        start = Bound((before,), inclusive=False) if before else None
        end = Bound((after,), inclusive=False)
        rows = await self._store.slice(PULLED_POSTS, {"hour": hour}, limit=limit, start=start, end=end)
        return [PULLED_POSTS.decode(row) for row in rows]

    async def ledger(self, post_id: int) -> dict[int, Progress]:
        """The fan-out ledger of a post, by shard; shard -1 is the post's own row."""
        rows = await self._store.slice(FANOUTS, {"post_id": post_id}, limit=_SLICE)
        return {progress.shard: progress for progress in map(FANOUTS.decode, rows)}

    async def note_progress(self, progress: Progress) -> None:
        """Record how far a shard was pushed to."""
        await self._store.put(FANOUTS, FANOUTS.encode(progress))
