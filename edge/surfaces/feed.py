"""FeedService: home."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tintype.edge.v1 import feed_pb2
from tintype.timeline.v1 import timeline_pb2

from edge import pages
from edge.facts import Facts, SeenPost
from edge.mesh import Mesh
from edge.present import Presenter
from edge.visibility import Surface
from mesh.paging import PageTokens
from mesh.rpc.call import Call


class FeedServer:
    """FeedService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, tokens: PageTokens) -> None:
        self._timeline = mesh.timeline
        self._facts = facts
        self._presenter = presenter
        self._tokens = tokens

    async def GetFeed(self, request: Any, call: Call) -> Any:
        viewer_id = call.user.user_id
        binding = ("feed", viewer_id)
        cursor = self._tokens.open(request.page_token, *binding)

        async def rules(post_ids: Sequence[int]) -> list[SeenPost]:
            return await self._facts.posts(viewer_id, post_ids, Surface.UNASKED)

        seen, following = await pages.fill(self._skeleton, rules, cursor, pages.size(request.page_size))
        items = [self._item(viewer_id, post) for post in seen]
        return feed_pb2.GetFeedResponse(items=items, next_page_token=self._tokens.sign(following, *binding))

    async def _skeleton(self, cursor: bytes, count: int) -> tuple[list[int], bytes]:
        request = timeline_pb2.GetHomeRequest(page_size=count, before_post_id=pages.to_id(cursor))
        answer = await self._timeline.GetHome(request)
        return [ref.post_id for ref in answer.posts], pages.from_id(answer.next_before_post_id)

    def _item(self, viewer_id: int, seen: SeenPost) -> Any:
        own = seen.post.author_id == viewer_id
        text = "Your own post" if own else f"You follow {seen.author.user.username}"
        reason = feed_pb2.Reason(kind="OWN" if own else "FOLLOWING", text=text, weight=1.0)
        return feed_pb2.FeedItem(post=self._presenter.post(viewer_id, seen), reasons=[reason])
