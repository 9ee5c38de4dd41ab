"""The gRPC face of the timeline."""

from __future__ import annotations

from tintype.timeline.v1 import timeline_pb2 as pb

from mesh.rpc.call import Call
from services.timeline.author_store import AuthorStore
from services.timeline.home import Home
from services.timeline.model import Page, Ref


class TimelineServer:
    """tintype.timeline.v1.TimelineService."""

    def __init__(self, home: Home, authors: AuthorStore) -> None:
        self._home, self._authors = home, authors

    async def GetHome(self, request: pb.GetHomeRequest, call: Call) -> pb.GetHomeResponse:
        page = await self._home.page(call.user.user_id, request.before_post_id, request.page_size)
        return pb.GetHomeResponse(posts=_posts(page), next_before_post_id=page.next_before)

    async def ListAuthorPosts(self, request: pb.ListAuthorPostsRequest, call: Call) -> pb.ListAuthorPostsResponse:
        author, size = request.author_id, request.page_size
        posts = await self._authors.posts(author, request.before_post_id, size)
        page = Page([Ref(post, author) for post in posts], posts[-1] if len(posts) == size else 0)
        return pb.ListAuthorPostsResponse(posts=_posts(page), next_before_post_id=page.next_before)

    async def BatchGetPostCounts(
        self, request: pb.BatchGetPostCountsRequest, call: Call
    ) -> pb.BatchGetPostCountsResponse:
        counts = await self._authors.post_counts(list(request.author_ids))
        return pb.BatchGetPostCountsResponse(post_counts=counts)


def _posts(page: Page) -> list[pb.PostRef]:
    if not page.pulled:
        return [pb.PostRef(post_id=post, author_id=author) for post, author in page.refs]
    return [pb.PostRef(post_id=post, author_id=author, pulled=post in page.pulled) for post, author in page.refs]
