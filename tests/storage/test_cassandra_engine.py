"""What Cassandra alone promises: tables as an operator sees them, and a schema that many may change at once."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import RoundRobinPolicy
from cassandra.query import dict_factory

from mesh.clock import SystemClock
from mesh.storage import open_store
from mesh.testing.storage.tables import CLAIMS, FEED, NOTES, SESSIONS, fresh
from stack.cassandra import CassandraCluster

pytestmark = pytest.mark.cassandra


@pytest.fixture(scope="module")
def cql(cassandra: CassandraCluster) -> Iterator[Session]:
    """A session that knows nothing of the engine: the engine cannot vouch for itself."""
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), row_factory=dict_factory, request_timeout=30)
    cluster = Cluster(
        cassandra.hosts, port=cassandra.cql_port, protocol_version=5, execution_profiles={EXEC_PROFILE_DEFAULT: profile}
    )
    yield cluster.connect()
    cluster.shutdown()


async def test_rows_are_readable_in_plain_cql(cassandra: CassandraCluster, cql: Session) -> None:
    store = await open_store(cassandra.url("plain", "client=driver"), "media", SystemClock())
    await store.create([NOTES, CLAIMS])
    await store.put(NOTES, {"owner": 1, "id": 2, "body": "text", "size": 3, "pinned": True, "raw": b"\1"})
    await store.insert_if_absent(CLAIMS, {"name": "ana", "owner": 7})
    await store.close()
    note = cql.execute("SELECT owner, id, body, size, score, pinned, raw FROM plain_media.notes").one()
    assert note == {"owner": 1, "id": 2, "body": "text", "size": 3, "score": None, "pinned": True, "raw": b"\1"}
    claim = cql.execute("SELECT name, owner FROM plain_media.claims").one()
    assert claim == {"name": "ana", "owner": 7}


async def test_tables_are_created_as_they_should_be(cassandra: CassandraCluster, cql: Session) -> None:
    store = await open_store(cassandra.url("options", "client=driver"), "media", SystemClock())
    await store.create([FEED, SESSIONS])
    await store.close()
    found = cql.execute("SELECT * FROM system_schema.tables WHERE keyspace_name = 'options_media'")
    tables = {row["table_name"]: row for row in found}
    for name in ("feed", "sessions"):
        assert tables[name]["compaction"]["class"].endswith("UnifiedCompactionStrategy")
        assert tables[name]["speculative_retry"] == "50ms"
    assert tables["feed"]["default_time_to_live"] == 0
    assert tables["sessions"]["default_time_to_live"] == 3600
    keyspaces = cql.execute("SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'options_media'")
    replication = keyspaces.one()["replication"]
    assert replication["class"].endswith("NetworkTopologyStrategy")
    assert replication["datacenter1"] == "1"


async def test_a_changed_ttl_reaches_the_table(cassandra: CassandraCluster, cql: Session) -> None:
    store = await open_store(cassandra.url("changed", "client=driver"), "media", SystemClock())
    await store.create([SESSIONS])
    await store.create([replace(SESSIONS, ttl=timedelta(days=1))])
    await store.close()
    found = cql.execute(
        "SELECT default_time_to_live FROM system_schema.tables WHERE keyspace_name = 'changed_media' "
        "AND table_name = 'sessions'"
    )
    assert found.one() == {"default_time_to_live": 86_400}


async def test_a_lease_that_a_dead_process_left_behind_is_waited_out(cassandra: CassandraCluster, cql: Session) -> None:
    store = await open_store(cassandra.url("lease", "client=driver"), "media", SystemClock())
    await store.create([NOTES])
    cql.execute(
        "INSERT INTO lease_media.tintype_schema_lease (name, holder) VALUES ('schema', 'dead') "
        "IF NOT EXISTS USING TTL 2"
    )
    await store.create([NOTES, FEED])
    await store.put(FEED, {"reader": fresh(), "bucket": "b", "post": 1, "author": 1})
    left = cql.execute("SELECT holder FROM lease_media.tintype_schema_lease WHERE name = 'schema'").one()
    await store.close()
    assert left is None


async def test_the_command_runs_a_cluster_until_it_is_told_to_end(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stack.cassandra", "--dir", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    store = await open_store(f"{url}&client=driver", "media", SystemClock())
    assert (await store.health()).ready
    await store.close()
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
