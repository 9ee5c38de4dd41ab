"""Both ways to the store: through the media service over gRPC, and straight by one PUT."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import urllib3
from minio import Minio
from tintype.media.v1 import assets_pb2
from tintype.media.v1.assets_pb2_grpc import AssetsServiceStub

from mesh import config
from mesh.auth import tokens
from mesh.auth.keys import KeyRing
from mesh.auth.peers import PeerTokens
from mesh.clock import SystemClock
from mesh.rpc.call import Call, current
from mesh.rpc.chain import Chain
from mesh.rpc.channels import Channels
from mesh.rpc.server import Registry
from stack.s3 import S3Server

CHUNK_BYTES = 256 * 1024
_HOUR_MS = 3_600_000


class ThroughService:
    """Uploads as the edge does: a peer of the mesh, with a user behind the call."""

    def __init__(self, state: Path, port: int) -> None:
        clock = SystemClock()
        settings = config.load({}, flags={"state_dir": str(state)})
        peers = PeerTokens(settings.derived_key("mesh").hex(), "edge", clock)
        registry = Registry(Chain([], lambda _: None))
        self._channels = Channels("edge", registry, {"media": f"127.0.0.1:{port}"}, peers)
        keys = KeyRing(settings.keys_dir, clock, rotate_ms=24 * _HOUR_MS, overlap_ms=0)
        keys.refresh()
        token = tokens.sign(
            keys,
            user_id=7,
            session_id=1,
            scopes=frozenset({"write"}),
            roles=frozenset(),
            now_ms=clock.now_ms(),
            life_ms=_HOUR_MS,
        )
        current.set(Call(None, {"authorization": f"Bearer {token}"}, None, registry.closing))  # type: ignore[arg-type]
        self._stub = self._channels.stub(AssetsServiceStub)

    async def upload(self, content: bytes) -> tuple[float, int]:
        """Seconds until the upload was acknowledged, and the asset's id."""
        started = time.perf_counter()
        answer = await self._stub.Upload(_requests(content))
        return time.perf_counter() - started, answer.asset.asset_id

    async def processed(self, asset_id: int) -> None:
        """Wait until the worker is done, so that it does not disturb the next measurement."""
        async for _ in self._stub.WatchAsset(assets_pb2.WatchAssetRequest(asset_id=asset_id)):
            pass

    async def close(self) -> None:
        await self._channels.close()


class StraightToStore:
    """One presigned PUT, its payload not even hashed: the fastest way into the same bucket."""

    def __init__(self, s3: S3Server, bucket: str) -> None:
        address = s3.url.removeprefix("http://")
        self._minio = Minio(address, s3.access_key, s3.secret_key, secure=False, region=s3.region)
        self._bucket = bucket
        self._http = urllib3.PoolManager(retries=False)
        self._count = 0

    def put(self, content: bytes) -> float:
        """Seconds until the object was stored."""
        self._count += 1
        url = self._minio.presigned_put_object(self._bucket, f"plain/{self._count}", timedelta(minutes=10))
        started = time.perf_counter()
        answer = self._http.request("PUT", url, body=content)
        seconds = time.perf_counter() - started
        if answer.status != 200:
            raise RuntimeError(f"the store answered {answer.status}: {answer.data[:200]!r}")
        return seconds


async def _requests(content: bytes) -> AsyncIterator[assets_pb2.UploadRequest]:
    yield assets_pb2.UploadRequest(filename="photo.jpg", size_bytes=len(content))
    whole = memoryview(content)
    for start in range(0, len(content), CHUNK_BYTES):
        yield assets_pb2.UploadRequest(chunk=bytes(whole[start : start + CHUNK_BYTES]))
        await asyncio.sleep(0)
