from __future__ import annotations

from typing import ClassVar

import pytest

from mesh.testing.storage_conformance import StorageConformance
from stack.cassandra import CassandraCluster


class OnCassandra(StorageConformance):
    client: ClassVar[str]
    has_server = True

    @pytest.fixture(scope="class")
    @classmethod
    def url(cls, cassandra: CassandraCluster) -> str:
        return cassandra.url(cls.client, f"client={cls.client}")

    @pytest.fixture(autouse=True)
    def _node(self, cassandra: CassandraCluster) -> None:
        self._cassandra = cassandra

    async def kill(self) -> None:
        self._cassandra.kill()

    async def revive(self) -> None:
        await self._cassandra.start()


@pytest.mark.cassandra
class TestCassandraDriver(OnCassandra):
    client = "driver"


# acsylla leaves the pair of sockets by which its threads wake the event loop to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket.socket .*family=1:ResourceWarning")
@pytest.mark.cassandra
class TestCassandraAcsylla(OnCassandra):
    client = "acsylla"
