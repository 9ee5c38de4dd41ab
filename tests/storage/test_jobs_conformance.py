from __future__ import annotations

import pytest

from mesh.testing.jobs_conformance import JobsConformance
from stack.cassandra import CassandraCluster


class TestJobsOnSqlite(JobsConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls, tmp_path_factory: pytest.TempPathFactory) -> str:
        return f"sqlite://{tmp_path_factory.mktemp('jobs')}"


@pytest.mark.cassandra
class TestJobsOnCassandra(JobsConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls, cassandra: CassandraCluster) -> str:
        return cassandra.url("jobs", "client=driver")
