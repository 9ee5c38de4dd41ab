"""Reading assets: by id, many at a time, and watching one until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

from mesh.errors import not_found
from services.media.model import Asset
from services.media.store import MediaStore

Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class Known(Generic[Message]):
    """An asset beside the form in which it is sent."""

    asset: Asset
    message: Message


class Assets(Generic[Message]):
    """Assets for those who show them. One that is ready or failed never changes, so the last ``cached`` of
    them are kept in memory, ``encode``d once."""

    def __init__(self, store: MediaStore, encode: Callable[[Asset], Message], cached: int, heartbeat_s: float) -> None:
        self._store = store
        self._encode = encode
        self._done: LRUCache[int, Known[Message]] = LRUCache(cached)
        self._heartbeat_s = heartbeat_s
        self._watchers: dict[int, set[asyncio.Event]] = {}

    async def read(self, asset_ids: Sequence[int]) -> list[Known[Message]]:
        """Those that exist, in the order asked."""
        known = {asset_id: found for asset_id in asset_ids if (found := self._done.get(asset_id))}
        if missing := [asset_id for asset_id in dict.fromkeys(asset_ids) if asset_id not in known]:
            for asset_id, asset in (await self._store.assets(missing)).items():
                known[asset_id] = self._remember(asset)
        return [known[asset_id] for asset_id in asset_ids if asset_id in known]

    def _remember(self, asset: Asset) -> Known[Message]:
        known = Known(asset, self._encode(asset))
        if asset.outcome:
            self._done[asset.asset_id] = known
        return known

    async def watch(self, asset_id: int, closing: asyncio.Event) -> AsyncIterator[Message | None]:
        """The asset now, None as a heartbeat, and the asset again once it is ready or failed: the end.

        Ends early when ``closing`` is set. Raises MEDIA_NOT_FOUND.
        """
        with self._watching(asset_id) as changed:
            known = await self._one(asset_id)
            yield known.message
            while not known.asset.outcome and not closing.is_set():
                await _any_set(changed, closing, within_s=self._heartbeat_s)
                changed.clear()
                # Read even where nothing was heard: a notice lost on the way delays the answer by one heartbeat.
                known = await self._one(asset_id)
                yield known.message if known.asset.outcome else None

    def changed(self, asset_id: int) -> None:
        """Wake who watches this asset."""
        for event in self._watchers.get(asset_id, ()):
            event.set()

    async def _one(self, asset_id: int) -> Known[Message]:
        found = await self.read([asset_id])
        if not found:
            raise not_found("MEDIA_NOT_FOUND", f"there is no medium {asset_id}")
        return found[0]

    @contextmanager
    def _watching(self, asset_id: int) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._watchers.setdefault(asset_id, set()).add(event)
        try:
            yield event
        finally:
            self._watchers[asset_id].discard(event)
            if not self._watchers[asset_id]:
                del self._watchers[asset_id]


async def _any_set(*events: asyncio.Event, within_s: float) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
