"""Looks images up at the media service."""

from __future__ import annotations

from tintype.media.v1 import assets_pb2, assets_pb2_grpc

from services.accounts.profiles import Assets, AvatarAsset


def assets_of(media: assets_pb2_grpc.AssetsServiceStub) -> Assets:
    """The lookup, over a stub. It raises Problem where media does not answer."""

    async def look_up(asset_id: int) -> AvatarAsset | None:
        answer = await media.BatchGetAssets(assets_pb2.BatchGetAssetsRequest(asset_ids=[asset_id]))
        for asset in answer.assets:
            return AvatarAsset(asset.owner_id, asset.state == assets_pb2.ASSET_STATE_READY)
        return None

    return look_up
