"""Wiring of the engagement service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import Field
from tintype.engagement.v1 import engagement_pb2
from tintype.media.v1 import posts_pb2, posts_pb2_grpc

from mesh.app import Context, Module
from mesh.config import Section
from mesh.counting import ExactCounter
from mesh.live import Hub
from services.engagement import events
from services.engagement.comment_store import CommentStore
from services.engagement.comments import Comments
from services.engagement.counts import Counts
from services.engagement.likes import Likes
from services.engagement.model import Counter
from services.engagement.schema import TABLES
from services.engagement.server import EngagementServer
from services.engagement.store import ClaimStore
from services.engagement.watch import LivePosts


class EngagementSection(Section):
    """Likes, comments and live counts."""

    bucket_rows: int = Field(
        500_000, ge=2, le=1_000_000, description="likes (comments) one partition holds; fixed once there is data"
    )
    cache_ttl_s: int = Field(60, ge=1, le=3600, description="how long counts that nobody changes stay cached")
    heartbeat_s: float = Field(15, gt=0, le=60, description="pause after which a silent live stream says it is alive")
    watch_queue: int = Field(256, ge=1, le=10_000, description="comments that wait for one live reader")


async def build(ctx: Context) -> None:
    """Likes and comments over one store, with their events going out and coming back."""
    section: EngagementSection = ctx.section
    store = await ctx.store(TABLES, {"bucket_rows": section.bucket_rows})
    claims, comment_store = ClaimStore(store), CommentStore(store)
    outbox = ctx.outbox(store)
    for message_type, holds in events.held(claims, comment_store).items():
        outbox.settle_by(message_type, holds)
    counter: Counter = ExactCounter(claims)
    counts = Counts(claims, ctx.cache, section.cache_ttl_s)
    likes = Likes(claims, outbox, counter, counts, ctx.ids, events.like_changed, section.bucket_rows)
    comments = Comments(
        comment_store,
        claims,
        outbox,
        counter,
        counts,
        ctx.ids,
        ctx.clock,
        events.comment_changed,
        _post_author(ctx),
        section.bucket_rows,
    )
    live = LivePosts(claims, comment_store, ctx.clock, Hub(ctx.clock, section.heartbeat_s, section.watch_queue))
    ctx.subscribe(events.AREA, events.completing(likes, comments, outbox), store)
    ctx.tail(events.AREA, events.telling(live))
    ctx.on_settle(counter.settle)
    ctx.on_settle(live.settle)
    service = engagement_pb2.DESCRIPTOR.services_by_name["EngagementService"]
    ctx.serve(service, EngagementServer(likes, comments, counts, live))


def _post_author(ctx: Context) -> Callable[[int], Awaitable[int | None]]:
    posts = ctx.stub(posts_pb2_grpc.PostsServiceStub)

    async def author(post_id: int) -> int | None:
        found = await posts.BatchGetPosts(posts_pb2.BatchGetPostsRequest(post_ids=[post_id]))
        return next((int(post.author_id) for post in found.posts), None)

    return author


MODULE = Module(name="engagement", build=build, config=EngagementSection)
