"""The accounts service on a real store and a real Redis, called through its RPCs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mesh.clock import FakeClock
from mesh.testing.harness import running
from services.accounts.module import MODULE
from stack.redis import RedisServer
from tests.accounts.accounts_client import CHEAP_HASHES, Accounts


@pytest.fixture
def clock() -> FakeClock:
    """Time, moved by hand. It starts where real ids would be made."""
    return FakeClock(1_800_000_000_000)


@pytest.fixture
async def accounts(tmp_path: Path, own_redis: RedisServer, clock: FakeClock) -> AsyncIterator[Accounts]:
    """The service alone in a process of its own."""
    async with running([MODULE], tmp_path / "state", redis_url=own_redis.url, clock=clock, flags=CHEAP_HASHES) as mesh:
        yield Accounts(mesh, clock)
