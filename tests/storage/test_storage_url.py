from __future__ import annotations

import pytest

from mesh.clock import SystemClock
from mesh.storage import Unavailable, open_store
from mesh.storage.cassandra.client import Endpoint
from mesh.storage.cassandra.url import parse
from stack.ports import free_port


class TestCassandraUrl:
    def test_every_part_is_read(self) -> None:
        url = parse("cassandra://ana:p%40ss@one,two:9999/shop?replication=3&client=driver&wait=5&datacenter=west")
        assert url.endpoint == Endpoint(("one", "two"), 9999, "west", "ana", "p@ss")
        assert (url.prefix, url.replication, url.client, url.wait_s) == ("shop", 3, "driver", 5)

    def test_what_is_left_out_has_a_default(self) -> None:
        url = parse("cassandra://one/shop")
        assert url.endpoint == Endpoint(("one",), 9042)
        assert (url.replication, url.client, url.wait_s) == (1, "acsylla", 30)

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("cassandra:///shop", "host"),
            ("cassandra://one", "prefix"),
            ("cassandra://one/Shop", "prefix"),
            ("cassandra://one/a-b", "prefix"),
            ("cassandra://one/shop?replicas=3", "'replicas'"),
            ("cassandra://one/shop?replication=0", "replication"),
            ("cassandra://one/shop?replication=x", "replication"),
            ("cassandra://one/shop?client=cqlsh", "client"),
            ("cassandra://one:port/shop", "port"),
        ],
    )
    def test_a_bad_part_is_named(self, url: str, complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            parse(url)


class TestOpenStore:
    @pytest.mark.parametrize("url", ["", "postgres://x/y", "sqlite://", "sqlite://relative/path", "sqlite:///d?x=1"])
    async def test_a_url_that_names_no_engine_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="storage URL"):
            await open_store(url, "media", SystemClock())

    @pytest.mark.parametrize("service", ["", "Media", "me dia", "../media", "x" * 33])
    async def test_a_service_that_cannot_be_a_file_or_keyspace_is_refused(self, service: str) -> None:
        with pytest.raises(ValueError, match="service"):
            await open_store("sqlite::memory:", service, SystemClock())

    @pytest.mark.filterwarnings("ignore:unclosed <socket.socket .*family=1:ResourceWarning")
    @pytest.mark.parametrize("client", ["driver", "acsylla"])
    async def test_a_cassandra_that_does_not_answer_is_named_after_a_bounded_wait(self, client: str) -> None:
        port = free_port()
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port} within 1 s"):
            await open_store(f"cassandra://127.0.0.1:{port}/t?wait=1&client={client}", "media", SystemClock())
