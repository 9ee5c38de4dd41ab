"""Assets and posts over the tables. Methods that write an event along give its mutations; the outbox commits both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict

from mesh.storage import MAX_KEYS, Bound, Delete, Mutation, Put, Row, Store, TableSpec, TimedOut
from services.media import schema
from services.media.buckets import bucket_of, year_of, years
from services.media.model import Asset, Attempt, Original, Outcome, Post, PostRequest
from services.media.rows import asset_of, original_of, original_row, outcome_of, outcome_row, post_of, post_row

_READS_AT_ONCE = 64
_PAGE = 1_000


class MediaStore:
    """All that this service keeps, in its own words. Raises the errors of :mod:`mesh.storage`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)

    async def upload(self, owner_id: int, request_id: str) -> Original | None:
        """What was uploaded under this request id."""
        row = await self._store.get(schema.UPLOADS, {"owner_id": owner_id, "request_id": request_id})
        return original_of(row) if row else None

    async def claim_upload(self, original: Original) -> Original:
        """The upload that counts under the request id: this one, or one that came before."""
        return original_of(await self._claim(schema.UPLOADS, original_row(original)))

    def original_written(self, original: Original) -> list[Mutation]:
        """The asset's row as the upload writes it; may be repeated at any time."""
        return [Put(schema.ASSETS, original_row(original))]

    async def assets(self, asset_ids: Sequence[int]) -> dict[int, Asset]:
        """Those that exist, by id."""
        found: dict[int, Asset] = {}
        for first in range(0, len(asset_ids), MAX_KEYS):
            keys = [{"asset_id": asset_id} for asset_id in asset_ids[first : first + MAX_KEYS]]
            rows = await self._store.multi_get(schema.ASSETS, keys)
            found |= {asset.asset_id: asset for row in rows if (asset := asset_of(row))}
        return found

    async def asset(self, asset_id: int) -> Asset | None:
        return asset_of(await self._store.get(schema.ASSETS, {"asset_id": asset_id}))

    async def decide(self, asset_id: int, outcome: Outcome) -> Outcome:
        """The outcome that stands: this one, or the one that another worker came to first."""
        standing = outcome_of(await self._claim(schema.OUTCOMES, {"asset_id": asset_id, **outcome_row(outcome)}))
        assert standing is not None, "an outcome's row is written whole"
        return standing

    def outcome_written(self, asset_id: int, outcome: Outcome) -> list[Mutation]:
        """The asset's row as the worker writes it, once the outcome is decided."""
        return [Put(schema.ASSETS, {"asset_id": asset_id, **outcome_row(outcome)})]

    async def begin(self, attempt: Attempt) -> None:
        """Remember an upload before its first byte is stored."""
        row = {"bucket": bucket_of(attempt.asset_id), **asdict(attempt)}
        await self._store.put(schema.ATTEMPTS, row)

    async def attempts(self, bucket: int) -> AsyncIterator[list[tuple[Attempt, Asset | None]]]:
        """The uploads that began in a time bucket and what they became, in pages."""
        start = None
        while rows := await self._store.slice(schema.ATTEMPTS, {"bucket": bucket}, limit=_PAGE, start=start):
            begun = [_attempt(row) for row in rows]
            assets = await self.assets([attempt.asset_id for attempt in begun])
            yield [(attempt, assets.get(attempt.asset_id)) for attempt in begun]
            start = Bound((begun[-1].asset_id,), inclusive=False)

    async def swept(self, sweep: str) -> int | None:
        """The first bucket that this sweep has to look at."""
        row = await self._store.get(schema.SWEPT, {"sweep": sweep})
        return _int(row, "bucket") if row else None

    async def set_swept(self, sweep: str, bucket: int) -> None:
        """Nothing is left for this sweep in earlier buckets."""
        await self._store.put(schema.SWEPT, {"sweep": sweep, "bucket": bucket})

    async def post_request(self, author_id: int, request_id: str) -> PostRequest | None:
        """What was created under this request id."""
        row = await self._store.get(schema.POST_REQUESTS, {"author_id": author_id, "request_id": request_id})
        return _post_request(row) if row else None

    async def claim_post(self, request: PostRequest) -> PostRequest:
        """The creation that counts under the request id: this one, or one that came before."""
        return _post_request(await self._claim(schema.POST_REQUESTS, asdict(request)))

    async def claim_version(self, post: Post, claim_id: int) -> tuple[Post, bool]:
        """What the next version of a post says, and whether it is this: another writer may have been first."""
        row = await self._claim(schema.POST_CLAIMS, {"claim_id": claim_id, **post_row(post)})
        return post_of(row), row["claim_id"] == claim_id

    def post_written(self, post: Post) -> list[Mutation]:
        """One version of a post, and the end of the one before the last; may be repeated at any time."""
        written: list[Mutation] = [Put(schema.POSTS, post_row(post))]
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
        return post_of(rows[0]) if rows else None

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
                yield _int(row, "bucket")
            start = Bound((rows[-1]["bucket"],), inclusive=False)

    async def _ids_in(self, bucket: int, after: int, limit: int) -> list[int]:
        start = Bound((after,), inclusive=False)
        rows = await self._store.slice(schema.POSTS_BY_TIME, {"bucket": bucket}, limit=limit, start=start)
        return [_int(row, "post_id") for row in rows]

    async def _claim(self, table: TableSpec, row: Row) -> Row:
        """The row that stands under the key: this one, or the one that was there. May be repeated."""
        try:
            outcome = await self._store.insert_if_absent(table, row)
        except TimedOut:
            # It may have been applied: what stands now tells, since no two claims are equal.
            standing = await self._store.get(table, {name: row[name] for name in table.key_columns})
            if standing is None:
                raise
            return standing
        if outcome.applied:
            return row
        assert outcome.current is not None, "a claim is lost to a row"
        return outcome.current


def _int(row: Row, name: str) -> int:
    value = row[name]
    assert isinstance(value, int)
    return value


def _attempt(row: Row) -> Attempt:
    return Attempt(**{name: row[name] for name in Attempt.__dataclass_fields__})  # type: ignore[arg-type]


def _post_request(row: Row) -> PostRequest:
    return PostRequest(**{name: row[name] for name in PostRequest.__dataclass_fields__})  # type: ignore[arg-type]
