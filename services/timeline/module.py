"""Wiring of the timeline service."""

from __future__ import annotations

import struct

from pydantic import Field
from tintype.graph.v1 import graph_pb2, graph_pb2_grpc
from tintype.timeline.v1 import timeline_pb2

from mesh.app import Context, Module
from mesh.config import Section
from services.timeline import events
from services.timeline.author_store import AuthorStore
from services.timeline.fanout import FanOut, FollowerPage
from services.timeline.following import Followed, Following
from services.timeline.home import Home
from services.timeline.home_cache import HomeCache
from services.timeline.home_store import HomeStore
from services.timeline.pulled import PulledPosts
from services.timeline.schema import AUTHOR_TABLES, activity_table, home_table
from services.timeline.server import TimelineServer


class TimelineSection(Section):
    """Home feeds."""

    pull_threshold: int = Field(
        10_000, ge=1, description="authors with more followers are pulled at read time rather than pushed"
    )
    home_days: int = Field(60, ge=1, le=365, description="how far back a home feed reaches")
    inactive_days: int = Field(30, ge=1, le=365, description="readers away for longer are not pushed to")
    cache_hours: int = Field(72, ge=1, le=720, description="how long an unread feed stays cached")
    pulled_index: int = Field(
        100_000, ge=10, le=5_000_000, description="newest pulled posts that each process keeps in memory"
    )


async def build(ctx: Context) -> None:
    """Feeds over one store and one cache, fed by the events of media and graph."""
    section: TimelineSection = ctx.section
    days, away = section.home_days, section.inactive_days
    store = await ctx.store([*AUTHOR_TABLES, home_table(days), activity_table(away)])
    authors, homes = AuthorStore(store), HomeStore(store, ctx.clock, days, away)
    cache = HomeCache(ctx.cache, section.cache_hours)
    graph = Graph(ctx.stub(graph_pb2_grpc.GraphServiceStub))
    following, pulled = Following(graph.following), PulledPosts(authors, ctx.clock, days, section.pulled_index)
    home = Home(homes, authors, cache, following, pulled, ctx.ids, ctx.clock, days)
    fanout = FanOut(authors, homes, cache, graph, pulled, ctx.ids, ctx.clock, section.pull_threshold)
    ctx.on_start(pulled.load)
    ctx.background("pulled posts", pulled.follow)
    ctx.on_settle(pulled.refresh)
    ctx.subscribe("media", events.posts(authors, fanout), store)
    ctx.subscribe("graph", events.relations(home), store)
    ctx.tail("graph", events.invalidation(following))
    service = timeline_pb2.DESCRIPTOR.services_by_name["TimelineService"]
    ctx.serve(service, TimelineServer(home, authors))


class Graph:
    """The graph service in the words of the timeline."""

    def __init__(self, stub: graph_pb2_grpc.GraphServiceStub) -> None:
        self._stub = stub

    async def following(self, user_id: int, known: Followed | None) -> Followed:
        """Everyone a person follows."""
        version = known.version if known else 0
        circle = await self._stub.GetCircle(graph_pb2.GetCircleRequest(user_id=user_id, known_version=version))
        if known and circle.unchanged:
            return known
        return Followed(circle.version, frozenset((user_id, *_unpacked(circle.following))))

    async def count(self, author_id: int) -> int:
        """How many follow an author."""
        answer = await self._stub.BatchGetCounts(graph_pb2.BatchGetCountsRequest(user_ids=[author_id]))
        return int(answer.counts[0].follower_count)

    async def scan(self, author_id: int, shard: int, after: int, limit: int) -> FollowerPage:
        """One page of one shard of an author's followers."""
        request = graph_pb2.ScanFollowersRequest(author_id=author_id, shard=shard, after_user_id=after, limit=limit)
        page = await self._stub.ScanFollowers(request)
        return FollowerPage(_unpacked(page.packed_user_ids), page.next_after_user_id, page.shard_count)


def _unpacked(user_ids: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(user_ids) // 8}q", user_ids)


MODULE = Module(name="timeline", build=build, config=TimelineSection)
