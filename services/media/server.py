"""The gRPC services: messages to domain values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from tintype.media.v1 import assets_pb2, posts_pb2

from mesh.errors import Problem, invalid
from mesh.rpc.call import Call
from services.media.assets import Assets
from services.media.messages import asset_message, audience_of, place_of, post_message, restriction_of
from services.media.model import Draft, Post
from services.media.posts import Posts
from services.media.uploads import Offer, Uploads

_DEFAULT_PAGE = 100
_PATHS: dict[str, Callable[[posts_pb2.Post], Any]] = {
    "caption": lambda post: post.caption,
    "place": lambda post: place_of(post.place) if post.HasField("place") else None,
    "audience": lambda post: audience_of(post.audience),
    "comments_disabled": lambda post: post.comments_disabled,
    "archived": lambda post: post.archived,
}
"""What UpdatePost may change, and the value that a request gives it."""


class AssetsServer:
    """tintype.media.v1.AssetsService."""

    def __init__(self, uploads: Uploads, assets: Assets[assets_pb2.Asset]) -> None:
        self._uploads = uploads
        self._assets = assets

    async def Upload(self, requests: AsyncIterator[assets_pb2.UploadRequest], call: Call) -> assets_pb2.UploadResponse:
        first = await anext(aiter(requests), None)
        if first is None:
            raise _nothing_came()
        offer = Offer(call.user.user_id, first.request_id, first.filename, first.size_bytes)
        asset = await self._uploads.upload(offer, _chunks(first.chunk, requests))
        return assets_pb2.UploadResponse(asset=asset_message(asset))

    async def BatchGetAssets(
        self, request: assets_pb2.BatchGetAssetsRequest, call: Call
    ) -> assets_pb2.BatchGetAssetsResponse:
        found = await self._assets.read(request.asset_ids)
        return assets_pb2.BatchGetAssetsResponse(assets=[known.message for known in found])

    async def WatchAsset(
        self, request: assets_pb2.WatchAssetRequest, call: Call
    ) -> AsyncIterator[assets_pb2.WatchAssetResponse]:
        async with aclosing(self._assets.watch(request.asset_id, call.closing)) as stream:
            async for told in stream:
                yield assets_pb2.WatchAssetResponse(asset=told.item, end_reason=told.end)


class PostsServer:
    """tintype.media.v1.PostsService."""

    def __init__(self, posts: Posts[assets_pb2.Asset]) -> None:
        self._posts = posts

    async def CreatePost(self, request: posts_pb2.CreatePostRequest, call: Call) -> posts_pb2.CreatePostResponse:
        post = await self._posts.create(call.user.user_id, request.request_id, _draft(request))
        return posts_pb2.CreatePostResponse(post=await self._message(post))

    async def BatchGetPosts(self, request: posts_pb2.BatchGetPostsRequest, call: Call) -> bytes:
        return b"".join(await self._posts.read(request.post_ids))

    async def UpdatePost(self, request: posts_pb2.UpdatePostRequest, call: Call) -> posts_pb2.UpdatePostResponse:
        post = await self._posts.update(call.user.user_id, request.post.post_id, _changes(request))
        return posts_pb2.UpdatePostResponse(post=await self._message(post))

    async def DeletePost(self, request: posts_pb2.DeletePostRequest, call: Call) -> posts_pb2.DeletePostResponse:
        await self._posts.delete(call.user.user_id, request.post_id)
        return posts_pb2.DeletePostResponse()

    async def SetRestriction(
        self, request: posts_pb2.SetRestrictionRequest, call: Call
    ) -> posts_pb2.SetRestrictionResponse:
        post = await self._posts.restrict(request.post_id, restriction_of(request.restriction), request.holds)
        return posts_pb2.SetRestrictionResponse(post=await self._message(post))

    async def ListPosts(self, request: posts_pb2.ListPostsRequest, call: Call) -> posts_pb2.ListPostsResponse:
        posts, goes_on = await self._posts.page(request.after_post_id, request.page_size or _DEFAULT_PAGE)
        messages = [post_message(post, assets) for post, assets in posts]
        return posts_pb2.ListPostsResponse(posts=messages, next_after_post_id=goes_on)

    async def _message(self, post: Post) -> posts_pb2.Post:
        return post_message(post, await self._posts.assets_of(post))


def _draft(request: posts_pb2.CreatePostRequest) -> Draft:
    return Draft(
        asset_ids=tuple(request.asset_ids),
        caption=request.caption,
        place=place_of(request.place) if request.HasField("place") else None,
        audience=audience_of(request.audience),
        comments_disabled=request.comments_disabled,
    )


def _changes(request: posts_pb2.UpdatePostRequest) -> dict[str, Any]:
    if unknown := [path for path in request.paths if path not in _PATHS]:
        known = ", ".join(_PATHS)
        raise invalid("paths", f"names {unknown[0]!r}, which cannot be changed: {known} can", "INVALID_FIELD_MASK")
    return {path: _PATHS[path](request.post) for path in request.paths}


async def _chunks(first: bytes, requests: AsyncIterator[assets_pb2.UploadRequest]) -> AsyncIterator[bytes]:
    yield first
    async for request in requests:
        yield request.chunk


def _nothing_came() -> Problem:
    return invalid(
        "request_id", "the stream was empty: begin with a message that describes the file", "UPLOAD_INCOMPLETE"
    )
