"""FeedService: home."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from tintype.edge.v1 import feed_pb2
from tintype.timeline.v1 import timeline_pb2

from edge import pages, splice
from edge.facts import Facts, SeenPost
from edge.mesh import Mesh
from edge.present import Presenter, keep
from edge.visibility import Surface
from mesh.paging import PageTokens
from mesh.rpc.call import Call

_ITEMS = feed_pb2.GetFeedResponse.ITEMS_FIELD_NUMBER
_POST = feed_pb2.FeedItem.POST_FIELD_NUMBER
_PAGES = 1_000
"""Serialised pages kept, each for as long as what it shows is the very same; about 13 kB each."""


class FeedServer:
    """FeedService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, tokens: PageTokens) -> None:
        self._timeline = mesh.timeline
        self._facts = facts
        self._presenter = presenter
        self._tokens = tokens
        self._pages: dict[tuple[object, ...], bytes] = {}

    async def GetFeed(self, request: Any, call: Call) -> Any:
        viewer_id = call.user.user_id
        binding = ("feed", viewer_id)
        cursor = self._tokens.open(request.page_token, *binding)

        async def rules(post_ids: Sequence[int]) -> list[SeenPost]:
            return await self._facts.posts(viewer_id, post_ids, Surface.UNASKED)

        seen, following = await pages.fill(self._skeleton, rules, cursor, pages.size(request.page_size))
        shown = (viewer_id, following, *seen)
        page = self._pages.get(shown)
        if page is None:
            token = self._tokens.sign(following, *binding)
            items = [self._item(viewer_id, post) for post in seen]
            page = b"".join(items) + feed_pb2.GetFeedResponse(next_page_token=token).SerializeToString()
            keep(self._pages, shown, page, _PAGES)
        return page

    async def _skeleton(self, cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
        request = timeline_pb2.GetHomeRequest(page_size=count, before_post_id=pages.to_id(cursor))
        answer = await self._timeline.GetHome(request)
        return answer.post_ids, pages.from_id(answer.next_before_post_id)

    def _item(self, viewer_id: int, seen: SeenPost) -> bytes:
        """A FeedItem as an element of the page, serialised."""
        username = "" if seen.post.author_id == viewer_id else seen.author.user.username
        post = self._presenter.post_bytes(viewer_id, seen)
        return splice.field(_ITEMS, splice.field(_POST, post) + _reason(username))


@lru_cache(10_000)
def _reason(username: str) -> bytes:
    """Why it is there: the rest of the FeedItem."""
    kind, text = ("FOLLOWING", f"You follow {username}") if username else ("OWN", "Your own post")
    reason = feed_pb2.Reason(kind=kind, text=text, weight=1.0)
    return bytes(feed_pb2.FeedItem(reasons=[reason]).SerializeToString())
