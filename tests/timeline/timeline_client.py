"""The timeline as the edge uses it."""

from __future__ import annotations

from served_graph import Posts, ServedGraph
from tintype.timeline.v1 import timeline_pb2 as pb
from tintype.timeline.v1 import timeline_pb2_grpc

from mesh.testing.harness import Harness


class Client:
    """Readers, authors and what they see."""

    def __init__(self, mesh: Harness, graph: ServedGraph, posts: Posts) -> None:
        self.mesh, self.graph, self.posts = mesh, graph, posts
        self.stub = mesh.stub(timeline_pb2_grpc.TimelineServiceStub)

    async def page(self, reader: int, size: int = 20, before: int = 0) -> pb.GetHomeResponse:
        with self.mesh.user(reader):
            return await self.stub.GetHome(pb.GetHomeRequest(page_size=size, before_post_id=before))

    async def home(self, reader: int, size: int = 200) -> list[int]:
        """The whole feed, page by page."""
        found: list[int] = []
        before = 0
        while True:
            page = await self.page(reader, size, before)
            found += page.post_ids
            before = page.next_before_post_id
            if not before:
                return found

    async def authored(self, author: int, size: int = 200) -> list[int]:
        found: list[int] = []
        before = 0
        while True:
            request = pb.ListAuthorPostsRequest(author_id=author, page_size=size, before_post_id=before)
            page = await self.stub.ListAuthorPosts(request)
            found += page.post_ids
            before = page.next_before_post_id
            if not before:
                return found

    async def counts(self, *authors: int) -> list[int]:
        answer = await self.stub.BatchGetPostCounts(pb.BatchGetPostCountsRequest(author_ids=authors))
        return list(answer.post_counts)

    async def settle(self) -> None:
        await self.mesh.settle()
