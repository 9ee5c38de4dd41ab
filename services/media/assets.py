"""Reading assets: by id, many at a time, and watching one until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

from mesh.errors import not_found
from mesh.live import Hub, Told
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

    def __init__(self, store: MediaStore, encode: Callable[[Asset], Message], cached: int, hub: Hub[int, None]) -> None:
        self._store = store
        self._encode = encode
        self._done: LRUCache[int, Known[Message]] = LRUCache(cached)
        self._hub = hub

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

    async def watch(self, asset_id: int, closing: asyncio.Event) -> AsyncGenerator[Told[Message]]:
        """The asset now, heartbeats, and the asset again once it is ready or failed: the end. Ends early, saying
        so, when ``closing`` is set. Raises MEDIA_NOT_FOUND."""
        shown = False
        async with aclosing(self._hub.watch([asset_id], closing)) as stream:
            async for told in stream:
                # Read even where nothing was heard: a notice lost on the way delays the answer by one heartbeat.
                known = await self._one(asset_id)
                if known.asset.outcome or not shown:
                    yield Told(told.cursor, known.message)
                else:
                    yield Told(told.cursor, end=told.end)
                if known.asset.outcome:
                    return
                shown = True

    def changed(self, asset_id: int) -> None:
        """Wake who watches this asset."""
        self._hub.newest(asset_id, None)

    async def _one(self, asset_id: int) -> Known[Message]:
        found = await self.read([asset_id])
        if not found:
            raise not_found("MEDIA_NOT_FOUND", f"there is no medium {asset_id}")
        return found[0]
