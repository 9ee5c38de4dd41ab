"""The public API through two doors, REST and gRPC, as calls that say whether they were acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

import grpc
import httpx
from google.api import httpbody_pb2
from google.protobuf.json_format import MessageToDict
from grpc_status import rpc_status
from tintype.edge.v1 import engagement_pb2, graph_pb2, posts_pb2, uploads_pb2

from cli.client import Client
from mesh.errors import Problem
from mesh.rpc.status import from_status
from tests.mesh.mesh_client import Person

TRY_S = 8.0
"""How long one try waits for its answer: longer than the services allow themselves."""
_UPLOAD_S = 40.0
_JPEG = {"content-type": "image/jpeg"}


class NotAcknowledged(Exception):
    """It may have happened or not. ``reason`` is the ErrorInfo's; empty where nothing answered at all."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class Door(Protocol):
    """The writes of the load; each answers the resource in its JSON form, or raises NotAcknowledged."""

    async def upload(self, who: Person, request_id: str, content: bytes) -> Any: ...
    async def post(self, who: Person, request_id: str, media_id: str, caption: str) -> Any: ...
    async def follow(self, who: Person, whom: Person) -> Any: ...
    async def like(self, who: Person, post_id: str, liked: bool) -> Any: ...
    async def comment(self, who: Person, request_id: str, post_id: str, text: str) -> Any: ...


class RestDoor:
    """REST."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def upload(self, who: Person, request_id: str, content: bytes) -> Any:
        path = f"/v1/media:upload?requestId={request_id}"
        return (await self._call(who, "POST", path, content=content, headers=_JPEG, timeout=_UPLOAD_S))["media"]

    async def post(self, who: Person, request_id: str, media_id: str, caption: str) -> Any:
        body = {"requestId": request_id, "mediaIds": [media_id], "caption": caption}
        return (await self._call(who, "POST", "/v1/posts", json=body))["post"]

    async def follow(self, who: Person, whom: Person) -> Any:
        return (await self._call(who, "PUT", f"/v1/me/following/{whom.user_id}"))["viewer"]

    async def like(self, who: Person, post_id: str, liked: bool) -> Any:
        return (await self._call(who, "PUT" if liked else "DELETE", f"/v1/posts/{post_id}/like"))["post"]

    async def comment(self, who: Person, request_id: str, post_id: str, text: str) -> Any:
        body = {"requestId": request_id, "text": text}
        return (await self._call(who, "POST", f"/v1/posts/{post_id}/comments", json=body))["comment"]

    async def _call(self, who: Person, verb: str, path: str, **more: Any) -> Any:
        headers = {**who.bearer, **more.pop("headers", {})}
        try:
            answer = await self._http.request(verb, path, headers=headers, **{"timeout": TRY_S, **more})
        except httpx.TransportError as error:
            raise NotAcknowledged("", repr(error)) from None
        if answer.status_code == 200:
            return answer.json()
        reasons = [detail["reason"] for detail in answer.json()["details"] if "reason" in detail]
        raise NotAcknowledged(reasons[0], f"{answer.status_code} {verb} {path}: {answer.json()['message']}")


class GrpcDoor:
    """gRPC."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def upload(self, who: Person, request_id: str, content: bytes) -> Any:
        messages = upload_messages(request_id, content)
        call = self._client.uploads.Upload(messages, timeout=_UPLOAD_S, metadata=who.metadata)
        return (await self._told(call))["media"]

    async def post(self, who: Person, request_id: str, media_id: str, caption: str) -> Any:
        request = posts_pb2.CreatePostRequest(request_id=request_id, media_ids=[media_id], caption=caption)
        return (await self._call(who, self._client.posts.CreatePost, request))["post"]

    async def follow(self, who: Person, whom: Person) -> Any:
        request = graph_pb2.FollowRequest(user=whom.user_id)
        return (await self._call(who, self._client.graph.Follow, request))["viewer"]

    async def like(self, who: Person, post_id: str, liked: bool) -> Any:
        engagement = self._client.engagement
        if liked:
            answer = await self._call(who, engagement.LikePost, engagement_pb2.LikePostRequest(post_id=post_id))
        else:
            answer = await self._call(who, engagement.UnlikePost, engagement_pb2.UnlikePostRequest(post_id=post_id))
        return answer["post"]

    async def comment(self, who: Person, request_id: str, post_id: str, text: str) -> Any:
        request = engagement_pb2.CreateCommentRequest(post_id=post_id, request_id=request_id, text=text)
        return (await self._call(who, self._client.engagement.CreateComment, request))["comment"]

    async def _call(self, who: Person, method: Any, request: Any) -> Any:
        return await self._told(method(request, timeout=TRY_S, metadata=who.metadata))

    async def _told(self, call: Any) -> Any:
        try:
            return MessageToDict(await call, always_print_fields_with_no_presence=True)
        except grpc.aio.AioRpcError as error:
            problem = _problem(error)
            raise NotAcknowledged(problem.reason if problem else "", str(problem or error.details())) from None


async def upload_messages(request_id: str, content: bytes) -> AsyncIterator[Any]:
    """A small photo as gRPC sends it."""
    yield uploads_pb2.UploadRequest(request_id=request_id, content=httpbody_pb2.HttpBody(data=content))


def _problem(error: grpc.aio.AioRpcError) -> Problem | None:
    """What an answer says went wrong; None where there was no answer."""
    status = rpc_status.from_call(error)
    return from_status(status) if status else None
