"""A media service on real servers, shared by the tests of a file; each test is a user of its own."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tintype.events.v1.media_pb2 import AssetProcessed, AssetUploaded, PostChanged
from tintype.media.v1 import assets_pb2, posts_pb2
from tintype.media.v1.assets_pb2_grpc import AssetsServiceStub
from tintype.media.v1.posts_pb2_grpc import PostsServiceStub
from tintype.type.v1 import content_pb2

from mesh.blobs.contract import BlobStore
from mesh.clock import Clock
from mesh.testing.harness import Harness, running
from services.media.module import MODULE
from stack.ports import free_port
from stack.redis import RedisServer, redis_server
from stack.s3 import S3Server
from tests.media.imaging_sources import encoded, quadrants
from tests.neighbours.listener import listener

PHOTO = encoded(quadrants())
_users = itertools.count(1000)


@dataclass
class Media:
    """A running media service and what its subscribers heard."""

    harness: Harness
    heard: list[Any] = field(default_factory=list)

    @property
    def blobs(self) -> BlobStore:
        return self.harness.process.blobs

    async def upload(self, user: int, *chunks: bytes, **fields: Any) -> assets_pb2.Asset:
        """Upload chunks, or a photo; the fields go into the first message."""

        async def requests() -> AsyncIterator[assets_pb2.UploadRequest]:
            yield assets_pb2.UploadRequest(**fields)
            for chunk in chunks or (PHOTO,):
                yield assets_pb2.UploadRequest(chunk=chunk)

        return await self.stream(user, requests())

    async def stream(self, user: int, requests: AsyncIterator[assets_pb2.UploadRequest]) -> assets_pb2.Asset:
        with self.harness.user(user):
            return (await self.harness.stub(AssetsServiceStub).Upload(requests)).asset

    async def ready(self, user: int, **fields: Any) -> int:
        """The id of an uploaded and processed photo."""
        asset = await self.upload(user, **fields)
        await self.harness.settle()
        return int(asset.asset_id)

    async def asset(self, asset_id: int) -> assets_pb2.Asset:
        request = assets_pb2.BatchGetAssetsRequest(asset_ids=[asset_id])
        (asset,) = (await self.harness.stub(AssetsServiceStub).BatchGetAssets(request)).assets
        return asset

    def watch(self, asset_id: int) -> AsyncIterator[assets_pb2.WatchAssetResponse]:
        request = assets_pb2.WatchAssetRequest(asset_id=asset_id)
        stream: AsyncIterator[assets_pb2.WatchAssetResponse] = self.harness.stub(AssetsServiceStub).WatchAsset(request)
        return stream

    async def create(self, user: int, *asset_ids: int, **fields: Any) -> posts_pb2.Post:
        request = posts_pb2.CreatePostRequest(asset_ids=asset_ids, **fields)
        with self.harness.user(user):
            return (await self.harness.stub(PostsServiceStub).CreatePost(request)).post

    async def update(self, user: int, post_id: int, *paths: str, **fields: Any) -> posts_pb2.Post:
        request = posts_pb2.UpdatePostRequest(post=posts_pb2.Post(post_id=post_id, **fields), paths=paths or fields)
        with self.harness.user(user):
            return (await self.harness.stub(PostsServiceStub).UpdatePost(request)).post

    async def delete(self, user: int, post_id: int) -> None:
        with self.harness.user(user):
            await self.harness.stub(PostsServiceStub).DeletePost(posts_pb2.DeletePostRequest(post_id=post_id))

    async def restrict(self, post_id: int, holds: bool) -> posts_pb2.Post:
        """Remove a post, or restore it."""
        kind = content_pb2.RESTRICTION_REMOVED
        request = posts_pb2.SetRestrictionRequest(post_id=post_id, restriction=kind, holds=holds)
        return (await self.harness.stub(PostsServiceStub).SetRestriction(request)).post

    async def posts(self, *post_ids: int) -> list[posts_pb2.Post]:
        request = posts_pb2.BatchGetPostsRequest(post_ids=post_ids)
        return list((await self.harness.stub(PostsServiceStub).BatchGetPosts(request)).posts)

    async def listed(self, page_size: int = 0, after: int = 0) -> posts_pb2.ListPostsResponse:
        request = posts_pb2.ListPostsRequest(page_size=page_size, after_post_id=after)
        return await self.harness.stub(PostsServiceStub).ListPosts(request)

    async def events_of(self, kind: type[Any], **fields: int) -> list[Any]:
        """What subscribers were told, once all has been told."""
        await self.harness.settle()
        return [
            message
            for message in self.heard
            if isinstance(message, kind) and all(getattr(message, name) == value for name, value in fields.items())
        ]

    async def keys(self, folder: str) -> set[str]:
        return {blob.key for blob in await self.blobs.list_blobs(folder + "/", 1000)}

    async def leftovers(self) -> tuple[set[str], set[str]]:
        """Keys of the originals in the store, and of uploads by parts that are under way."""
        client: Any = self.blobs._client._minio  # type: ignore[attr-defined]  # the contract asks by key only
        bucket = self.harness.process.settings.blobs.bucket
        page = await asyncio.to_thread(client._list_multipart_uploads, bucket)
        return await self.keys("originals"), {upload.object_name for upload in page.uploads}


@asynccontextmanager
async def serving(
    directory: Path,
    redis: RedisServer,
    s3: S3Server,
    clock: Clock | None = None,
    **flags: str,
) -> AsyncIterator[Media]:
    heard: list[Any] = []
    modules = [MODULE, listener("media", heard, AssetUploaded, AssetProcessed, PostChanged)]
    bucket = f"media-{secrets.token_hex(6)}"
    settings = {
        "media.image_processes": "1",
        "blobs.bucket": bucket,
        **{name.replace("__", "."): value for name, value in flags.items()},
    }
    async with running(modules, directory, redis_url=redis.url, s3=s3, clock=clock, flags=settings) as harness:
        yield Media(harness, heard)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def media(tmp_path_factory: pytest.TempPathFactory, s3: S3Server) -> AsyncIterator[Media]:
    limits = {"media__max_upload_bytes": str(12 * 1024 * 1024), "media__heartbeat_seconds": "0.2"}
    directory = tmp_path_factory.mktemp("media")
    redis = redis_server(directory / "redis", free_port())
    await redis.process.start()
    async with serving(directory, redis, s3, **limits) as media:
        yield media
    await redis.process.stop()


@pytest.fixture
def user() -> int:
    return next(_users)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Poll until it holds; bounded."""
    for _ in range(500):
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the condition never came true")
