"""What decides where rows lie is kept with them: a start with another value is refused before anything is written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mesh.app import Module
from mesh.app.layout import LAYOUT, pin
from mesh.clock import SystemClock
from mesh.config import ConfigError
from mesh.storage import Unavailable, open_store
from mesh.storage.wrappers import Faulty
from mesh.testing.harness import running
from services.engagement.module import MODULE as ENGAGEMENT
from services.graph.module import MODULE as GRAPH
from stack.redis import RedisServer


@pytest.mark.parametrize(
    ("module", "name", "first", "then"),
    [
        (GRAPH, "graph.follower_shards", 16, 32),
        (ENGAGEMENT, "engagement.bucket_rows", 500_000, 1_000),
        (GRAPH, "events.shards", 4, 8),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_another_value_is_refused_with_both_named(
    redis: RedisServer, tmp_path: Path, module: Module, name: str, first: int, then: int
) -> None:
    async with running([module], tmp_path, redis_url=redis.url):
        pass
    message = f"{name}: is {then}, but what is stored was laid out by {first}: set it to {first}"
    with pytest.raises(ConfigError, match=message):
        async with running([module], tmp_path, redis_url=redis.url, flags={name: str(then)}):
            pass
    async with running([module], tmp_path, redis_url=redis.url):
        pass


async def test_of_two_that_start_at_once_with_different_values_one_goes_on(tmp_path: Path) -> None:
    stores = [await open_store(f"sqlite://{tmp_path}", "one", SystemClock()) for _ in range(2)]
    for store in stores:
        await store.create([LAYOUT])
    values = {"one.rows": 1}, {"one.rows": 2}
    ends = await asyncio.gather(*map(pin, stores, values), return_exceptions=True)
    assert sorted(type(end) for end in ends if end) == [ConfigError]
    for store in stores:
        await store.close()


async def test_a_lost_answer_is_read_back_and_a_store_that_is_away_says_so(tmp_path: Path) -> None:
    store = Faulty(await open_store(f"sqlite://{tmp_path}", "one", SystemClock()))
    await store.create([LAYOUT])
    store.lose_answer("insert_if_absent")
    await pin(store, {"one.rows": 1})
    await pin(store, {"one.rows": 1})
    store.fail("get")
    with pytest.raises(Unavailable):
        await pin(store, {"one.rows": 1})
    await store.close()
