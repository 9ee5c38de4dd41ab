"""The bus contract on Redis Streams."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mesh.testing.bus_conformance import BusConformance, BusServer
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


class TestRedisStreams(BusConformance):
    @pytest.fixture
    def server(self, own_redis: RedisServer, tmp_path: Path) -> BusServer:
        return CrashingRedis(own_redis, tmp_path / "redis")
