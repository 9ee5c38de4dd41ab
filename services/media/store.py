"""Assets and posts over the tables. Methods that write an event along give its mutations; the outbox commits both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import TypeVar

from mesh.claims import RequestIds, standing
from mesh.storage import MAX_KEYS, Bound, Delete, Mutation, Put, Row, Store, Table
from services.media import schema
from services.media.buckets import bucket_of, year_of, years
from services.media.model import Asset, AssetState, Attempt, Original, Outcome, Post, Ready

R = TypeVar("R")
_READS_AT_ONCE = 64
_PAGE = 1_000


class MediaStore:
    """All that this service keeps, in its own words. Raises the errors of :mod:`mesh.storage`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)
        self.upload_requests = RequestIds(store, schema.REQUEST_IDS, "upload")
        self.post_requests = RequestIds(store, schema.REQUEST_IDS, "post")

    def original_written(self, original: Original) -> list[Mutation]:
        """The asset's row as the upload writes it; may be repeated at any time."""
        return [Put(schema.ASSETS, asdict(original))]

    async def assets(self, asset_ids: Sequence[int]) -> dict[int, Asset]:
        """Those that exist, by id."""
        found: dict[int, Asset] = {}
        for first in range(0, len(asset_ids), MAX_KEYS):
            keys = [{"asset_id": asset_id} for asset_id in asset_ids[first : first + MAX_KEYS]]
            rows = await self._store.multi_get(schema.ASSETS, keys)
            found |= {asset.asset_id: asset for row in rows if row and (asset := _asset(row))}
        return found

    async def asset(self, asset_id: int) -> Asset | None:
        return (await self.assets([asset_id])).get(asset_id)

    async def decide(self, asset_id: int, outcome: Outcome) -> Outcome:
        """The outcome that stands: this one, or the one that another worker came to first."""
        return (await self._claim(schema.OUTCOMES, _outcome(asset_id, outcome))).outcome

    def outcome_written(self, asset_id: int, outcome: Outcome) -> list[Mutation]:
        """The asset's row as the worker writes it, once the outcome is decided."""
        return [Put(schema.ASSETS, schema.OUTCOMES.encode(_outcome(asset_id, outcome)))]

    async def begin(self, attempt: Attempt) -> None:
        """Remember an upload before its first byte is stored."""
        row = schema.ATTEMPTS.encode(attempt, bucket=bucket_of(attempt.asset_id))
        await self._store.put(schema.ATTEMPTS, row)

    async def attempts(self, bucket: int) -> AsyncIterator[list[tuple[Attempt, Asset | None]]]:
        """The uploads that began in a time bucket and what they became, in pages."""
        start = None
        while rows := await self._store.slice(schema.ATTEMPTS, {"bucket": bucket}, limit=_PAGE, start=start):
            begun = [schema.ATTEMPTS.decode(row) for row in rows]
            assets = await self.assets([attempt.asset_id for attempt in begun])
            yield [(attempt, assets.get(attempt.asset_id)) for attempt in begun]
            start = Bound((begun[-1].asset_id,), inclusive=False)

    async def swept(self, sweep: str) -> int | None:
        """The first bucket that this sweep has to look at."""
        row = await self._store.get(schema.SWEPT, {"sweep": sweep})
        return schema.SWEPT.decode(row).bucket if row else None

    async def set_swept(self, sweep: str, bucket: int) -> None:
        """Nothing is left for this sweep in earlier buckets."""
        await self._store.put(schema.SWEPT, {"sweep": sweep, "bucket": bucket})

    async def claim_version(self, post: Post, claim_id: int) -> tuple[Post, bool]:
        """What the next version of a post says, and whether it is this: another writer may have been first."""
        claimed = await self._claim(schema.POST_CLAIMS, schema.Claimed(claim_id, post))
        return claimed.post, claimed.claim_id == claim_id

    def post_written(self, post: Post) -> list[Mutation]:
        """One version of a post, and the end of the one before the last; may be repeated at any time."""
        written: list[Mutation] = [Put(schema.POSTS, schema.POSTS.encode(post))]
        if post.version == 1:
            bucket = bucket_of(post.post_id)
            written.append(Put(schema.POSTS_BY_TIME, {"bucket": bucket, "post_id": post.post_id}))
            written.append(Put(schema.POST_BUCKETS, {"year": year_of(bucket), "bucket": bucket}))
        if post.version > 2:
            written.append(Delete(schema.POSTS, {"post_id": post.post_id, "version": post.version - 2}))
        return written

    async def post(self, post_id: int) -> Post | None:
        """The post as it now is."""
        async with self._reads:
            rows = await self._store.slice(schema.POSTS, {"post_id": post_id}, limit=1)
        return schema.POSTS.decode(rows[0]) if rows else None

    async def posts(self, post_ids: Sequence[int]) -> dict[int, Post]:
        """Those that exist, by id; tombstones included."""
        found = await asyncio.gather(*(self.post(post_id) for post_id in dict.fromkeys(post_ids)))
        return {post.post_id: post for post in found if post}

    async def post_ids(self, after: int, limit: int, now_ms: int) -> list[int]:
        """Ids of posts, deleted ones included, in order; fewer than ``limit`` (1 to MAX_SLICE) at the end only."""
        found: list[int] = []
        for year in years(after, now_ms):
            async for bucket in self._buckets(year, bucket_of(after)):
                found += await self._ids_in(bucket, after, limit - len(found))
                if len(found) >= limit:
                    return found
        return found

    async def _buckets(self, year: int, first: int) -> AsyncIterator[int]:
        """The buckets of a year that hold anything, from ``first`` on."""
        start = Bound((first,))
        while rows := await self._store.slice(schema.POST_BUCKETS, {"year": year}, limit=_PAGE, start=start):
            for row in rows:
                yield schema.POST_BUCKETS.decode(row).bucket
            start = Bound((rows[-1]["bucket"],), inclusive=False)

    async def _ids_in(self, bucket: int, after: int, limit: int) -> list[int]:
        start = Bound((after,), inclusive=False)
        rows = await self._store.slice(schema.POSTS_BY_TIME, {"bucket": bucket}, limit=limit, start=start)
        return [schema.POSTS_BY_TIME.decode(row).post_id for row in rows]

    async def _claim(self, table: Table[R], record: R) -> R:
        """What stands under the key: this, or what was there. May be repeated."""
        return table.decode(await standing(self._store, table, table.encode(record)))


def _asset(row: Row) -> Asset | None:
    """None too where only the outcome has arrived."""
    found = schema.ASSETS.decode(row)
    outcome = found.outcome.outcome if found.outcome else None
    return Asset(found.original, outcome) if found.original else None


def _outcome(asset_id: int, outcome: Outcome) -> schema.AssetOutcome:
    if isinstance(outcome, Ready):
        return schema.AssetOutcome(asset_id, AssetState.READY, outcome, None)
    return schema.AssetOutcome(asset_id, AssetState.FAILED, None, outcome)
