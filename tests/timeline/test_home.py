"""A home feed: every post of everyone followed, once, newest first, all the way down."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.clock import FakeClock
from mesh.errors import Problem
from mesh.testing.harness import running
from services.timeline import events
from services.timeline.home_cache import NEWEST
from services.timeline.module import MODULE
from stack.redis import RedisServer
from tests.neighbours.served_graph import Posts, ServedGraph
from tests.timeline.timeline_client import Client

ANA, BEN, EVE = 11, 12, 13
STAR = 99
DAY_MS = 86_400_000


async def make_star(client: Client, *, readers: tuple[int, ...] = ()) -> None:
    """More followers than are pushed to."""
    for follower in (*readers, *range(500, 506)):
        await client.graph.follow(follower, STAR)
    await client.settle()


async def test_a_post_reaches_followers_and_its_author_and_nobody_else(client: Client) -> None:
    await client.graph.follow(BEN, ANA)
    for reader in (ANA, BEN, EVE):
        assert await client.home(reader) == []
    post = await client.posts.post(ANA)
    await client.settle()
    assert await client.home(BEN) == [post]
    assert await client.home(ANA) == [post]
    assert await client.home(EVE) == []
    assert await client.pulled(BEN) == []


@pytest.mark.parametrize("cached", [True, False])
async def test_a_feed_goes_all_the_way_down_past_what_is_cached(client: Client, cached: bool) -> None:
    await client.graph.follow(BEN, ANA)
    assert await client.home(BEN) == []
    written = [await client.posts.post(ANA) for _ in range(NEWEST + 90)]
    await client.settle()
    for size in (200, 37):
        if not cached:
            await client.mesh.process.cache.execute("FLUSHALL")
        assert await client.home(BEN, size) == written[::-1]


async def test_a_cursor_stands_still_while_new_posts_come(client: Client) -> None:
    await client.graph.follow(BEN, ANA)
    await client.home(BEN)
    written = [await client.posts.post(ANA) for _ in range(30)]
    await client.settle()
    first = await client.page(BEN, 10)
    newer = [await client.posts.post(ANA) for _ in range(5)]
    await client.settle()
    second = await client.page(BEN, 20, first.next_before_post_id)
    assert [*first.post_ids, *second.post_ids] == written[::-1]
    assert (await client.page(BEN, 5)).post_ids == newer[::-1]


async def test_posts_that_become_known_out_of_order_stand_in_order(client: Client) -> None:
    await client.graph.follow(BEN, ANA)
    await client.home(BEN)
    ids = [client.mesh.process.ids.next() for _ in range(20)]
    for at in (3, 0, 19, 7, 5, 12, 1, 18, 2):
        await client.posts.post(ANA, ids[at])
        await client.settle()
    expected = [ids[at] for at in sorted((3, 0, 19, 7, 5, 12, 1, 18, 2), reverse=True)]
    assert await client.home(BEN) == expected
    await client.mesh.process.cache.execute("FLUSHALL")
    assert await client.home(BEN) == expected


async def test_posts_of_authors_with_many_followers_are_pulled_and_merged(client: Client, clock: FakeClock) -> None:
    await make_star(client, readers=(BEN,))
    await client.graph.follow(BEN, ANA)
    await client.home(BEN)
    written = []
    for _ in range(30):
        clock.advance(60_000)
        written += [await client.posts.post(STAR), await client.posts.post(ANA)]
    await client.settle()
    for size in (200, 7, 1):
        assert await client.home(BEN, size) == written[::-1]
    page = await client.page(BEN, 10)
    assert page.post_ids == written[-10:][::-1]
    assert await client.pulled(BEN, 10) == written[-10::2][::-1]
    assert await client.home(EVE) == []


async def test_an_author_who_becomes_pulled_and_pushed_again_loses_no_post(client: Client, clock: FakeClock) -> None:
    for follower in (BEN, 500, 501, 502):
        await client.graph.follow(follower, STAR)
    await client.home(BEN)
    written = [await client.posts.post(STAR)]
    await client.settle()
    for follower in (503, 504, 505):
        await client.graph.follow(follower, STAR)
    written.append(await client.posts.post(STAR))
    await client.settle()
    # Six of at most five followers made it pulled; five are not few enough to go back, three are.
    await client.graph.unfollow(500, STAR)
    await client.graph.unfollow(501, STAR)
    written.append(await client.posts.post(STAR))
    await client.settle()
    assert await client.pulled(BEN) == written[1:][::-1]
    for follower in (502, 503):
        await client.graph.unfollow(follower, STAR)
    written.append(await client.posts.post(STAR))
    await client.settle()
    assert await client.pulled(BEN) == written[1:3][::-1]
    assert await client.home(BEN, 1) == written[::-1]


@pytest.mark.parametrize("flags", [{"timeline.pull_threshold": "5", "timeline.pulled_index": "10"}])
async def test_pulled_posts_older_than_the_index_are_still_there(client: Client) -> None:
    await make_star(client, readers=(BEN,))
    await client.graph.follow(BEN, ANA)
    await client.home(BEN)
    written = []
    for _ in range(15):
        written += [await client.posts.post(STAR), await client.posts.post(ANA)]
    await client.settle()
    for size in (200, 5, 1):
        assert await client.home(BEN, size) == written[::-1]


async def test_a_process_that_starts_later_knows_the_pulled_posts(
    client: Client, own_redis: RedisServer, tmp_path: Path, clock: FakeClock, flags: dict[str, str]
) -> None:
    await make_star(client, readers=(BEN,))
    written = [await client.posts.post(STAR) for _ in range(4)]
    await client.settle()
    graph, posts = ServedGraph(), Posts()
    graph.following, graph.followers = client.graph.following, client.graph.followers
    modules = [graph.module(), posts.module(), MODULE]
    flags = {**flags, "node": "1"}
    async with running(modules, tmp_path, redis_url=own_redis.url, clock=clock, flags=flags) as mesh:
        assert await Client(mesh, graph, posts).home(BEN) == written[::-1]


async def test_a_new_follow_brings_the_followees_newest_posts_in_their_places(client: Client) -> None:
    await client.graph.follow(BEN, ANA)
    await client.home(BEN)
    written = []
    for _ in range(40):
        written += [await client.posts.post(ANA), await client.posts.post(EVE)]
    await client.settle()
    assert await client.home(BEN) == written[0::2][::-1]
    await client.graph.follow(BEN, EVE)
    await client.settle()
    assert await client.home(BEN) == written[::-1]


async def test_an_unfollowed_author_vanishes_and_comes_back_whole(client: Client) -> None:
    await client.graph.follow(BEN, ANA)
    await client.graph.follow(BEN, EVE)
    await client.home(BEN)
    by_ana = [await client.posts.post(ANA) for _ in range(60)]
    by_eve = [await client.posts.post(EVE) for _ in range(60)]
    await client.settle()
    await client.graph.unfollow(BEN, EVE)
    await client.settle()
    assert await client.home(BEN, 20) == by_ana[::-1]
    await client.graph.follow(BEN, EVE)
    await client.settle()
    assert await client.home(BEN, 20) == [*by_eve[::-1], *by_ana[::-1]]


async def test_a_reader_who_was_away_is_not_pushed_to_and_finds_the_feed_rebuilt(
    client: Client, clock: FakeClock
) -> None:
    await client.graph.follow(BEN, ANA)
    await client.home(BEN)
    before = await client.posts.post(ANA)
    await client.settle()
    clock.advance(31 * DAY_MS)
    while_away = [await client.posts.post(ANA) for _ in range(3)]
    await client.settle()
    assert await client.home(BEN) == [*while_away[::-1], before]


async def test_a_feed_ends_where_its_time_to_live_does(client: Client, clock: FakeClock) -> None:
    await make_star(client, readers=(BEN,))
    await client.graph.follow(BEN, ANA)
    await client.home(BEN)
    for author in (ANA, STAR):
        await client.posts.post(author)
    await client.settle()
    clock.advance(61 * DAY_MS)
    late = await client.posts.post(ANA)
    await client.settle()
    assert await client.home(BEN) == [late]


async def test_a_warm_feed_costs_one_round_trip(client: Client) -> None:
    await client.graph.follow(BEN, ANA)
    for _ in range(30):
        await client.posts.post(ANA)
    await client.settle()
    await client.page(BEN)
    before = client.mesh.process.cache.stats.calls
    await client.page(BEN)
    assert client.mesh.process.cache.stats.calls == before + 1


@pytest.mark.parametrize("size", [0, 201, -1])
async def test_a_page_size_out_of_range_is_refused(client: Client, size: int) -> None:
    with pytest.raises(Problem) as refusal:
        await client.page(BEN, size)
    assert refusal.value.fields[0].field == "page_size"


@pytest.fixture
def without_tails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process hears of a follow by its group alone, as where its tail is behind."""
    monkeypatch.setattr(events, "invalidation", lambda following: {})


async def test_a_new_follow_shows_at_once_what_it_brought(without_tails: None, client: Client) -> None:
    post = await client.posts.post(ANA)
    assert await client.home(BEN) == []
    await client.graph.follow(BEN, ANA)
    await client.settle()
    assert await client.home(BEN) == [post]
