"""The engagement service on a real Redis and a real store."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mesh.testing.harness import running
from services.engagement.module import MODULE
from stack.redis import RedisServer
from tests.engagement.engagement_client import ANA, Client
from tests.neighbours.served_posts import media_module

_posts = itertools.count(time.time_ns())
FLAGS = {"engagement.bucket_rows": "4"}
"""Small partitions, so that every list test crosses several."""


@pytest.fixture
def post_id() -> int:
    return next(_posts)


@pytest.fixture
def modules(post_id: int) -> list[Any]:
    """Ana wrote the post."""
    return [media_module({post_id: ANA}), MODULE]


@pytest.fixture
async def client(modules: list[Any], post_id: int, own_redis: RedisServer, tmp_path: Path) -> AsyncIterator[Client]:
    async with running(modules, tmp_path, redis_url=own_redis.url, flags=FLAGS) as mesh:
        yield Client(mesh, post_id)
