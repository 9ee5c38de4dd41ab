"""The storage tests' engines. Cassandra's tests run where a JDK and Maven are found; elsewhere they are
left out at collection, unless TINTYPE_REQUIRE_ENGINES=1 makes their absence an error."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from collections.abc import Iterator

import pytest

from stack.cassandra import CassandraCluster, available

pytest.register_assert_rewrite("mesh.testing.storage")


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
