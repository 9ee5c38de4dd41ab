"""A graph and a source of posts for the timeline: the two services it listens to, over plain dicts.

They serve the real protos and publish real events through a real outbox.
"""

from __future__ import annotations

import itertools
import struct
from collections import defaultdict
from typing import Any

from tintype.events.v1.graph_pb2 import RelationChanged
from tintype.events.v1.media_pb2 import PostChanged
from tintype.graph.v1 import graph_pb2 as pb

from mesh.app import Context, Module
from mesh.events import NewEvent, Outbox
from tests.neighbours.unserved import Unserved

SHARDS = 4


class ServedGraph(Unserved):
    """Who follows whom, as the graph service tells it."""

    def __init__(self) -> None:
        self.followers: dict[int, set[int]] = defaultdict(set)
        self.following: dict[int, set[int]] = defaultdict(set)
        self.scans = 0
        self.outbox: Outbox | None = None

    async def follow(self, reader: int, author: int) -> None:
        self.followers[author].add(reader)
        self.following[reader].add(author)
        await self._publish(reader, author, following=True)

    async def unfollow(self, reader: int, author: int) -> None:
        self.followers[author].discard(reader)
        self.following[reader].discard(author)
        await self._publish(reader, author, following=False)

    async def _publish(self, reader: int, author: int, following: bool) -> None:
        assert self.outbox
        message = RelationChanged(user_id=reader, target_id=author, following=following, was_following=not following)
        await self.outbox.commit([], [NewEvent(message, reader)])

    async def GetCircle(self, request: pb.GetCircleRequest, call: Any) -> pb.GetCircleResponse:
        ids = sorted(self.following[request.user_id])
        version = hash(tuple(ids)) & 0xFFFF_FFFF or 1
        if version == request.known_version:
            return pb.GetCircleResponse(version=version, unchanged=True)
        return pb.GetCircleResponse(version=version, following=struct.pack(f">{len(ids)}q", *ids))

    async def BatchGetCounts(self, request: Any, call: Any) -> Any:
        return pb.BatchGetCountsResponse(
            counts=[pb.Counts(user_id=user, follower_count=len(self.followers[user])) for user in request.user_ids]
        )

    async def ScanFollowers(self, request: Any, call: Any) -> Any:
        self.scans += 1
        mine = sorted(f for f in self.followers[request.author_id] if f % SHARDS == request.shard)
        rest = [follower for follower in mine if follower > request.after_user_id]
        page = rest[: request.limit]
        return pb.ScanFollowersResponse(
            packed_user_ids=struct.pack(f">{len(page)}q", *page),
            next_after_user_id=page[-1] if len(rest) > len(page) else 0,
            shard_count=SHARDS,
        )

    def module(self) -> Module:
        async def build(ctx: Context) -> None:
            self.outbox = ctx.outbox(await ctx.store([]))
            ctx.serve(pb.DESCRIPTOR.services_by_name["GraphService"], self)

        return Module(name="graph", build=build)


class Posts:
    """Publishes what the media service publishes about posts."""

    def __init__(self) -> None:
        self._outbox: Outbox | None = None
        self._ids: Any = None
        self._versions: dict[int, itertools.count[int]] = {}

    async def post(self, author: int, post_id: int = 0) -> int:
        post_id = post_id or self._ids.next()
        self._versions[post_id] = itertools.count(1)
        await self.change(author, post_id)
        return post_id

    async def change(self, author: int, post_id: int, **facts: bool) -> None:
        await self.publish(
            PostChanged(post_id=post_id, author_id=author, version=next(self._versions[post_id]), **facts)
        )

    async def publish(self, message: PostChanged) -> None:
        assert self._outbox
        await self._outbox.commit([], [NewEvent(message, message.post_id)])

    def module(self) -> Module:
        async def build(ctx: Context) -> None:
            self._outbox = ctx.outbox(await ctx.store([]))
            self._ids = ctx.ids

        return Module(name="media", build=build)
