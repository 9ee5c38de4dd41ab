"""PostService: publishing, reading, changing and deleting posts."""

from __future__ import annotations

from typing import cast

from tintype.edge.v1 import posts_pb2 as api
from tintype.edge.v1 import resources_pb2
from tintype.media.v1 import posts_pb2
from tintype.type.v1 import content_pb2

from edge.facts import Facts, post_not_found
from edge.mesh import Mesh
from edge.present import Presenter
from edge.surfaces import request_id
from mesh import ids
from mesh.errors import Problem, denied, invalid, not_found
from mesh.rpc.call import Call

_CHANGEABLE = ("caption", "place", "audience", "comments_disabled")


class PostServer:
    """PostService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter) -> None:
        self._posts = mesh.posts
        self._facts = facts
        self._presenter = presenter

    async def CreatePost(self, request: api.CreatePostRequest, call: Call) -> api.CreatePostResponse:
        create = posts_pb2.CreatePostRequest(
            request_id=request_id(request.request_id),
            asset_ids=[_media_id(text) for text in request.media_ids],
            caption=request.caption,
            place=_place(request),
            audience=_audience(request.audience) or content_pb2.AUDIENCE_EVERYONE,
            comments_disabled=request.comments_disabled,
        )
        answer = await self._posts.CreatePost(create)
        return api.CreatePostResponse(post=await self._written(answer.post))

    async def GetPost(self, request: api.GetPostRequest, call: Call) -> api.GetPostResponse:
        return api.GetPostResponse(post=await self._shown(call.user.user_id, _post_id(request.post_id)))

    async def UpdatePost(self, request: api.UpdatePostRequest, call: Call) -> api.UpdatePostResponse:
        post_id = await self._own(call, request.post_id)
        paths = list(request.update_mask.paths) or _given(request.post)
        for path in paths:
            if path not in _CHANGEABLE:
                expected = f"{path} cannot be changed; choose from {', '.join(_CHANGEABLE)}"
                raise invalid("update_mask", expected, "INVALID_FIELD_MASK")
        changed = posts_pb2.Post(
            post_id=post_id,
            caption=request.post.caption,
            place=_place(request.post),
            audience=_audience(request.post.audience),
            comments_disabled=request.post.comments_disabled,
        )
        answer = await self._posts.UpdatePost(posts_pb2.UpdatePostRequest(post=changed, paths=paths))
        return api.UpdatePostResponse(post=await self._written(answer.post))

    async def DeletePost(self, request: api.DeletePostRequest, call: Call) -> api.DeletePostResponse:
        post_id = _post_id(request.post_id)
        try:
            await self._posts.DeletePost(posts_pb2.DeletePostRequest(post_id=post_id))
        except Problem as problem:
            if problem.reason == "NOT_OWNER":  # whoever may not see it does not learn that it is there
                await self._facts.post(call.user.user_id, post_id)
            raise post_not_found(post_id) if problem.reason == "POST_NOT_FOUND" else problem from None
        return api.DeletePostResponse()

    async def ArchivePost(self, request: api.ArchivePostRequest, call: Call) -> api.ArchivePostResponse:
        return api.ArchivePostResponse(post=await self._archive(request, call, archived=True))

    async def UnarchivePost(self, request: api.UnarchivePostRequest, call: Call) -> api.UnarchivePostResponse:
        return api.UnarchivePostResponse(post=await self._archive(request, call, archived=False))

    async def _archive(
        self, request: api.ArchivePostRequest | api.UnarchivePostRequest, call: Call, *, archived: bool
    ) -> resources_pb2.Post:
        post_id = await self._own(call, request.post_id)
        changed = posts_pb2.Post(post_id=post_id, archived=archived)
        answer = await self._posts.UpdatePost(posts_pb2.UpdatePostRequest(post=changed, paths=["archived"]))
        return await self._written(answer.post)

    async def _own(self, call: Call, text: str) -> int:
        """The id of a post of the caller's own; a post they may see but not change answers NOT_OWNER."""
        seen = await self._facts.post(call.user.user_id, _post_id(text))
        if seen.post.author_id != call.user.user_id:
            raise denied("NOT_OWNER", "only its author may change a post")
        return int(seen.post.post_id)

    async def _written(self, post: posts_pb2.Post) -> resources_pb2.Post:
        """What the caller's write made of a post of theirs."""
        return self._presenter.post(post.author_id, await self._facts.own_post(post))

    async def _shown(self, viewer_id: int, post_id: int) -> resources_pb2.Post:
        return self._presenter.post(viewer_id, await self._facts.post(viewer_id, post_id))


def _post_id(text: str) -> int:
    post_id = ids.parse(text)
    if post_id is None:
        raise post_not_found(text)
    return post_id


def _media_id(text: str) -> int:
    media_id = ids.parse(text)
    if media_id is None:
        raise not_found("MEDIA_NOT_FOUND", f"there is no medium {text} of yours")
    return media_id


def _place(holder: api.CreatePostRequest | resources_pb2.Post) -> content_pb2.Place | None:
    if not holder.HasField("place"):
        return None
    given = holder.place
    place = content_pb2.Place(name=given.name)
    if given.HasField("latitude") != given.HasField("longitude"):
        raise invalid("place", "give latitude and longitude together, or neither")
    if given.HasField("latitude"):
        place.latitude, place.longitude = given.latitude, given.longitude
    return place


def _audience(given: resources_pb2.Audience) -> content_pb2.Audience:
    """The public audience as the services name it; the numbers are the same."""
    return cast(content_pb2.Audience, int(given))


def _given(post: resources_pb2.Post) -> list[str]:
    """Without a mask: every changeable field that is set (AIP-134)."""
    return [name for name in _CHANGEABLE if (post.audience if name == "audience" else post.HasField(name))]
