"""The cache client on a real Redis."""

from __future__ import annotations

import pytest

from mesh.testing.cache_conformance import CacheConformance, Server
from stack.redis import RedisServer


class TestRedis(CacheConformance):
    @pytest.fixture
    def shared(self, redis: RedisServer) -> Server:
        return redis

    @pytest.fixture
    def own(self, own_redis: RedisServer) -> Server:
        return own_redis
