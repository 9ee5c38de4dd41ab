"""The storage tests' engines."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator

import pytest

from stack.cassandra import CassandraCluster

pytest.register_assert_rewrite("mesh.testing.storage")


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
