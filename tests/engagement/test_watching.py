"""Live posts: likes and comments as they happen, newest count wins, nothing lost on resuming."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from tintype.engagement.v1 import engagement_pb2 as pb

from mesh.errors import Problem
from tests.engagement.engagement_client import ANA, BEN, EVE, Client

BOUND_S = 10


class Reader:
    """A watcher that reads in the background and remembers."""

    def __init__(self, stream: AsyncIterator[Any]) -> None:
        self.seen: list[Any] = []
        self.task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: Any) -> None:
        async with aclosing(stream):
            async for message in stream:
                self.seen.append(message)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(BOUND_S):
            while not condition(self.seen):
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def watch(client: Client, cursor: str = "", *posts: int) -> Reader:
    request = pb.WatchPostsRequest(post_ids=posts or [client.post], cursor=cursor)
    return Reader(client.stub.WatchPosts(request))


def is_alive(seen: list[Any]) -> bool:
    return any(message.heartbeat for message in seen)


def texts(seen: list[Any]) -> list[str]:
    return [message.comment.text for message in seen if message.HasField("comment")]


async def test_a_stream_says_at_once_that_it_is_alive(client: Client) -> None:
    reader = watch(client)
    await reader.until(is_alive)
    assert reader.seen[0].heartbeat
    assert reader.seen[0].cursor
    await reader.stop()


async def test_likes_and_comments_arrive_as_they_happen(client: Client) -> None:
    reader, other = watch(client), watch(client, "", client.post + 1_000_000)
    await reader.until(is_alive)
    await other.until(is_alive)
    await client.like(BEN)
    await reader.until(lambda seen: any(m.counts.like_count == 1 for m in seen))
    comment = await client.say(EVE, "Lovely")
    await reader.until(lambda seen: texts(seen) == ["Lovely"] and any(m.counts.comment_count == 1 for m in seen))
    await client.edit(EVE, comment.comment_id, "Lovely!")
    await reader.until(lambda seen: texts(seen) == ["Lovely", "Lovely!"])
    await client.delete(ANA, comment.comment_id)
    await reader.until(lambda seen: any(m.deleted_comment_id == comment.comment_id for m in seen))
    await client.unlike(BEN)
    await reader.until(lambda seen: seen[-1].HasField("counts") and seen[-1].counts.like_count == 0)
    assert all(message.heartbeat for message in other.seen)
    await reader.stop()
    await other.stop()


async def test_a_slow_reader_gets_the_newest_counts_and_holds_up_nobody(client: Client) -> None:
    slow = client.stub.WatchPosts(pb.WatchPostsRequest(post_ids=[client.post]))
    assert (await anext(slow)).heartbeat
    quick = watch(client)
    await quick.until(is_alive)
    waiting = asyncio.ensure_future(anext(slow))
    for person in range(100, 130):
        await client.like(person)
    await quick.until(lambda seen: seen[-1].counts.like_count == 30)
    await waiting  # Whatever came first; the rest has coalesced.
    assert (await anext(slow)).counts.like_count == 30
    await slow.aclose()
    await quick.stop()


async def test_a_reader_too_slow_for_the_comments_is_told_to_resume_and_then_misses_none(client: Client) -> None:
    slow = client.stub.WatchPosts(pb.WatchPostsRequest(post_ids=[client.post]))
    assert (await anext(slow)).heartbeat
    written = [f"comment {number}" for number in range(300)]
    first = asyncio.ensure_future(anext(slow))
    for start in range(0, 300, 50):
        await asyncio.gather(*(client.say(BEN, text) for text in written[start : start + 50]))
    await client.mesh.settle()
    seen = [await first] + [message async for message in slow]
    assert (seen[-1].end, seen[-1].end_reason) == (True, "OVERFLOW")
    again = watch(client, seen[-1].cursor)
    await again.until(lambda more: set(texts(seen) + texts(more)) == set(written))
    await again.stop()


async def test_resuming_tells_what_happened_meanwhile(client: Client) -> None:
    reader = watch(client)
    await client.say(BEN, "before")
    await reader.until(lambda seen: texts(seen) == ["before"])
    cursor = reader.seen[-1].cursor
    await reader.stop()
    await client.say(BEN, "meanwhile")
    gone = await client.say(BEN, "gone")
    await client.delete(BEN, gone.comment_id)
    await client.like(EVE)
    again = watch(client, cursor)
    await again.until(lambda seen: any(m.counts.like_count == 1 and m.counts.comment_count == 2 for m in seen))
    await again.until(lambda seen: "meanwhile" in texts(seen))
    await again.until(lambda seen: any(m.deleted_comment_id == gone.comment_id for m in seen))
    assert "gone" not in texts(again.seen)
    await again.stop()


async def test_a_stream_ends_with_a_cursor_when_the_server_drains(client: Client) -> None:
    reader = watch(client)
    await reader.until(is_alive)
    client.mesh.process.registry.closing.set()
    async with asyncio.timeout(BOUND_S):
        await reader.task
    assert (reader.seen[-1].end, reader.seen[-1].end_reason) == (True, "DRAINING")
    assert reader.seen[-1].cursor


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 19])
async def test_a_cursor_that_is_none_is_refused(client: Client, cursor: str) -> None:
    with pytest.raises(Problem) as refusal:
        await anext(client.stub.WatchPosts(pb.WatchPostsRequest(post_ids=[client.post], cursor=cursor)))
    assert refusal.value.code.name == "INVALID_ARGUMENT"
