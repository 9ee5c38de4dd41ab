"""What engagement publishes, and what it does about its own events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tintype.events.v1.engagement_pb2 import CommentChanged, CountsChanged, LikeChanged

from mesh.events import Event, Handlers, Holds, NewEvent, Outbox
from services.engagement.model import Comment, Like, Tally

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from services.engagement.comment_store import CommentStore
    from services.engagement.comments import Comments
    from services.engagement.likes import Likes
    from services.engagement.store import ClaimStore
    from services.engagement.watch import LivePosts

AREA = "engagement"


def like_changed(like: Like) -> NewEvent:
    """A like's state, in the order of its post."""
    message = LikeChanged(post_id=like.post_id, user_id=like.person_id, liked=like.liked, version=like.version)
    return NewEvent(message, like.post_id)


def comment_changed(comment: Comment) -> NewEvent:
    """A comment's state, in the order of its post."""
    message = CommentChanged(
        post_id=comment.post_id,
        comment_id=comment.comment_id,
        author_id=comment.author_id,
        text=comment.text,
        deleted=not comment.live,
        create_time_ms=comment.create_time_ms,
        version=comment.version,
    )
    return NewEvent(message, comment.post_id)


def counts_changed(tally: Tally) -> NewEvent:
    """Counts that were corrected after the event that changed them had been told."""
    message = CountsChanged(post_id=tally.subject_id, like_count=tally.likes, comment_count=tally.comments)
    return NewEvent(message, tally.subject_id)


def held(claims: ClaimStore, comments: CommentStore) -> dict[type[Message], Holds]:
    """Whether a claim took an intent in: asked about intents that a crash left."""

    async def like(event: Event) -> bool:
        row = await claims.like(event.message.post_id, event.message.user_id)
        return row is not None and event.id in row.event_ids

    async def comment(event: Event) -> bool:
        row = await comments.comment(event.message.comment_id)
        return row is not None and event.id in row.event_ids

    return {LikeChanged: like, CommentChanged: comment}


def completing(likes: Likes, comments: Comments, outbox: Outbox) -> Handlers:
    """Each change again, once for the whole mesh: completes what a process that died had left."""

    async def like(event: Event) -> None:
        tally = await likes.changed(event.message.post_id, event.message.user_id)
        await _correct(tally)

    async def comment(event: Event) -> None:
        tally = await comments.changed(event.message.comment_id, event.id)
        await _correct(tally)

    async def _correct(tally: Tally | None) -> None:
        if tally is not None:
            await outbox.commit([], [counts_changed(tally)])

    return {LikeChanged: like, CommentChanged: comment}


def telling(live: LivePosts) -> Handlers:
    """Each change in every process: for the streams that are open there."""

    async def counts(event: Event) -> None:
        await live.counts_changed(event.message.post_id)

    async def comment(event: Event) -> None:
        await live.comment_changed(event.message.post_id, event.message.comment_id, event.id)

    return {LikeChanged: counts, CountsChanged: counts, CommentChanged: comment}
