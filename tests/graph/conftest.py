"""The graph on a real store and a real Redis, beside the real accounts service, called through its RPCs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mesh.clock import FakeClock
from mesh.testing.harness import running
from services.accounts import module as accounts_module
from services.graph import module as graph_module
from stack.redis import RedisServer
from tests.graph.graph_client import Graph

FLAGS = {
    "accounts.argon2_memory_kib": "8",
    "accounts.argon2_passes": "1",
    "graph.follower_shards": "3",
    "graph.following_limit": "5",
    "graph.list_limit": "3",
}


@pytest.fixture
def clock() -> FakeClock:
    """Time, moved by hand."""
    return FakeClock(1_800_000_000_000)


@pytest.fixture
async def graph(tmp_path: Path, own_redis: RedisServer, clock: FakeClock) -> AsyncIterator[Graph]:
    """The graph and the accounts in a process of their own."""
    modules = [accounts_module.MODULE, graph_module.MODULE]
    async with running(modules, tmp_path / "state", redis_url=own_redis.url, clock=clock, flags=FLAGS) as mesh:
        yield Graph(mesh, clock)
