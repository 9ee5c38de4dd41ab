"""UploadService and MediaService: bringing photos in, and what became of them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from tintype.edge.v1 import media_pb2 as media_api
from tintype.edge.v1 import resources_pb2
from tintype.edge.v1 import uploads_pb2 as uploads_api
from tintype.media.v1 import assets_pb2

from edge.facts import Facts
from edge.mesh import Mesh
from edge.present import Presenter
from edge.surfaces import request_id
from mesh import ids
from mesh.errors import Problem, not_found
from mesh.live import End, Guard
from mesh.rpc.call import Call

CHUNK_BYTES = 256 * 1024
"""Bytes passed on in one message: measured as the knee of gRPC's throughput."""


class UploadServer:
    """UploadService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter) -> None:
        self._assets = mesh.assets
        self._facts = facts
        self._presenter = presenter

    async def Upload(
        self, requests: AsyncIterator[uploads_api.UploadRequest], call: Call
    ) -> uploads_api.UploadResponse:
        caller_id = call.user.user_id
        answer = await self._assets.Upload(_chunks(requests))
        owner = (await self._facts.people([caller_id]))[caller_id].user
        return uploads_api.UploadResponse(media=self._presenter.media(answer.asset, owner, caller_id))


async def _chunks(requests: AsyncIterator[uploads_api.UploadRequest]) -> AsyncIterator[assets_pb2.UploadRequest]:
    """The client's stream as the media service takes it; back-pressure goes all the way through."""
    first = True
    async for request in requests:
        data = memoryview(request.content.data)
        message = assets_pb2.UploadRequest(chunk=bytes(data[:CHUNK_BYTES]))
        if first:
            message.request_id = request_id(request.request_id)
            message.filename = request.filename
            message.content_type = request.content.content_type
            first = False
        yield message
        for start in range(CHUNK_BYTES, len(data), CHUNK_BYTES):
            yield assets_pb2.UploadRequest(chunk=bytes(data[start : start + CHUNK_BYTES]))


class MediaServer:
    """MediaService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, guard: Guard) -> None:
        self._assets = mesh.assets
        self._facts = facts
        self._presenter = presenter
        self._guard = guard

    async def GetMedia(self, request: media_api.GetMediaRequest, call: Call) -> media_api.GetMediaResponse:
        asset = await self._own(request.media_id, call.user.user_id)
        return media_api.GetMediaResponse(media=await self._media(asset))

    async def WatchMedia(
        self, request: media_api.WatchMediaRequest, call: Call
    ) -> AsyncIterator[media_api.WatchMediaResponse]:
        asset = await self._own(request.media_id, call.user.user_id)
        stream = self._assets.WatchAsset(assets_pb2.WatchAssetRequest(asset_id=asset.asset_id))
        async with contextlib.aclosing(self._guard.run(call.user, stream, self)) as messages:
            async for message in messages:
                yield message

    async def recheck(self) -> tuple[Sequence[media_api.WatchMediaResponse], bool]:
        return (), True  # a medium's owner never changes

    async def show(self, message: assets_pb2.WatchAssetResponse) -> media_api.WatchMediaResponse:
        if message.HasField("asset"):
            return media_api.WatchMediaResponse(media=await self._media(message.asset))
        return media_api.WatchMediaResponse(heartbeat=not message.end_reason, end_reason=message.end_reason)

    def end(self, why: End) -> media_api.WatchMediaResponse:
        return media_api.WatchMediaResponse(end_reason=why)

    async def _own(self, text: str, caller_id: int) -> assets_pb2.Asset:
        """A medium of the caller's own. Others see media through the posts that show them."""
        media_id = ids.parse(text)
        if media_id is None:
            raise _not_found(text)
        answer = await self._assets.BatchGetAssets(assets_pb2.BatchGetAssetsRequest(asset_ids=[media_id]))
        if not answer.assets or answer.assets[0].owner_id != caller_id:
            raise _not_found(text)
        asset: assets_pb2.Asset = answer.assets[0]
        return asset

    async def _media(self, asset: assets_pb2.Asset) -> resources_pb2.Media:
        owner = (await self._facts.people([asset.owner_id]))[asset.owner_id].user
        return self._presenter.media(asset, owner, asset.owner_id)


def _not_found(text: str) -> Problem:
    return not_found("MEDIA_NOT_FOUND", f"there is no medium {text} of yours")
