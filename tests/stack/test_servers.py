"""The real servers, as this machine runs them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from mesh.cache.client import Cache
from mesh.cache.connection import CacheOptions
from stack.envoy import EnvoyConfigInvalid, EnvoyServer, envoy_server, validate
from stack.ports import free_port, free_ports
from stack.redis import MAX_SOCKET_BYTES, OLDEST, RedisServer, newest_binary, redis_server
from stack.s3 import GRPC_DISTANCE, S3Server, s3_server

ROOT = Path(__file__).parents[2]


async def test_redis_is_durable_bounded_and_never_evicts_what_has_no_ttl(redis: RedisServer) -> None:
    cache = Cache(CacheOptions(redis.url))
    wanted = {
        b"appendonly": b"yes",
        b"appendfsync": b"everysec",
        b"maxmemory-policy": b"volatile-ttl",
        b"list-max-ziplist-size": b"32",
    }
    for name, value in wanted.items():
        assert await cache.execute("CONFIG", "GET", name) == [name, value]
    (_, memory) = await cache.execute("CONFIG", "GET", "maxmemory")
    assert int(memory) > 0
    await cache.close()


async def test_redis_listens_on_loopback_alone(redis: RedisServer) -> None:
    cache = Cache(CacheOptions(redis.url))
    assert await cache.execute("CONFIG", "GET", "bind") == [b"bind", b"127.0.0.1"]
    await cache.close()


async def test_redis_answers_on_a_unix_socket_where_its_path_is_short_enough_and_on_loopback_always() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, scheme in (("short & odd", "unix:"), ("l" * MAX_SOCKET_BYTES, "redis:")):
            server = redis_server(Path(directory) / name, free_port())
            await server.process.start()
            assert server.url.startswith(scheme)
            for url in (server.url, server.loopback_url):
                cache = Cache(CacheOptions(url))
                assert await cache.execute("PING") == b"PONG"
                await cache.close()
            await server.process.stop()


def test_the_newest_redis_is_new_enough() -> None:
    said = subprocess.run([newest_binary(), "--version"], capture_output=True, text=True, check=True).stdout
    version = said.partition("v=")[2].split()[0]
    assert tuple(map(int, version.split("."))) >= OLDEST


async def test_s3_refuses_strangers(s3: S3Server) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(s3.url)).status_code == 403
        assert (await client.put(f"{s3.url}/bucket-of-a-stranger")).status_code == 403


def test_s3_keeps_the_identity_of_its_directory(tmp_path: Path) -> None:
    first, second = (s3_server(tmp_path, free_port()) for _ in range(2))
    assert (first.access_key, first.secret_key) == (second.access_key, second.secret_key)
    assert (tmp_path / "identity.json").stat().st_mode & 0o077 == 0


def test_s3_takes_the_identity_it_is_given(tmp_path: Path) -> None:
    given = s3_server(tmp_path, free_port(), access_key="ours", secret_key="secret")
    kept = s3_server(tmp_path, free_port())
    assert (given.access_key, given.secret_key) == (kept.access_key, kept.secret_key) == ("ours", "secret")


def test_identities_of_two_directories_differ(tmp_path: Path) -> None:
    one, other = (s3_server(tmp_path / name, free_port()) for name in ("one", "other"))
    assert one.secret_key != other.secret_key


def envoy_config(directory: Path, admin: int, listener: int) -> Path:
    """An Envoy that answers "sepia" itself."""
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "sepia"}}}
    http = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    manager = {
        "@type": http,
        "stat_prefix": "http",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
    }
    filters = [{"name": "http", "typed_config": manager}]
    config = {
        "admin": {"address": _address(admin)},
        "static_resources": {
            "listeners": [{"name": "http", "address": _address(listener), "filter_chains": [{"filters": filters}]}]
        },
    }
    path = directory / "envoy.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


async def test_envoy_serves_and_drains(tmp_path: Path) -> None:
    admin, listener = free_ports(2)
    server: EnvoyServer = envoy_server(
        envoy_config(tmp_path, admin, listener), admin, ports={listener: "TINTYPE_EDGE_PORT"}, drain_seconds=1
    )
    await server.process.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://127.0.0.1:{listener}/")).text == "sepia"
        assert await server.connections() >= 1
        assert (await client.get(f"{server.admin_url}/ready")).status_code == 200
    await server.drain(seconds=10)
    assert await server.connections() == 0
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{server.admin_url}/ready")).status_code == 503
    await server.process.stop()


async def test_a_good_envoy_configuration_is_accepted(tmp_path: Path) -> None:
    admin, listener = free_ports(2)
    await validate(envoy_config(tmp_path, admin, listener))


async def test_a_wrong_envoy_configuration_is_refused_in_envoys_words(tmp_path: Path) -> None:
    admin, listener = free_ports(2)
    path = envoy_config(tmp_path, admin, listener)
    path.write_text(path.read_text().replace("stat_prefix", "stat_prefiks"))
    with pytest.raises(EnvoyConfigInvalid, match=r"envoy refuses envoy\.yaml: .*stat_prefiks"):
        await validate(path)


@contextmanager
def run_stack(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "stack", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()  # or a failed test would wait for it for ever


def test_the_command_runs_a_server_until_interrupted(tmp_path: Path) -> None:
    port = free_port()
    with run_stack("redis", "--dir", str(tmp_path), "--port", str(port)) as command:
        assert command.stderr is not None
        assert f"redis serves at redis://127.0.0.1:{port}/0" in command.stderr.readline()
        command.send_signal(signal.SIGINT)
        assert command.wait() == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_command_names_a_taken_port_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with run_stack("redis", "--dir", str(tmp_path), "--port", str(port)) as command:
            _, said = command.communicate()
    assert (command.returncode, said) == (
        1,
        f"port {port} (redis) is taken; set TINTYPE_REDIS_PORT or stop what uses it\n",
    )


def test_s3_checks_its_grpc_port_too(tmp_path: Path) -> None:
    server = s3_server(tmp_path, 12_345)
    assert {12_345, 12_345 + GRPC_DISTANCE} <= set(server.process.ports)
