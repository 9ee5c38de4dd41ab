"""LiveService: likes and comments as they happen, for as long as the viewer may see them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from tintype.edge.v1 import live_pb2 as api
from tintype.edge.v1 import resources_pb2
from tintype.engagement.v1 import engagement_pb2

from edge.facts import Facts, post_not_found
from edge.facts.facets import counts_part
from edge.mesh import Mesh
from edge.present import Presenter
from mesh import ids
from mesh.live import End, Guard
from mesh.rpc.call import Call

_KINDS = api.WatchPostsResponse


class LiveServer:
    """LiveService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, guard: Guard) -> None:
        self._engagement = mesh.engagement
        self._facts = facts
        self._presenter = presenter
        self._guard = guard

    async def WatchPosts(self, request: api.WatchPostsRequest, call: Call) -> AsyncIterator[api.WatchPostsResponse]:
        post_ids = [post_id for text in request.post_ids if (post_id := ids.parse(text))]
        view = _Posts(self._facts, self._presenter, call.user.user_id, request.cursor)
        await view.look(post_ids)
        if not view.watched:
            raise post_not_found(", ".join(request.post_ids))
        upstream = self._engagement.WatchPosts(
            engagement_pb2.WatchPostsRequest(post_ids=sorted(view.watched), cursor=request.cursor)
        )
        async with contextlib.aclosing(self._guard.run(call.user, upstream, view)) as messages:
            async for message in messages:
                yield message


class _Posts:
    """The posts of one stream as their viewer sees them: a View. ``watched`` holds the newest counts of each, which
    every message about it carries."""

    def __init__(self, facts: Facts, presenter: Presenter, viewer_id: int, cursor: str) -> None:
        self._facts, self._presenter, self._viewer_id = facts, presenter, viewer_id
        self._cursor = cursor
        self.watched: dict[int, resources_pb2.Post] = {}

    async def look(self, post_ids: Sequence[int]) -> None:
        """Watch those that the viewer may see."""
        seen = await self._facts.posts(self._viewer_id, post_ids)
        self.watched = {each.post.post_id: resources_pb2.Post.FromString(each.facets) for each in seen}

    async def recheck(self) -> tuple[list[api.WatchPostsResponse], bool]:
        before = sorted(self.watched)
        await self.look(before)
        lost = [post_id for post_id in before if post_id not in self.watched]
        return [_KINDS(post_id=str(post_id), kind=_KINDS.DELETED) for post_id in lost], bool(self.watched)

    async def show(self, message: engagement_pb2.WatchPostsResponse) -> api.WatchPostsResponse | None:
        self._cursor = message.cursor
        match message.WhichOneof("event"):
            case "heartbeat":
                return _KINDS(kind=_KINDS.HEARTBEAT, cursor=message.cursor)
            case "end":
                return _KINDS(kind=_KINDS.END, cursor=message.cursor, end_reason=message.end_reason)
        return await self._change(message) if message.post_id in self.watched else None

    def end(self, why: End) -> api.WatchPostsResponse:
        return _KINDS(kind=_KINDS.END, cursor=self._cursor, end_reason=why)

    async def _change(self, message: engagement_pb2.WatchPostsResponse) -> api.WatchPostsResponse | None:
        """A change of a watched post, or None where it is somebody's whom this viewer may not see."""
        event = message.WhichOneof("event")
        if event == "counts":
            self.watched[message.post_id] = resources_pb2.Post.FromString(counts_part(message.counts))
        counts = self.watched[message.post_id]
        shown = _KINDS(
            post_id=str(message.post_id),
            cursor=message.cursor,
            like_count=counts.like_count,
            comment_count=counts.comment_count,
        )
        if event == "counts":
            shown.kind = _KINDS.LIKES
        elif event == "comment":
            people = await self._facts.visible(self._viewer_id, [message.comment.author_id])
            author = people.get(message.comment.author_id)
            if author is None:
                return None
            shown.kind = _KINDS.COMMENT
            shown.comment.CopyFrom(self._presenter.comment(message.comment, author))
        else:
            shown.kind = _KINDS.DELETED
            shown.comment.comment_id = str(message.deleted_comment_id)
        return shown
