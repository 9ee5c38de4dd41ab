"""Live surfaces under the guard: what their readers are told at the end, and what they resume from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

from tintype.edge.v1 import live_pb2, media_pb2
from tintype.engagement.v1 import engagement_pb2
from tintype.media.v1 import assets_pb2

from edge.surfaces.live import LiveServer
from edge.surfaces.media import MediaServer
from mesh.auth.caller import Caller
from mesh.clock import FakeClock
from mesh.live import Guard

BOUND_S = 10
END = live_pb2.WatchPostsResponse.END


class Neighbours:
    """Engagement, media and the facts, with a stream of what a test says and then nothing for a second."""

    def __init__(self, *told: Any) -> None:
        self.told, self.visible = told, {5, 6}
        self.clock = FakeClock()
        self.guard = Guard(self.clock, lambda _: None, 3, every_s=0.01)
        caller = Caller(1, 7, frozenset(), frozenset(), self.clock.now_ms() + 1000, "")
        self.call: Any = SimpleNamespace(user=caller)
        self.engagement = self.assets = self

    async def WatchPosts(self, request: engagement_pb2.WatchPostsRequest) -> AsyncGenerator[Any]:
        for message in self.told:
            yield message
        await asyncio.sleep(1)

    async def WatchAsset(self, request: assets_pb2.WatchAssetRequest) -> AsyncGenerator[Any]:
        for message in self.told:
            yield message
        await asyncio.sleep(1)

    async def BatchGetAssets(self, request: Any) -> assets_pb2.BatchGetAssetsResponse:
        return assets_pb2.BatchGetAssetsResponse(assets=[assets_pb2.Asset(asset_id=5, owner_id=1)])

    async def posts(self, viewer_id: int, post_ids: Sequence[int]) -> list[Any]:
        seen = [post_id for post_id in post_ids if post_id in self.visible]
        return [SimpleNamespace(post=SimpleNamespace(post_id=post_id), facets=b"") for post_id in seen]

    def watch_posts(self) -> AsyncGenerator[Any]:
        facts: Any = self
        server = LiveServer(facts, facts, facts, self.guard)
        return server.WatchPosts(live_pb2.WatchPostsRequest(post_ids=["5", "6"], cursor="3"), self.call)

    def watch_media(self) -> AsyncGenerator[Any]:
        facts: Any = self
        server = MediaServer(facts, facts, facts, self.guard)
        return server.WatchMedia(media_pb2.WatchMediaRequest(media_id="5"), self.call)


async def rest_of(stream: AsyncGenerator[Any]) -> list[Any]:
    async with asyncio.timeout(BOUND_S), aclosing(stream):
        return [message async for message in stream]


def alive(cursor: str) -> engagement_pb2.WatchPostsResponse:
    return engagement_pb2.WatchPostsResponse(heartbeat=True, cursor=cursor)


async def test_a_stream_of_posts_ends_with_its_token_and_says_where_to_resume() -> None:
    edge = Neighbours(alive("77"))
    stream = edge.watch_posts()
    assert (await anext(stream)).cursor == "77"
    edge.clock.advance(1000)
    assert await rest_of(stream) == [live_pb2.WatchPostsResponse(kind=END, cursor="77", end_reason="TOKEN_EXPIRED")]


async def test_a_post_that_is_lost_is_told_and_the_others_go_on() -> None:
    edge = Neighbours(alive("77"))
    stream = edge.watch_posts()
    await anext(stream)
    edge.visible = {6}
    lost = await anext(stream)
    assert (lost.post_id, lost.kind) == ("5", live_pb2.WatchPostsResponse.DELETED)
    edge.visible = set()
    lost, end = await rest_of(stream)
    assert (lost.post_id, end.end_reason, end.cursor) == ("6", "NOT_VISIBLE", "77")


async def test_what_a_service_says_of_its_end_is_passed_on() -> None:
    end = engagement_pb2.WatchPostsResponse(end=True, end_reason="DRAINING", cursor="78")
    messages = Neighbours(alive("77"), end).watch_posts()
    await anext(messages)
    assert await anext(messages) == live_pb2.WatchPostsResponse(kind=END, cursor="78", end_reason="DRAINING")
    await messages.aclose()
    drained = Neighbours(assets_pb2.WatchAssetResponse(end_reason="DRAINING")).watch_media()
    assert await anext(drained) == media_pb2.WatchMediaResponse(end_reason="DRAINING")
    await drained.aclose()


async def test_a_stream_of_a_medium_ends_with_its_token() -> None:
    edge = Neighbours(assets_pb2.WatchAssetResponse())
    stream = edge.watch_media()
    assert await anext(stream) == media_pb2.WatchMediaResponse(heartbeat=True)
    edge.clock.advance(1000)
    assert await rest_of(stream) == [media_pb2.WatchMediaResponse(end_reason="TOKEN_EXPIRED")]
