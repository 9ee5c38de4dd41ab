"""Engagement as people use it."""

from __future__ import annotations

import uuid

from tintype.engagement.v1 import engagement_pb2 as pb
from tintype.engagement.v1 import engagement_pb2_grpc

from mesh.testing.harness import Harness

ANA, BEN, EVE = 11, 12, 13


class Client:
    """Engagement as people use it."""

    def __init__(self, mesh: Harness, post_id: int) -> None:
        self.mesh, self.post = mesh, post_id
        self.stub = mesh.stub(engagement_pb2_grpc.EngagementServiceStub)

    async def like(self, person: int, post: int = 0) -> pb.PostCounts:
        with self.mesh.user(person):
            return (await self.stub.Like(pb.LikeRequest(post_id=post or self.post))).counts

    async def unlike(self, person: int, post: int = 0) -> pb.PostCounts:
        with self.mesh.user(person):
            return (await self.stub.Unlike(pb.UnlikeRequest(post_id=post or self.post))).counts

    async def counts(self, person: int = 0, *posts: int) -> list[pb.PostCounts]:
        """Counts, and what this person likes of them (0: nobody asks)."""
        wanted = posts or [self.post]
        counts = list((await self.stub.BatchGetCounts(pb.BatchGetCountsRequest(post_ids=wanted))).counts)
        if person:
            with self.mesh.user(person):
                states = await self.stub.BatchGetViewerStates(pb.BatchGetViewerStatesRequest(post_ids=wanted))
            for each in counts:
                each.liked = each.post_id in states.liked_post_ids
        return counts

    async def likers(self, size: int = 50) -> list[int]:
        found, cursor = [], b""
        while True:
            request = pb.ListLikersRequest(post_id=self.post, page_size=size, cursor=cursor)
            page = await self.stub.ListLikers(request)
            found += page.user_ids
            cursor = page.next_cursor
            if not cursor:
                return found

    async def say(self, person: int, text: str, parent: int = 0, request_id: str = "", post: int = 0) -> pb.Comment:
        request = pb.CreateCommentRequest(
            request_id=request_id or str(uuid.uuid4()), post_id=post or self.post, parent_comment_id=parent, text=text
        )
        with self.mesh.user(person):
            return (await self.stub.CreateComment(request)).comment

    async def edit(self, person: int, comment: int, text: str) -> pb.Comment:
        with self.mesh.user(person):
            return (await self.stub.UpdateComment(pb.UpdateCommentRequest(comment_id=comment, text=text))).comment

    async def delete(self, person: int, comment: int) -> None:
        with self.mesh.user(person):
            await self.stub.DeleteComment(pb.DeleteCommentRequest(comment_id=comment))

    async def comments(self, size: int = 50) -> list[pb.Comment]:
        found, cursor = [], b""
        while True:
            request = pb.ListCommentsRequest(post_id=self.post, page_size=size, cursor=cursor)
            page = await self.stub.ListComments(request)
            found += page.comments
            cursor = page.next_cursor
            if not cursor:
                return found

    async def replies(self, comment: int, size: int = 50) -> list[pb.Comment]:
        found, cursor = [], b""
        while True:
            request = pb.ListRepliesRequest(comment_id=comment, page_size=size, cursor=cursor)
            page = await self.stub.ListReplies(request)
            found += page.comments
            cursor = page.next_cursor
            if not cursor:
                return found
