from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tintype.search.v1 import search_pb2 as pb
from tintype.search.v1.search_pb2_grpc import SearchServiceStub
from tintype.type.v1 import content_pb2

from mesh.errors import Code, Problem
from mesh.testing.harness import running
from services.search.module import MODULE
from stack.redis import RedisServer
from tests.neighbours.fact_owners import Accounts, Posts

KOTOR = content_pb2.Place(place_id="kotor", name="Old Town, Kotor", latitude=42.425, longitude=18.771)


class Mesh:
    """Search beside the owners of its facts."""

    def __init__(self, harness: Any, accounts: Accounts, posts: Posts) -> None:
        self.settle, self.stub = harness.settle, harness.stub(SearchServiceStub)
        self.accounts, self.posts = accounts, posts

    async def found(self, query: str, **more: Any) -> list[int]:
        return list((await self.stub.SearchPosts(pb.SearchPostsRequest(query=query, **more))).post_ids)

    async def people(self, query: str) -> list[int]:
        return list((await self.stub.SearchUsers(pb.SearchUsersRequest(query=query))).user_ids)

    async def hashtags(self, query: str) -> dict[str, int]:
        answer = await self.stub.SearchHashtags(pb.SearchHashtagsRequest(query=query))
        return {hit.tag: hit.post_count for hit in answer.hashtags}


@asynccontextmanager
async def mesh_in(state_dir: Path, redis: RedisServer, accounts: Accounts, posts: Posts) -> AsyncIterator[Mesh]:
    modules = [accounts.module, posts.module, MODULE]
    async with running(modules, state_dir, redis_url=redis.url) as harness:
        await harness.settle()
        yield Mesh(harness, accounts, posts)


async def eventually(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Ask until the answer is right; after 10 s it is what it is."""
    for _ in range(1000):
        if await ask() == wanted:
            return
        await asyncio.sleep(0.01)
    assert await ask() == wanted


@pytest.fixture
async def mesh(tmp_path: Path, own_redis: RedisServer) -> AsyncIterator[Mesh]:
    async with mesh_in(tmp_path / "state", own_redis, Accounts(), Posts()) as mesh:
        await mesh.accounts.change(7, username="ana", display_name="Ana Öztürk")
        await mesh.settle()
        yield mesh


async def test_what_happens_elsewhere_is_found_here(mesh: Mesh) -> None:
    await mesh.posts.change(1, "Sunset 🌅 in Kotor #Sunset", hashtags=["Sunset"], place=KOTOR)
    await mesh.settle()
    assert await mesh.people("@ana") == [7]
    assert await mesh.found("sunset 🌅") == [1]
    assert await mesh.hashtags("sun") == {"sunset": 1}
    answer = await mesh.stub.SearchPlaces(pb.SearchPlacesRequest(query="kotor"))
    assert [(hit.place_id, hit.name, hit.latitude, hit.post_count) for hit in answer.places] == [
        ("kotor", "Old Town, Kotor", 42.425, 1)
    ]
    for by in ({"hashtag": "#sunset"}, {"place_id": "kotor"}):
        assert list((await mesh.stub.ListTagged(pb.ListTaggedRequest(**by))).post_ids) == [1]


async def test_edits_archives_audiences_and_deletes_hold_here(mesh: Mesh) -> None:
    for number in (1, 2, 3, 4):
        await mesh.posts.change(number, "sea", hashtags=["sea"])
    await mesh.posts.change(1, "lake", hashtags=["lake"])
    await mesh.posts.change(2, "sea", hashtags=["sea"], archived=True)
    await mesh.posts.change(3, "sea", hashtags=["sea"], audience=content_pb2.AUDIENCE_FOLLOWERS)
    await mesh.settle()
    assert await mesh.found("sea") == [4, 3]
    assert await mesh.hashtags("sea") == {"sea": 1}
    await mesh.posts.delete(4)
    await mesh.posts.change(2, "sea", hashtags=["sea"])
    await mesh.settle()
    assert await mesh.found("sea") == [3, 2]
    assert await mesh.hashtags("lake") == {"lake": 1}


async def test_going_private_takes_posts_out_of_the_counts_and_hiding_takes_them_away(mesh: Mesh) -> None:
    await mesh.posts.change(1, "sea", hashtags=["sea"])
    await mesh.accounts.change(7, private=True)
    await mesh.settle()
    assert (await mesh.found("sea"), await mesh.hashtags("sea")) == ([1], {})
    await mesh.accounts.change(7, hidden=True)
    await mesh.settle()
    assert (await mesh.found("sea"), await mesh.people("ana")) == ([], [])
    await mesh.accounts.change(7, hidden=False, private=False)
    await mesh.settle()
    assert (await mesh.found("sea"), await mesh.hashtags("sea"), await mesh.people("ana")) == ([1], {"sea": 1}, [7])


async def test_pages_follow_one_another_without_repeating(mesh: Mesh) -> None:
    for number in range(1, 12):
        await mesh.posts.change(number, "sea")
    await mesh.settle()
    found: list[int] = []
    cursor = b""
    for _ in range(3):
        answer = await mesh.stub.SearchPosts(pb.SearchPostsRequest(query="sea", page_size=4, cursor=cursor))
        found += answer.post_ids
        cursor = answer.next_cursor
        await mesh.posts.change(100 + len(found), "sea")
        await mesh.settle()
    assert (found, cursor) == (list(range(11, 0, -1)), b"")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.SearchPostsRequest(query=""), "query"),
        (pb.SearchPostsRequest(query="x" * 201), "query"),
        (pb.SearchPostsRequest(query="x", page_size=101), "page_size"),
        (pb.SearchPostsRequest(query="x", cursor=b"\x00"), "cursor"),
        (pb.SearchPostsRequest(query="x", cursor=b"\x00" * 9 + b"\xff"), "cursor"),
    ],
)
async def test_bad_requests_are_refused_by_the_name_of_the_field(mesh: Mesh, request_: Any, field: str) -> None:
    with pytest.raises(Problem) as refusal:
        await mesh.stub.SearchPosts(request_)
    assert refusal.value.code is Code.INVALID_ARGUMENT
    assert [violation.field for violation in refusal.value.fields] == [field]


async def test_listing_needs_a_hashtag_or_a_place(mesh: Mesh) -> None:
    with pytest.raises(Problem) as refusal:
        await mesh.stub.ListTagged(pb.ListTaggedRequest())
    assert refusal.value.code is Code.INVALID_ARGUMENT


async def test_the_index_survives_a_restart(tmp_path: Path, own_redis: RedisServer) -> None:
    accounts, posts = Accounts(), Posts()
    async with mesh_in(tmp_path, own_redis, accounts, posts) as mesh:
        await accounts.change(7, username="ana")
        await posts.change(1, "sea", hashtags=["sea"])
        await mesh.settle()
    async with mesh_in(tmp_path, own_redis, accounts, posts) as mesh:
        assert (await mesh.found("sea"), await mesh.hashtags("sea"), await mesh.people("ana")) == ([1], {"sea": 1}, [7])


async def test_reindexing_finds_what_no_event_told_of(mesh: Mesh) -> None:
    await mesh.accounts.change(8, username="ben", announce=False)
    for number in range(1, 8):
        await mesh.posts.change(number, "sea", author_id=8, announce=False)
    assert await mesh.found("sea") == []
    answer = await mesh.stub.Reindex(pb.ReindexRequest())
    assert (answer.user_count, answer.post_count) == (2, 7)
    assert await mesh.found("sea") == [7, 6, 5, 4, 3, 2, 1]
    assert await mesh.people("ben") == [8]


async def test_what_changes_while_reindexing_is_not_lost(mesh: Mesh) -> None:
    for number in range(1, 8):
        await mesh.posts.change(number, "sea", hashtags=["sea"])
    await mesh.settle()

    async def change_what_was_just_listed(listed: Any) -> None:
        """The page holds older facts than the index gets by the events of these changes."""
        if any(post.post_id == 2 for post in listed):
            await mesh.posts.delete(2)
            await mesh.posts.change(1, "lake", hashtags=["lake"])
            await mesh.posts.change(9, "sea", hashtags=["sea"])
            await mesh.settle()

    mesh.posts.when_listed = change_what_was_just_listed
    await mesh.stub.Reindex(pb.ReindexRequest())
    await mesh.settle()
    assert await mesh.found("sea") == [9, 7, 6, 5, 4, 3]
    assert await mesh.found("lake") == [1]
    assert await mesh.hashtags("sea") == {"sea": 6}


async def test_reindexing_twice_at_once_is_one_rebuild(mesh: Mesh) -> None:
    await mesh.posts.change(1, "sea")
    await mesh.settle()
    listed = 0

    async def count(page: Any) -> None:
        nonlocal listed
        listed += len(page)

    mesh.posts.when_listed = count
    answers = await asyncio.gather(*(mesh.stub.Reindex(pb.ReindexRequest()) for _ in range(3)))
    assert [answer.post_count for answer in answers] == [1, 1, 1]
    assert listed == 1


async def test_a_rebuild_that_fails_leaves_the_index_in_use(mesh: Mesh) -> None:
    await mesh.posts.change(1, "sea")
    await mesh.settle()

    async def fail(page: Any) -> None:
        raise Problem(Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "media is away")

    mesh.posts.when_listed = fail
    with pytest.raises(Problem) as refusal:
        await mesh.stub.Reindex(pb.ReindexRequest())
    assert refusal.value.reason == "DEPENDENCY_UNAVAILABLE"
    assert await mesh.found("sea") == [1]
    await mesh.posts.change(2, "sea")
    await mesh.settle()
    assert await mesh.found("sea") == [2, 1]


async def test_a_lost_index_is_built_again_by_itself(tmp_path: Path, own_redis: RedisServer) -> None:
    accounts, posts = Accounts(), Posts()
    async with mesh_in(tmp_path / "first", own_redis, accounts, posts) as mesh:
        await accounts.change(7, username="ana")
        await posts.change(1, "sea")
        await mesh.settle()
    async with mesh_in(tmp_path / "second", own_redis, accounts, posts) as mesh:
        await eventually(lambda: mesh.found("sea"), [1])
        assert await mesh.people("ana") == [7]
