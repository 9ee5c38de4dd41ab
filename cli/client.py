"""A client of the public API over gRPC, for the command line and the demo world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from google.api import httpbody_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from tintype.edge.v1 import sessions_pb2, uploads_pb2
from tintype.edge.v1.accounts_pb2_grpc import AccountServiceStub
from tintype.edge.v1.engagement_pb2_grpc import EngagementServiceStub
from tintype.edge.v1.feed_pb2_grpc import FeedServiceStub
from tintype.edge.v1.graph_pb2_grpc import GraphServiceStub
from tintype.edge.v1.live_pb2_grpc import LiveServiceStub
from tintype.edge.v1.media_pb2_grpc import MediaServiceStub
from tintype.edge.v1.posts_pb2_grpc import PostServiceStub
from tintype.edge.v1.sessions_pb2_grpc import SessionServiceStub
from tintype.edge.v1.uploads_pb2_grpc import UploadServiceStub

CHUNK_BYTES = 256 * 1024
_TIMEOUT_S = 15.0


class Client:
    """One person's connection. ``target`` is the gateway's host:port. Use as ``async with``."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.aio.insecure_channel(target)
        self.accounts = AccountServiceStub(self._channel)
        self.sessions = SessionServiceStub(self._channel)
        self.feed = FeedServiceStub(self._channel)
        self.graph = GraphServiceStub(self._channel)
        self.posts = PostServiceStub(self._channel)
        self.media = MediaServiceStub(self._channel)
        self.uploads = UploadServiceStub(self._channel)
        self.engagement = EngagementServiceStub(self._channel)
        self.live = LiveServiceStub(self._channel)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()

    async def log_in(self, username: str, password: str) -> str:
        """An access token."""
        request = sessions_pb2.LogInRequest(username=username, password=password)
        answer = await self.sessions.LogIn(request, timeout=_TIMEOUT_S)
        return str(answer.session.access_token)

    async def call(self, method: Any, request: Any, token: str) -> Any:
        """One call as the token's owner, within 15 s."""
        return await method(request, timeout=_TIMEOUT_S, metadata=bearer(token))

    async def upload(self, chunks: AsyncIterator[bytes], filename: str, request_id: str, token: str) -> Any:
        """Stream one photo up; the medium as acknowledged."""

        async def messages() -> AsyncIterator[Any]:
            yield uploads_pb2.UploadRequest(request_id=request_id, filename=filename)
            async for chunk in chunks:
                yield uploads_pb2.UploadRequest(content=httpbody_pb2.HttpBody(data=chunk))

        answer = await self.uploads.Upload(messages(), timeout=120, metadata=bearer(token))
        return answer.media


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata that carries a token."""
    return (("authorization", f"Bearer {token}"),)


async def chunks_of(content: bytes) -> AsyncIterator[bytes]:
    """Content in chunks of 256 KiB."""
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


async def chunks_of_file(path: Path, seen: Any) -> AsyncIterator[bytes]:
    """A file in chunks of 256 KiB; ``seen`` is told how many bytes each had."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
            seen(len(chunk))


def explain_all(error: Exception) -> str:
    """The first cause of what went wrong side by side, as a person reads it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return explain(error) if isinstance(error, grpc.aio.AioRpcError) else repr(error)


def explain(error: grpc.aio.AioRpcError) -> str:
    """An error as a person reads it: its sentence and its reason."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return f"{status.message} ({info.reason})"
    return f"{error.details()} ({error.code().name})"
