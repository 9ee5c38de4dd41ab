"""The walk with every fact in a real Cassandra."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from installed import Installed, installed
from mesh_client import Rest
from test_walk import test_the_walk_over_grpc, test_the_walk_over_rest

__all__ = ["test_the_walk_over_grpc", "test_the_walk_over_rest"]

pytestmark = pytest.mark.cassandra


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Every service in one process, and one node of Cassandra."""
    with installed(tmp_path_factory.mktemp("wide"), more={"TINTYPE_STACK__CASSANDRA": "true"}) as installation:
        yield installation


async def test_no_fact_is_kept_in_sqlite(installation: Installed, rest: Rest) -> None:
    await rest.publish(await rest.register("ana"))
    embedded = [path.name for path in installation.state_dir.rglob("*.db")]
    assert not {f"{place}.db" for place in ("accounts", "graph", "media", "timeline", "engagement")} & set(embedded)
