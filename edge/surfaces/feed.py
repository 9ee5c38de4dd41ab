"""FeedService: home."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

from google.api import httpbody_pb2
from google.protobuf import json_format
from tintype.edge.v1 import feed_pb2
from tintype.timeline.v1 import timeline_pb2

from edge import pages, splice
from edge.facts import Facts, SeenPost
from edge.mesh import Mesh
from edge.present import Presenter
from edge.visibility import may_come_unasked
from mesh.paging import PageTokens
from mesh.rpc.call import Call

_ITEMS = feed_pb2.GetFeedResponse.ITEMS_FIELD_NUMBER
_POST = feed_pb2.FeedItem.POST_FIELD_NUMBER


class FeedServer:
    """FeedService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, tokens: PageTokens) -> None:
        self._timeline = mesh.timeline
        self._facts = facts
        self._presenter = presenter
        self._tokens = tokens

    async def GetFeed(self, request: feed_pb2.GetFeedRequest, call: Call) -> bytes:
        viewer_id = call.user.user_id
        seen, token = await self._page(request, viewer_id)
        items = [self._item(viewer_id, post) for post in seen]
        items.append(bytes(feed_pb2.GetFeedResponse(next_page_token=token).SerializeToString()))
        return b"".join(items)

    async def GetFeedJson(self, request: feed_pb2.GetFeedRequest, call: Call) -> httpbody_pb2.HttpBody:
        viewer_id = call.user.user_id
        seen, token = await self._page(request, viewer_id)
        items = ",".join([self._json_item(viewer_id, post) for post in seen])
        page = f'{{"items":[{items}],"nextPageToken":{json.dumps(token)}}}'
        return httpbody_pb2.HttpBody(content_type="application/json", data=page.encode())

    async def _page(self, request: feed_pb2.GetFeedRequest, viewer_id: int) -> tuple[list[SeenPost], str]:
        async def rules(post_ids: Sequence[int]) -> list[SeenPost]:
            return await self._facts.posts(viewer_id, post_ids, may_come_unasked)

        return await pages.read(self._tokens, request, ("feed", viewer_id), self._skeleton, rules)

    async def _skeleton(self, cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
        request = timeline_pb2.GetHomeRequest(page_size=count, before_post_id=pages.to_id(cursor))
        answer = await self._timeline.GetHome(request)
        return answer.post_ids, pages.from_id(answer.next_before_post_id)

    def _item(self, viewer_id: int, seen: SeenPost) -> bytes:
        """A FeedItem as an element of the page, serialised."""
        post = self._presenter.post_bytes(viewer_id, seen)
        return splice.field(_ITEMS, splice.field(_POST, post) + _reason(_whom(viewer_id, seen))[0])

    def _json_item(self, viewer_id: int, seen: SeenPost) -> str:
        """The same as JSON."""
        return f'{{"post":{self._presenter.post_json(viewer_id, seen)},{_reason(_whom(viewer_id, seen))[1]}}}'


def _whom(viewer_id: int, seen: SeenPost) -> str:
    """Whom the viewer follows, that the post is there; empty where it is their own."""
    return "" if seen.post.author_id == viewer_id else seen.author.user.username


@lru_cache(10_000)
def _reason(username: str) -> tuple[bytes, str]:
    """Why it is there, the rest of the FeedItem: serialised, and as members of its JSON."""
    kind, text = ("FOLLOWING", f"You follow {username}") if username else ("OWN", "Your own post")
    rest = feed_pb2.FeedItem(reasons=[feed_pb2.Reason(kind=kind, text=text, weight=1.0)])
    members = json.dumps(json_format.MessageToDict(rest), ensure_ascii=False, separators=(",", ":"))
    return bytes(rest.SerializeToString()), members[1:-1]
