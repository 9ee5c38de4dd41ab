"""EngagementService: likes and comments of posts that the caller may see."""

from __future__ import annotations

from collections.abc import Sequence

from tintype.edge.v1 import engagement_pb2 as api
from tintype.edge.v1 import resources_pb2
from tintype.engagement.v1 import engagement_pb2

from edge import pages, present
from edge.facts import Facts, SeenPost, post_not_found
from edge.facts.facets import count
from edge.mesh import Mesh
from edge.present import Presenter
from edge.surfaces import request_id
from mesh import ids
from mesh.errors import Problem, not_found, precondition
from mesh.paging import PageTokens
from mesh.rpc.call import Call


class EngagementServer:
    """EngagementService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, tokens: PageTokens) -> None:
        self._engagement = mesh.engagement
        self._facts = facts
        self._presenter = presenter
        self._tokens = tokens

    async def LikePost(self, request: api.LikePostRequest, call: Call) -> api.LikePostResponse:
        seen = await self._post(call, request.post_id)
        answer = await self._engagement.Like(engagement_pb2.LikeRequest(post_id=seen.post.post_id))
        return api.LikePostResponse(post=_state(answer.counts))

    async def UnlikePost(self, request: api.UnlikePostRequest, call: Call) -> api.UnlikePostResponse:
        seen = await self._post(call, request.post_id)
        answer = await self._engagement.Unlike(engagement_pb2.UnlikeRequest(post_id=seen.post.post_id))
        return api.UnlikePostResponse(post=_state(answer.counts))

    async def ListLikes(self, request: api.ListLikesRequest, call: Call) -> api.ListLikesResponse:
        post_id = (await self._post(call, request.post_id)).post.post_id

        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[tuple[int, int]], bytes]:
            answer = await self._engagement.ListLikers(
                engagement_pb2.ListLikersRequest(post_id=post_id, page_size=count, cursor=cursor)
            )
            return list(zip(answer.user_ids, answer.like_time_ms, strict=True)), answer.next_cursor

        async def rules(likers: Sequence[tuple[int, int]]) -> list[api.Like]:
            people = await self._facts.visible(call.user.user_id, (user_id for user_id, _ in likers))
            return [
                api.Like(user=self._presenter.card(people[user_id]), create_time=present.time(ms))
                for user_id, ms in likers
                if user_id in people
            ]

        likes, token = await self._page(request, call, ("likes", post_id), skeleton, rules)
        return api.ListLikesResponse(likes=likes, next_page_token=token)

    async def CreateComment(self, request: api.CreateCommentRequest, call: Call) -> api.CreateCommentResponse:
        seen = await self._post(call, request.post_id)
        if seen.post.comments_disabled and seen.post.author_id != call.user.user_id:
            raise precondition("COMMENTS_DISABLED", "the author has turned comments off for this post")
        parent = ids.parse(request.parent_comment_id) if request.parent_comment_id else 0
        if parent is None:
            raise _comment_not_found(request.parent_comment_id)
        answer = await self._engagement.CreateComment(
            engagement_pb2.CreateCommentRequest(
                request_id=request_id(request.request_id),
                post_id=seen.post.post_id,
                parent_comment_id=parent,
                text=request.text,
            )
        )
        return api.CreateCommentResponse(comment=await self._shown(call, answer.comment))

    async def ListComments(self, request: api.ListCommentsRequest, call: Call) -> api.ListCommentsResponse:
        post_id = (await self._post(call, request.post_id)).post.post_id

        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[engagement_pb2.Comment], bytes]:
            answer = await self._engagement.ListComments(
                engagement_pb2.ListCommentsRequest(post_id=post_id, page_size=count, cursor=cursor)
            )
            return answer.comments, answer.next_cursor

        rules = self._comment_rules(call)
        comments, token = await self._page(request, call, ("comments", post_id), skeleton, rules)
        return api.ListCommentsResponse(comments=comments, next_page_token=token)

    async def ListReplies(self, request: api.ListRepliesRequest, call: Call) -> api.ListRepliesResponse:
        parent = await self._comment(call, request.comment_id)

        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[engagement_pb2.Comment], bytes]:
            answer = await self._engagement.ListReplies(
                engagement_pb2.ListRepliesRequest(comment_id=parent.comment_id, page_size=count, cursor=cursor)
            )
            return answer.comments, answer.next_cursor

        rules = self._comment_rules(call)
        comments, token = await self._page(request, call, ("replies", parent.comment_id), skeleton, rules)
        return api.ListRepliesResponse(comments=comments, next_page_token=token)

    async def UpdateComment(self, request: api.UpdateCommentRequest, call: Call) -> api.UpdateCommentResponse:
        comment = await self._comment(call, request.comment_id)
        answer = await self._engagement.UpdateComment(
            engagement_pb2.UpdateCommentRequest(comment_id=comment.comment_id, text=request.text)
        )
        return api.UpdateCommentResponse(comment=await self._shown(call, answer.comment))

    async def DeleteComment(self, request: api.DeleteCommentRequest, call: Call) -> api.DeleteCommentResponse:
        comment_id = ids.parse(request.comment_id)
        if comment_id is None:
            raise _comment_not_found(request.comment_id)
        try:
            await self._engagement.DeleteComment(engagement_pb2.DeleteCommentRequest(comment_id=comment_id))
        except Problem as problem:
            if problem.reason == "NOT_OWNER":  # whoever may not see it does not learn that it is there
                await self._comment(call, request.comment_id)
            raise
        return api.DeleteCommentResponse()

    async def _post(self, call: Call, text: str) -> SeenPost:
        """The post, where the caller may see it."""
        post_id = ids.parse(text)
        if post_id is None:
            raise post_not_found(text)
        return await self._facts.post(call.user.user_id, post_id)

    async def _comment(self, call: Call, text: str) -> engagement_pb2.Comment:
        """A comment, where the caller may see it and the post it stands under."""
        comment_id = ids.parse(text)
        if comment_id is None:
            raise _comment_not_found(text)
        request = engagement_pb2.BatchGetCommentsRequest(comment_ids=[comment_id])
        found = (await self._engagement.BatchGetComments(request)).comments
        viewer_id = call.user.user_id
        if not found or not await self._facts.visible(viewer_id, [found[0].author_id]):
            raise _comment_not_found(text)
        if not await self._facts.posts(viewer_id, [found[0].post_id]):
            raise _comment_not_found(text)
        comment: engagement_pb2.Comment = found[0]
        return comment

    def _comment_rules(self, call: Call) -> pages.Rules[engagement_pb2.Comment, resources_pb2.Comment]:
        async def rules(comments: Sequence[engagement_pb2.Comment]) -> list[resources_pb2.Comment]:
            people = await self._facts.visible(call.user.user_id, (comment.author_id for comment in comments))
            return [
                self._presenter.comment(comment, people[comment.author_id])
                for comment in comments
                if comment.author_id in people
            ]

        return rules

    async def _page(
        self,
        request: pages.Request,
        call: Call,
        binding: tuple[object, ...],
        skeleton: pages.Skeleton[pages.Id],
        rules: pages.Rules[pages.Id, pages.Kept],
    ) -> tuple[list[pages.Kept], str]:
        return await pages.read(self._tokens, request, (*binding, call.user.user_id), skeleton, rules)

    async def _shown(self, call: Call, comment: engagement_pb2.Comment) -> resources_pb2.Comment:
        people = await self._facts.people([comment.author_id])
        return self._presenter.comment(comment, people[comment.author_id])


def _state(counts: engagement_pb2.PostCounts) -> api.LikeState:
    return api.LikeState(
        post_id=str(counts.post_id),
        like_count=count(counts.like_count),
        comment_count=count(counts.comment_count),
        viewer=resources_pb2.PostViewer(liked=counts.liked),
    )


def _comment_not_found(text: str) -> Problem:
    return not_found("COMMENT_NOT_FOUND", f"there is no comment {text} that you can see")
