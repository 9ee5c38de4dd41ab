"""Nothing acknowledged is lost or doubled when a node of three dies, and nothing waits for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.distributed.installed import Installed, installed
from tests.faults.faults import Fault, survive

NODES = ("cassandra-1", "cassandra-2", "cassandra-3")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    more = {"TINTYPE_STACK__CASSANDRA": "true", "TINTYPE_STACK__CASSANDRA_NODES": str(len(NODES))}
    with installed(tmp_path_factory.mktemp("three"), more=more) as installation:
        yield installation


@pytest.mark.faults
@pytest.mark.cassandra
@pytest.mark.parametrize("fault", [Fault(node) for node in NODES], ids=str)
async def test_nothing_acknowledged_is_lost_or_doubled(installation: Installed, fault: Fault, seed: int) -> None:
    await survive(installation, fault, seed)
