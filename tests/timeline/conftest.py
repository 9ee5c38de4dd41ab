"""The timeline on a real Redis and a real store, with a small graph and a source of posts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mesh.clock import FakeClock
from mesh.testing.harness import running
from services.timeline.module import MODULE
from stack.redis import RedisServer
from tests.neighbours.served_graph import Posts, ServedGraph
from tests.timeline.timeline_client import Client


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(time.time_ns() // 1_000_000)


@pytest.fixture
def flags() -> dict[str, str]:
    """Authors with more than five followers are pulled."""
    return {"timeline.pull_threshold": "5"}


@pytest.fixture
async def client(
    own_redis: RedisServer, tmp_path: Path, clock: FakeClock, flags: dict[str, str]
) -> AsyncIterator[Client]:
    graph, posts = ServedGraph(), Posts()
    modules = [graph.module(), posts.module(), MODULE]
    async with running(modules, tmp_path, redis_url=own_redis.url, clock=clock, flags=flags) as mesh:
        yield Client(mesh, graph, posts)
