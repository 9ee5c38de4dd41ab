"""The media worker: from an original to its variants, and to the one outcome that stands."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextvars import Context
from pathlib import Path

import structlog

from mesh.blobs.contract import BlobMissing, BlobStore, BlobUnavailable
from mesh.deadline import DeadlineExceeded
from mesh.events import Outbox
from mesh.storage import TimedOut, Unavailable
from services.media import events
from services.media.imaging.pool import ImageWorker
from services.media.imaging.reasons import ImageRejected, WorkerBusy, WorkerCrashed
from services.media.imaging.rendered import Rendered
from services.media.imaging.rendered import Variant as Picture
from services.media.model import Asset, Failed, Outcome, Ready, Variant
from services.media.store import MediaStore

TRIES = 3
"""Renders of one asset before a crashing worker is held against it."""
PATIENCE_S = 30.0
"""How long the bus is kept waiting for an asset: less than it gives a handler. Work goes on after that."""
MAX_UNDER_WAY = 1_000
_AT_ONCE = 8
"""Assets that are copied, rendered or stored at a time; bounds temporary files."""
_AWAY = (BlobUnavailable, Unavailable, TimedOut, DeadlineExceeded, WorkerBusy)
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_log = structlog.get_logger(__name__)


class NotNow(Exception):
    """Too much is under way, or the event came before its row: deliver it again."""


class Processing:
    """Renders uploaded assets. What is repeated writes the same objects and the same row again."""

    def __init__(
        self, store: MediaStore, blobs: BlobStore, outbox: Outbox, images: ImageWorker, keep_originals: bool
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._outbox = outbox
        self._images = images
        self._keep_originals = keep_originals
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def process(self, asset_id: int) -> None:
        """Bring an asset to its outcome, waiting for stores that are away as long as this process lives.

        Returns when that is done, or after ``PATIENCE_S`` while it goes on. May be repeated: it joins what is
        under way, and an asset that has its outcome is left alone. Raises NotNow.
        """
        if asset_id not in self._under_way:
            self._start(asset_id)
        done, _ = await asyncio.wait([self._under_way[asset_id]], timeout=PATIENCE_S)
        for task in done:
            await task

    async def idle(self) -> None:
        """Wait until nothing is being processed."""
        while self._under_way:
            await asyncio.wait(list(self._under_way.values()))

    async def stop(self) -> None:
        """Drop what is under way; the sweep of another process, or of the next one, takes it up."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, asset_id: int) -> None:
        if len(self._under_way) >= MAX_UNDER_WAY:
            raise NotNow(f"{MAX_UNDER_WAY} assets are being processed already")
        # A context of its own: the deadline of whoever brought the news is not that of the work.
        task = asyncio.get_running_loop().create_task(self._persist(asset_id), context=Context())
        self._under_way[asset_id] = task
        task.add_done_callback(lambda ended: self._ended(asset_id, ended))

    def _ended(self, asset_id: int, task: asyncio.Task[None]) -> None:
        del self._under_way[asset_id]
        if not task.cancelled() and (error := task.exception()):
            # Whoever waits is told too; after its patience nobody does.
            _log.error("processing failed", asset_id=asset_id, error=repr(error))

    async def _persist(self, asset_id: int) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                async with self._places:
                    return await self._finish(asset_id)
            except _AWAY as error:
                _log.warning("processing waits", asset_id=asset_id, error=repr(error), seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _finish(self, asset_id: int) -> None:
        asset = await self._store.asset(asset_id)
        if asset is None:
            raise NotNow(f"asset {asset_id} is not written yet")
        if asset.outcome:
            return
        outcome = await self._store.decide(asset_id, await self._outcome(asset))
        done = Asset(asset.original, outcome)
        await self._outbox.commit(self._store.outcome_written(asset_id, outcome), [events.asset_processed(done)])
        if isinstance(outcome, Ready) and not self._keep_originals:
            await self._blobs.delete(asset.original.object_key)

    async def _outcome(self, asset: Asset) -> Outcome:
        try:
            rendered = await self._rendered(asset)
        except ImageRejected as rejected:
            return Failed(rejected.reason.value, rejected.message)
        except WorkerCrashed:
            message = f"The photo could not be processed in {TRIES} tries: save it anew as JPEG and upload that."
            return Failed("PROCESSING_FAILED", message)
        except BlobMissing:
            return Failed("PROCESSING_FAILED", "The uploaded file is no longer there: upload it again.")
        prefix = asset.original.variant_prefix
        variants = await asyncio.gather(*(self._stored(picture, prefix) for picture in rendered.variants))
        size = rendered.width, rendered.height
        return Ready(*size, rendered.blurhash, rendered.dominant_colour, tuple(variants))

    async def _rendered(self, asset: Asset) -> Rendered:
        async with self._local_copy(asset.original.object_key) as source:
            for _ in range(TRIES - 1):
                with contextlib.suppress(WorkerCrashed):
                    return await self._images.render(source)
            return await self._images.render(source)

    @contextlib.asynccontextmanager
    async def _local_copy(self, key: str) -> AsyncIterator[Path]:
        """The original as a file, so that it is never whole in this process."""
        with tempfile.NamedTemporaryFile(prefix="tintype-") as file:
            async with self._blobs.open(key) as chunks:
                async for chunk in chunks:
                    await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(file.flush)
            yield Path(file.name)

    async def _stored(self, picture: Picture, prefix: str) -> Variant:
        key = f"{prefix}/{picture.name}.{picture.format}"
        await self._blobs.put(key, picture.content, f"image/{picture.format}")
        return Variant(picture.name, picture.format, picture.width, picture.height, len(picture.content), key)
