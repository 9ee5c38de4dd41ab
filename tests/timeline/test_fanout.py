"""Fan-out reaches every follower once in effect: interrupted anywhere, repeated, with Redis or without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tintype.events.v1.media_pb2 import PostChanged

from mesh.storage import Unavailable
from services.timeline import fanout
from services.timeline.author_store import AuthorStore
from services.timeline.home_cache import HomeCache
from services.timeline.home_store import HomeStore
from stack.redis import RedisServer
from tests.neighbours.served_graph import SHARDS
from tests.timeline.timeline_client import Client

ANA = 11
FOLLOWERS = list(range(1_000, 1_040))


@pytest.fixture
def flags() -> dict[str, str]:
    """Everybody is pushed to."""
    return {"timeline.pull_threshold": "1000"}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three followers a page, so that a fan-out has many steps."""
    monkeypatch.setattr(fanout, "PAGE", 3)


async def followed(client: Client) -> None:
    """Everybody follows, is here, and has a feed in the cache."""
    for follower in FOLLOWERS:
        await client.graph.follow(follower, ANA)
    await client.settle()
    for reader in (*FOLLOWERS, ANA):
        await client.page(reader)


def failing(method: Callable[..., Awaitable[Any]], at: int) -> Callable[..., Awaitable[Any]]:
    """The method, whose call number ``at`` fails once it is done: done, but nobody heard."""
    calls = 0

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = await method(self, *args, **kwargs)
        if calls == at:
            raise Unavailable("the answer was lost")
        return result

    return call


@pytest.mark.parametrize(
    ("owner", "verb", "at"),
    [
        (AuthorStore, "add_post", 1),
        (AuthorStore, "recount", 1),
        (AuthorStore, "note_progress", 1),
        (AuthorStore, "note_progress", 5),
        (HomeStore, "push", 4),
        (HomeCache, "push", 4),
    ],
)
async def test_an_interrupted_fanout_goes_on_and_reaches_everybody_once(
    client: Client, monkeypatch: pytest.MonkeyPatch, owner: type, verb: str, at: int
) -> None:
    await followed(client)
    monkeypatch.setattr(owner, verb, failing(getattr(owner, verb), at))
    post = await client.posts.post(ANA)
    await client.settle()
    for reader in (*FOLLOWERS, ANA):
        assert await client.home(reader) == [post]
    assert await client.counts(ANA) == [1]


async def test_a_resumed_fanout_does_not_begin_anew(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    await followed(client)
    pages = sum(-(-len([f for f in FOLLOWERS if f % SHARDS == shard]) // 3) for shard in range(SHARDS))
    pushes_of_all = pages + 1  # the author's own feed
    monkeypatch.setattr(HomeCache, "push", failing(HomeCache.push, pushes_of_all))
    await client.posts.post(ANA)
    await client.settle()
    assert pages < client.graph.scans <= pages + 1 + SHARDS, "a shard's last page at most is read again"


async def test_a_finished_fanout_that_is_asked_for_again_asks_for_no_followers(client: Client) -> None:
    await followed(client)
    post = await client.posts.post(ANA)
    await client.settle()
    scans = client.graph.scans
    await client.posts.publish(PostChanged(post_id=post, author_id=ANA, version=1))
    await client.settle()
    assert client.graph.scans == scans


async def test_a_fanout_while_redis_is_wiped_leaves_no_gap(client: Client) -> None:
    await followed(client)
    written = []
    for _ in range(5):
        written.append(await client.posts.post(ANA))
        await client.mesh.process.cache.execute("FLUSHALL")
    await client.settle()
    for reader in FOLLOWERS[:5]:
        assert await client.home(reader) == written[::-1]


async def test_a_push_during_a_rebuild_is_not_missed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    await client.graph.follow(FOLLOWERS[0], ANA)
    await client.page(FOLLOWERS[0])
    first = await client.posts.post(ANA)
    await client.settle()
    await HomeCache(client.mesh.process.cache, 1).forget(FOLLOWERS[0])
    read, late = HomeStore.read, []

    async def slow(self: HomeStore, reader_id: int, before: int, limit: int) -> Any:
        rows = await read(self, reader_id, before, limit)
        if not late:
            late.append(await client.posts.post(ANA))
            await client.settle()
        return rows

    monkeypatch.setattr(HomeStore, "read", slow)
    await client.page(FOLLOWERS[0])
    assert await client.home(FOLLOWERS[0]) == [*late, first]


async def test_feeds_are_read_while_redis_is_dead_and_whole_once_it_is_back(
    client: Client, own_redis: RedisServer
) -> None:
    await followed(client)
    first = await client.posts.post(ANA)
    await client.settle()
    await own_redis.process.stop()
    assert await client.home(FOLLOWERS[0]) == [first]
    second = await client.posts.post(ANA)
    await own_redis.process.start()
    await client.settle()
    for reader in FOLLOWERS[:5]:
        assert await client.home(reader) == [second, first]


async def test_post_counts_follow_archiving_and_deleting_exactly(client: Client) -> None:
    posts = [await client.posts.post(ANA) for _ in range(6)]
    await client.settle()
    assert await client.counts(ANA, 12345) == [6, 0]
    await client.posts.change(ANA, posts[0], archived=True)
    await client.posts.change(ANA, posts[1], deleted=True)
    await client.settle()
    assert await client.counts(ANA) == [4]
    await client.posts.change(ANA, posts[0], archived=False)
    await client.settle()
    assert await client.counts(ANA) == [5]
    assert await client.authored(ANA, 4) == posts[::-1]


async def test_an_old_version_that_comes_again_changes_nothing(client: Client) -> None:
    post = await client.posts.post(ANA)
    await client.posts.change(ANA, post, deleted=True)
    await client.settle()
    await client.posts.publish(PostChanged(post_id=post, author_id=ANA, version=1))
    await client.settle()
    assert await client.counts(ANA) == [0]
