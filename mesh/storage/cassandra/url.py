"""Opens the Cassandra engine that a URL names, waiting for a cluster that is still starting."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from mesh.storage.cassandra.client import Client, Endpoint
from mesh.storage.cassandra.engine import CassandraStore
from mesh.storage.contract import Store, Unavailable

_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,14}")
_OPTIONS = {"replication", "client", "wait", "datacenter"}
_DEFAULT_PORT = 9042
_RETRY_S = 0.5


@dataclass(frozen=True)
class CassandraUrl:
    """The parts of a ``cassandra://`` URL."""

    endpoint: Endpoint
    prefix: str
    replication: int
    client: str
    wait_s: float


async def open_cassandra(url: str, service: str) -> Store:
    """See :func:`mesh.storage.open_store`."""
    wanted = parse(url)
    client = await _connect(_connector(wanted.client), wanted)
    return CassandraStore(client, f"{wanted.prefix}_{service}", wanted.replication)


def parse(url: str) -> CassandraUrl:
    """Take a URL apart; raises :class:`ValueError` that names the bad part."""
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"Cassandra URL: keyspace prefix {prefix!r}: use lower-case snake case, at most 15 characters")
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if unknown := sorted(set(options) - _OPTIONS):
        raise ValueError(f"Cassandra URL: unknown option {unknown[0]!r}: the options are {', '.join(sorted(_OPTIONS))}")
    return CassandraUrl(
        endpoint=_endpoint(parts.netloc, options.get("datacenter")),
        prefix=prefix,
        replication=_number("replication", options.get("replication", "1")),
        client=_client(options.get("client")),
        wait_s=_number("wait", options.get("wait", "30")),
    )


def _endpoint(netloc: str, datacenter: str | None) -> Endpoint:
    credentials, _, hosts_and_port = netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    hosts, colon, port = hosts_and_port.rpartition(":")
    names = tuple(host for host in (hosts if colon else hosts_and_port).split(",") if host)
    if not names:
        raise ValueError("Cassandra URL: name at least one host: cassandra://host1,host2:9042/prefix")
    return Endpoint(
        hosts=names,
        port=_number("port", port) if colon else _DEFAULT_PORT,
        datacenter=datacenter,
        username=unquote(username) or None,
        password=unquote(password) or None,
    )


def _number(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"Cassandra URL: {name} {text!r}: give a whole number of at least 1")
    return int(text)


def _client(name: str | None) -> str:
    installed = importlib.util.find_spec("acsylla") is not None
    if name is None:
        return "acsylla" if installed else "driver"
    if name not in ("acsylla", "driver"):
        raise ValueError(f"Cassandra URL: client {name!r}: choose acsylla or driver")
    if name == "acsylla" and not installed:
        raise ValueError("Cassandra URL: client 'acsylla' is not installed: install it, or choose driver")
    return name


def _connector(client: str) -> Callable[[Endpoint], Awaitable[Client]]:
    if client == "acsylla":
        from mesh.storage.cassandra.acsylla import AcsyllaClient

        return AcsyllaClient.connect
    from mesh.storage.cassandra.driver import DriverClient

    return DriverClient.connect


async def _connect(connect: Callable[[Endpoint], Awaitable[Client]], wanted: CassandraUrl) -> Client:
    give_up = time.monotonic() + wanted.wait_s
    while True:
        try:
            return await connect(wanted.endpoint)
        except Unavailable as error:
            if time.monotonic() >= give_up:
                hosts = ", ".join(f"{host}:{wanted.endpoint.port}" for host in wanted.endpoint.hosts)
                raise Unavailable(f"no Cassandra at {hosts} within {wanted.wait_s:.0f} s: {error}") from error
        await asyncio.sleep(_RETRY_S)
