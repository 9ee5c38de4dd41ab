"""Likes and their counts while Redis is away, or has lost everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mesh.testing.harness import Harness, running
from services.engagement.module import MODULE
from stack.redis import RedisServer
from tests.engagement.engagement_client import BEN, EVE, Client
from tests.neighbours.served_posts import media_module


@pytest.fixture
async def mesh(own_redis: RedisServer, tmp_path: Path) -> AsyncIterator[Harness]:
    async with running([media_module({}), MODULE], tmp_path, redis_url=own_redis.url) as mesh:
        yield mesh


async def test_counts_stay_exact_when_redis_loses_everything(mesh: Harness) -> None:
    client = Client(mesh, 6_000)
    for person in range(100, 120):
        await client.like(person)
        if person % 5 == 0:
            await mesh.process.cache.execute("FLUSHALL")
    for person in range(100, 110):
        await client.unlike(person)
    await mesh.settle()
    assert (await client.counts())[0].like_count == 10
    assert sorted(await client.likers()) == list(range(110, 120))


async def test_likes_and_counts_go_on_while_redis_is_dead(mesh: Harness, own_redis: RedisServer) -> None:
    client = Client(mesh, 7_000)
    await client.like(EVE)
    assert (await client.counts(EVE))[0].like_count == 1
    await own_redis.process.stop()
    assert (await client.like(BEN)).like_count == 2
    seen = (await client.counts(BEN))[0]
    assert (seen.like_count, seen.liked) == (2, True)
    await own_redis.process.start()
    await mesh.settle()
    assert sorted(await client.likers()) == [BEN, EVE]
    assert (await client.counts())[0].like_count == 2
