"""The gRPC face of engagement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from tintype.engagement.v1 import engagement_pb2 as pb

from mesh.errors import invalid
from mesh.live import Told
from mesh.rpc.call import Call
from services.engagement.comments import CommentPage, Comments, NewComment
from services.engagement.counts import Counts
from services.engagement.likes import Likes
from services.engagement.model import Comment, PostCounts
from services.engagement.watch import Change, LivePosts


class EngagementServer:
    """tintype.engagement.v1.EngagementService."""

    def __init__(self, likes: Likes, comments: Comments, counts: Counts, live: LivePosts) -> None:
        self._likes, self._comments, self._counts, self._live = likes, comments, counts, live

    async def Like(self, request: pb.LikeRequest, call: Call) -> pb.LikeResponse:
        counts = await self._likes.set(request.post_id, call.user.user_id, True)
        return pb.LikeResponse(counts=_counts(counts))

    async def Unlike(self, request: pb.UnlikeRequest, call: Call) -> pb.UnlikeResponse:
        counts = await self._likes.set(request.post_id, call.user.user_id, False)
        return pb.UnlikeResponse(counts=_counts(counts))

    async def ListLikers(self, request: pb.ListLikersRequest, call: Call) -> pb.ListLikersResponse:
        page = await self._likes.likers(request.post_id, _position(request.cursor), request.page_size)
        return pb.ListLikersResponse(
            user_ids=page.person_ids, like_time_ms=page.times_ms, next_cursor=_cursor(page.next_before)
        )

    async def CreateComment(self, request: pb.CreateCommentRequest, call: Call) -> pb.CreateCommentResponse:
        new = NewComment(
            request_id=request.request_id,
            post_id=request.post_id,
            parent_id=request.parent_comment_id,
            author_id=call.user.user_id,
            text=request.text,
        )
        return pb.CreateCommentResponse(comment=_comment(await self._comments.create(new)))

    async def ListComments(self, request: pb.ListCommentsRequest, call: Call) -> pb.ListCommentsResponse:
        page = await self._comments.thread(request.post_id, _position(request.cursor), request.page_size)
        return pb.ListCommentsResponse(comments=_comments(page), next_cursor=_cursor(page.next_after))

    async def ListReplies(self, request: pb.ListRepliesRequest, call: Call) -> pb.ListRepliesResponse:
        page = await self._comments.thread(
            request.comment_id, _position(request.cursor), request.page_size, oldest_first=True
        )
        return pb.ListRepliesResponse(comments=_comments(page), next_cursor=_cursor(page.next_after))

    async def BatchGetComments(self, request: pb.BatchGetCommentsRequest, call: Call) -> pb.BatchGetCommentsResponse:
        page = await self._comments.by_ids(list(request.comment_ids))
        return pb.BatchGetCommentsResponse(comments=_comments(page))

    async def UpdateComment(self, request: pb.UpdateCommentRequest, call: Call) -> pb.UpdateCommentResponse:
        await self._comments.edit(request.comment_id, call.user.user_id, request.text)
        page = await self._comments.by_ids([request.comment_id])
        return pb.UpdateCommentResponse(comment=next(iter(_comments(page)), None))

    async def DeleteComment(self, request: pb.DeleteCommentRequest, call: Call) -> pb.DeleteCommentResponse:
        post_id = await self._comments.delete(request.comment_id, call.user.user_id)
        return pb.DeleteCommentResponse(post_id=post_id)

    async def BatchGetCounts(self, request: pb.BatchGetCountsRequest, call: Call) -> pb.BatchGetCountsResponse:
        counts = await self._counts.of(request.post_ids)
        return pb.BatchGetCountsResponse(counts=map(_counts, counts))

    async def BatchGetViewerStates(
        self, request: pb.BatchGetViewerStatesRequest, call: Call
    ) -> pb.BatchGetViewerStatesResponse:
        liked = await self._counts.liked(call.user.user_id, request.post_ids)
        return pb.BatchGetViewerStatesResponse(liked_post_ids=liked)

    async def WatchPosts(self, request: pb.WatchPostsRequest, call: Call) -> AsyncIterator[pb.WatchPostsResponse]:
        cursor = int(request.cursor or 0)
        if cursor >= 1 << 63:
            raise invalid("cursor", "must be the cursor of an earlier stream; start again without it", "INVALID_CURSOR")
        async with aclosing(self._live.watch(request.post_ids, cursor, call.closing)) as stream:
            async for told in stream:
                yield _told(told)


def _counts(counts: PostCounts) -> pb.PostCounts:
    return pb.PostCounts(
        post_id=counts.post_id, like_count=counts.likes, comment_count=counts.comments, liked=counts.liked
    )


def _comments(page: CommentPage) -> list[pb.Comment]:
    return [_comment(comment, count) for comment, count in zip(page.comments, page.reply_counts, strict=True)]


def _comment(comment: Comment, reply_count: int = 0) -> pb.Comment:
    return pb.Comment(
        comment_id=comment.comment_id,
        post_id=comment.post_id,
        author_id=comment.author_id,
        parent_comment_id=comment.parent_id,
        text=comment.text,
        create_time_ms=comment.create_time_ms,
        edit_time_ms=comment.edit_time_ms,
        reply_count=reply_count,
    )


def _told(told: Told[Change]) -> pb.WatchPostsResponse:
    message = pb.WatchPostsResponse(cursor=str(told.cursor))
    match told.item:
        case PostCounts() as counts:
            message.counts.CopyFrom(_counts(counts))
            message.post_id = counts.post_id
        case Comment(live=True) as comment:
            message.comment.CopyFrom(_comment(comment))
            message.post_id = comment.post_id
        case Comment() as comment:
            message.deleted_comment_id = comment.comment_id
            message.post_id = comment.post_id
        case None if told.end:
            message.end, message.end_reason = True, told.end
        case None:
            message.heartbeat = True
    return message


def _cursor(position: int) -> bytes:
    return position.to_bytes(8, "big") if position else b""


def _position(cursor: bytes) -> int:
    position = int.from_bytes(cursor, "big")
    if cursor and (len(cursor) != 8 or not 0 < position < 1 << 63):
        raise invalid(
            "cursor", "must be the next_cursor of an earlier answer; start again without it", "INVALID_CURSOR"
        )
    return position
