"""The timeline beside the real graph and the real accounts: following people is all it takes."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tintype.accounts.v1 import accounts_pb2, accounts_pb2_grpc
from tintype.graph.v1 import graph_pb2, graph_pb2_grpc

from mesh.testing.harness import Harness, running
from services.accounts import module as accounts_module
from services.graph import module as graph_module
from services.timeline.module import MODULE
from stack.redis import RedisServer
from tests.neighbours.served_graph import Posts, ServedGraph
from tests.timeline.timeline_client import Client

FLAGS = {"accounts.argon2_memory_kib": "8", "accounts.argon2_passes": "1", "timeline.pull_threshold": "2"}


@pytest.fixture
async def real(tmp_path: Path, own_redis: RedisServer) -> AsyncIterator[tuple[Harness, Client]]:
    posts = Posts()
    modules = [accounts_module.MODULE, graph_module.MODULE, posts.module(), MODULE]
    async with running(modules, tmp_path, redis_url=own_redis.url, flags=FLAGS) as mesh:
        yield mesh, Client(mesh, ServedGraph(), posts)


async def person(mesh: Harness, name: str) -> int:
    request = accounts_pb2.RegisterRequest(
        request_id=str(uuid.uuid4()),
        username=name,
        email=f"{name}@example.org",
        password="correct horse battery",
        display_name=name,
    )
    answer = await mesh.stub(accounts_pb2_grpc.AccountsServiceStub).Register(request)
    return int(answer.account.user.user_id)


async def test_pushed_and_pulled_posts_of_those_followed_make_one_feed(real: Any) -> None:
    mesh, client = real
    graph = mesh.stub(graph_pb2_grpc.GraphServiceStub)
    ana, star, ben, eve, joe = [await person(mesh, name) for name in ("ana", "star", "ben", "eve", "joe")]
    for reader, author in ((ben, ana), (ben, star), (eve, star), (joe, star)):
        with mesh.user(reader):
            await graph.Follow(graph_pb2.FollowRequest(user_id=author))
    assert await client.home(ben) == []
    written = []
    for _ in range(5):
        written += [await client.posts.post(ana), await client.posts.post(star)]
    await client.settle()
    assert await client.home(ben, 3) == written[::-1]
    assert await client.pulled(ben, 2) == [written[-1]]
    with mesh.user(ben):
        await graph.Unfollow(graph_pb2.UnfollowRequest(user_id=star))
    await client.settle()
    assert await client.home(ben) == written[0::2][::-1]
