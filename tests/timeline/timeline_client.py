"""The timeline as the edge uses it."""

from __future__ import annotations

from tintype.timeline.v1 import timeline_pb2 as pb
from tintype.timeline.v1 import timeline_pb2_grpc

from mesh.storage import open_store
from mesh.testing.harness import Harness
from services.timeline.home_store import HomeStore
from services.timeline.schema import activity_table, home_table
from tests.neighbours.served_graph import Posts, ServedGraph


class Client:
    """Readers, authors and what they see."""

    def __init__(self, mesh: Harness, graph: ServedGraph, posts: Posts) -> None:
        self.mesh, self.graph, self.posts = mesh, graph, posts
        self.stub = mesh.stub(timeline_pb2_grpc.TimelineServiceStub)

    async def page(self, reader: int, size: int = 20, before: int = 0) -> pb.GetHomeResponse:
        with self.mesh.user(reader):
            return await self.stub.GetHome(pb.GetHomeRequest(page_size=size, before_post_id=before))

    async def pulled(self, reader: int, size: int = 20) -> list[int]:
        """Posts of the first page that are not in the reader's own table: pulled from their authors."""
        page = await self.page(reader, size)
        process = self.mesh.process
        store = await open_store(process.settings.storage_url, "timeline", process.clock)
        await store.create([home_table(60), activity_table(30)])
        pushed = await HomeStore(store, process.clock, 60, 30).read(reader, 0, 200)
        await store.close()
        return [post for post in page.post_ids if post not in {ref.post_id for ref in pushed}]

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
