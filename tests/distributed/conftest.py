"""One installation in the distributed form for each module of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import grpc
import pytest
import pytest_asyncio

from tests.distributed.installed import APART, Installed, installed
from tests.mesh.mesh_client import Rest


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Every service in a process of its own."""
    with installed(tmp_path_factory.mktemp("spread"), APART) as installation:
        yield installation


@pytest_asyncio.fixture
async def rest(installation: Installed) -> AsyncIterator[Rest]:
    """The REST door."""
    async with Rest(installation.url) as rest:
        yield rest


@pytest_asyncio.fixture
async def channel(installation: Installed) -> AsyncIterator[grpc.aio.Channel]:
    """The gRPC door."""
    async with grpc.aio.insecure_channel(installation.gateway) as channel:
        yield channel
