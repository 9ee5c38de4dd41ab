"""The walk with every fact in a real Cassandra."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cli.holdings import tables
from tests.distributed.installed import Installed, installed
from tests.mesh.mesh_client import Rest, error_of, eventually
from tests.mesh.test_out_of_sight import (
    scene,
    test_a_hidden_account_is_gone_everywhere_and_comes_back_as_it_was,
    test_a_removed_post_is_gone_everywhere_and_comes_back_as_it_was,
)
from tests.mesh.test_walk import test_the_walk_over_grpc, test_the_walk_over_rest

__all__ = [
    "scene",
    "test_a_hidden_account_is_gone_everywhere_and_comes_back_as_it_was",
    "test_a_removed_post_is_gone_everywhere_and_comes_back_as_it_was",
    "test_the_walk_over_grpc",
    "test_the_walk_over_rest",
]

pytestmark = pytest.mark.cassandra


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Every service in one process, and one node of Cassandra."""
    with installed(tmp_path_factory.mktemp("wide"), more={"TINTYPE_STACK__CASSANDRA": "true"}) as installation:
        yield installation


async def test_no_fact_is_kept_in_sqlite(installation: Installed, rest: Rest) -> None:
    await rest.publish(await rest.register("ana"))
    embedded = [path.name for path in installation.state_dir.rglob("*.db")]
    assert not {f"{place}.db" for place in tables()} & set(embedded)


async def test_a_cassandra_that_is_gone_is_said_and_nothing_acknowledged_is_lost(
    installation: Installed, rest: Rest
) -> None:
    ana, ben = await rest.register("ana"), await rest.register("ben")
    post_id = (await rest.publish(ana, "before the outage"))["postId"]
    node = installation.process("cassandra-1")
    node.kill()
    try:

        async def refused() -> Any:
            answer = await rest.ask("PUT", f"/v1/me/following/{ana.at}", ben)
            assert answer.status_code != 500, answer.text
            return answer if answer.status_code == 503 else None

        answer = await eventually(refused, within_s=30)
        assert error_of(answer)["reason"] == "DEPENDENCY_UNAVAILABLE"
        assert int(answer.headers["retry-after"]) >= 1
    finally:
        await node.start()

    async def followed() -> bool:
        return bool((await rest.ask("PUT", f"/v1/me/following/{ana.at}", ben)).status_code == 200)

    await eventually(followed, within_s=60)
    assert (await rest.ok("GET", f"/v1/posts/{post_id}", ben))["post"]["caption"] == "before the outage"

    async def arrived() -> bool:
        feed = await rest.ask("GET", "/v1/feed", ben)
        return post_id in [item["post"]["postId"] for item in feed.json().get("items", [])]

    await eventually(arrived, within_s=30)
