"""An avatar is a ready image of one's own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from tintype.media.v1 import assets_pb2, assets_pb2_grpc

from mesh.clock import FakeClock
from mesh.errors import Problem
from mesh.testing.harness import running
from services.accounts import module as accounts_module
from services.media import module as media_module
from stack.redis import RedisServer
from stack.s3 import S3Server
from tests.accounts.accounts_client import Accounts


async def _upload(accounts: Accounts, user_id: int) -> int:
    image = io.BytesIO()
    Image.new("RGB", (200, 100), "orange").save(image, "JPEG")

    async def chunks():
        yield assets_pb2.UploadRequest(content_type="image/jpeg", chunk=image.getvalue())

    with accounts.mesh.user(user_id):
        answer = await accounts.mesh.stub(assets_pb2_grpc.AssetsServiceStub).Upload(chunks())
    return int(answer.asset.asset_id)


async def test_an_avatar_is_a_ready_image_of_ones_own(
    tmp_path: Path, own_redis: RedisServer, s3: S3Server, clock: FakeClock
) -> None:
    modules = [accounts_module.MODULE, media_module.MODULE]
    flags = {"accounts.argon2_memory_kib": "8", "accounts.argon2_passes": "1"}
    state = tmp_path / "state"
    async with running(modules, state, redis_url=own_redis.url, s3=s3, clock=clock, flags=flags) as mesh:
        accounts = Accounts(mesh, clock)
        ana = (await accounts.register("ana")).account.user.user_id
        ben = (await accounts.register("ben")).account.user.user_id
        asset_id = await _upload(accounts, ana)
        await mesh.settle()
        for who, wanted in ((ben, asset_id), (ana, 12345), (ana, -1)):
            with pytest.raises(Problem) as refused:
                await accounts.update(who, avatar_asset_id=wanted)
            assert refused.value.reason == "MEDIA_NOT_FOUND"
        changed = (await accounts.update(ana, avatar_asset_id=asset_id)).account.user
        assert changed.avatar_asset_id == asset_id
        assert (await accounts.user(ana)).avatar_asset_id == asset_id
        assert (await accounts.update(ana, "avatar_asset_id")).account.user.avatar_asset_id == 0
