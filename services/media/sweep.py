"""What no event brings any more: assets whose worker died, and objects whose upload did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from mesh.blobs.contract import BlobError, BlobStore
from mesh.clock import Clock
from mesh.storage import StorageError
from services.media.model import Asset, Attempt
from services.media.schema import ATTEMPT_LIFE, BUCKET_MS
from services.media.store import MediaStore

EVERY_S = 30.0
GRACE_MS = 60_000
"""Younger assets are left to the bus."""
SETTLED_BUCKETS = 2
"""A bucket this much older than now begins no asset any more: uploads take two minutes at most."""
ABANDONED_BUCKETS = 24 * 3_600_000 // BUCKET_MS
"""An upload that began this many buckets ago and made no asset has nobody behind it."""
_UPLOADS = 100
_ATTEMPT_BUCKETS = int(ATTEMPT_LIFE.total_seconds() * 1000) // BUCKET_MS
Visit = Callable[[Attempt, Asset | None], Awaitable[bool]]
"""Looks at an upload and what it became; whether it has to be looked at again."""
_log = structlog.get_logger(__name__)


class Sweep:
    """Takes up what was left behind. Any number of processes may run it at the same time."""

    def __init__(
        self, store: MediaStore, blobs: BlobStore, clock: Clock, process: Callable[[int], Awaitable[None]]
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._process = process

    async def run(self) -> None:
        """Sweep for the life of the process."""
        while True:
            try:
                await self.unfinished_assets()
                await self.abandoned_objects()
            except (StorageError, BlobError) as error:
                _log.warning("the sweep waits", error=repr(error))
            await asyncio.sleep(EVERY_S)

    async def unfinished_assets(self) -> None:
        """Process every asset older than ``GRACE_MS`` that has no outcome."""
        now = self._clock.now_ms() // BUCKET_MS
        await self._walk("unfinished", now, now - SETTLED_BUCKETS, self._finish)

    async def abandoned_objects(self) -> None:
        """Remove what uploads stored that made no asset."""
        last = self._clock.now_ms() // BUCKET_MS - ABANDONED_BUCKETS
        await self._walk("abandoned", last, last, self._discard)

    async def _walk(self, sweep: str, last: int, settled: int, visit: Visit) -> None:
        """Visit the uploads up to the bucket ``last``, and remember up to where none is left to visit again."""
        first = await self._store.swept(sweep) or last - _ATTEMPT_BUCKETS
        done = first
        for bucket in range(first, last + 1):
            left = [again async for page in self._store.attempts(bucket) for again in await self._visited(page, visit)]
            if done == bucket <= settled and not any(left):
                done = bucket + 1
        if done > first:
            await self._store.set_swept(sweep, done)

    async def _visited(self, page: list[tuple[Attempt, Asset | None]], visit: Visit) -> list[bool]:
        return [await visit(attempt, asset) for attempt, asset in page]

    async def _finish(self, attempt: Attempt, asset: Asset | None) -> bool:
        if asset is None or asset.outcome:
            return False
        if self._clock.now_ms() - asset.original.create_time_ms < GRACE_MS:
            return True
        try:
            await self._process(asset.asset_id)
        except Exception as error:  # one asset must not keep the others from their turn
            _log.error("an asset cannot be processed", asset_id=asset.asset_id, error=repr(error))
        return True

    async def _discard(self, attempt: Attempt, asset: Asset | None) -> bool:
        if asset or await self._claimed(attempt):
            return False
        for upload in await self._blobs.list_uploads(attempt.object_key, _UPLOADS):
            await self._blobs.abort(upload.key, upload.upload_id)
        await self._blobs.delete(attempt.object_key)
        return False

    async def _claimed(self, attempt: Attempt) -> bool:
        """Whether a repeat of the request may still make an asset of the object."""
        request = await self._store.upload_requests.find(attempt.owner_id, attempt.request_id)
        return request is not None and request.answer_id == attempt.asset_id
