"""The bus contract on Redis Streams."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from mesh.testing.bus_conformance import BusConformance
from mesh.testing.events.world import WAIT_S, BusServer, Seen, World, post
from stack.redis import RedisServer


class CrashingRedis:
    """A real Redis that the tests kill."""

    def __init__(self, redis: RedisServer, directory: Path) -> None:
        self.url, self._redis, self._directory = redis.url, redis, directory

    async def kill(self) -> None:
        self._redis.process.kill()

    async def start(self) -> None:
        await self._redis.process.start()

    def wipe(self) -> None:
        shutil.rmtree(self._directory)
        self._directory.mkdir()

    async def flush(self) -> None:
        async with Redis.from_url(self.url) as client:
            await client.flushall()


class TestRedisStreams(BusConformance):
    @pytest.fixture
    def server(self, own_redis: RedisServer, tmp_path: Path) -> BusServer:
        return CrashingRedis(own_redis, tmp_path / "redis")

    async def test_what_a_killed_process_held_is_delivered_to_another(self, world: World) -> None:
        events, outbox = await world.publisher()
        for number in range(10):
            await outbox.commit([], [post(number)])
        dying = await asyncio.create_subprocess_exec(
            sys.executable,
            Path(__file__).with_name("dying_consumer.py"),
            world.server.url,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=asyncio.subprocess.PIPE,
        )
        assert dying.stdout is not None
        async with asyncio.timeout(WAIT_S):
            assert await dying.stdout.readline() == b"0\n"
        dying.kill()
        await dying.wait()
        seen = Seen()
        await world.consumer(seen)
        await events.settle()
        assert seen.numbers() == list(range(10))
