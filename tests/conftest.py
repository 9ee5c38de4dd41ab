"""Real servers for the tests, started once a session on free ports with data of their own.

Tests marked cassandra run where a JDK and Maven are found; elsewhere they are left out at collection,
unless TINTYPE_REQUIRE_ENGINES=1 makes their absence an error.
"""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from stack.cassandra import CassandraCluster, available
from stack.ports import free_port
from stack.redis import RedisServer, redis_server
from stack.s3 import GRPC_DISTANCE, S3Server, s3_server

# Suites and clients show what they compared, as tests do.
pytest.register_assert_rewrite("mesh.testing", *(f"tests.{each.name}" for each in Path(__file__).parent.iterdir()))
# A failed test's log shows exceptions as Python does: no frames around them, no local variables.
_plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _plain])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = available()
    wanted = [item for item in items if item.get_closest_marker("cassandra")]
    if missing is None or not wanted:
        return
    if os.environ.get("TINTYPE_REQUIRE_ENGINES") == "1":
        raise pytest.UsageError(f"TINTYPE_REQUIRE_ENGINES=1, but Cassandra cannot run here: {missing}")
    config.hook.pytest_deselected(items=wanted)
    items[:] = [item for item in items if item not in wanted]


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis shared by the session: use keys of your own, kill `own_redis` instead."""
    yield from _running_redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of this test alone, to be killed and restarted."""
    yield from _running_redis(tmp_path / "redis")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 store shared by the session: use a bucket or keys of your own."""
    yield from _running_s3(tmp_path_factory.mktemp("s3"))


@pytest.fixture
def own_s3(tmp_path: Path) -> Iterator[S3Server]:
    """An S3 store of this test alone, to be killed and restarted; it takes seconds to start."""
    yield from _running_s3(tmp_path / "s3")


@pytest.fixture(scope="session")
def cassandra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CassandraCluster]:
    """One real node, started when the first test asks for it."""
    cluster = CassandraCluster(tmp_path_factory.mktemp("cassandra"))
    asyncio.run(cluster.start())
    yield cluster
    cluster.kill()
    # acsylla leaves the sockets by which its threads wake the event loop to the garbage collector.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _running_redis(directory: Path) -> Iterator[RedisServer]:
    server = redis_server(directory, free_port())
    asyncio.run(server.process.start())
    yield server
    asyncio.run(server.process.stop())


def _running_s3(directory: Path) -> Iterator[S3Server]:
    server = s3_server(directory, free_port(also=(GRPC_DISTANCE,)))
    asyncio.run(server.process.start())
    yield server
    asyncio.run(server.process.stop())
