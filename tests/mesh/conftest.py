"""One real installation for the session: Redis, the S3 store, the services in a process, and Envoy."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from cli import configuration
from gateway import GatewayOptions, render
from mesh.config import Rate
from stack.envoy import EnvoyServer, envoy_server
from stack.installation import Installation
from stack.ports import free_ports
from stack.s3 import GRPC_DISTANCE, IDENTITY, S3Server, identity
from tests.mesh.mesh_client import Person, Rest

GENEROUS = json.dumps({"per_second": 100_000, "burst": 100_000})
FEW = Rate(per_second=1, burst=3)
HEARTBEAT_S = 1
STORE_USER = "tintype"
"""The store's user, as in docker-compose.yml."""


class Running(Installation):
    """An installation that tells how its gateway is set up, so that a test can put another beside it."""

    options: GatewayOptions

    @property
    def environment(self) -> dict[str, str]:
        """Its configuration, for a command that is to find it."""
        return self._variables

    def _gateway_options(self, s3: S3Server) -> GatewayOptions:
        self.options = super()._gateway_options(s3)
        return self.options


def _environment(state_dir: Path) -> dict[str, str]:
    names = ("gateway", "admin", "grpc", "redis", "s3")
    ports = free_ports(len(names), also=(GRPC_DISTANCE,))
    env = {f"TINTYPE_STACK__{name.upper()}_PORT": str(port) for name, port in zip(names, ports, strict=True)}
    env |= {f"TINTYPE_RATES__{name}": GENEROUS for name in ("READ", "WRITE", "AUTH", "UPLOAD", "SEARCH", "STREAM")}
    return env | {
        "TINTYPE_STATE_DIR": str(state_dir),
        "TINTYPE_AUTH__ACCESS_MINUTES": "1440",  # the people of a session stay signed in, however slow the machine
        "TINTYPE_STACK__METRICS_PORT": "0",
        "TINTYPE_ACCOUNTS__ARGON2_MEMORY_KIB": "8192",
        "TINTYPE_ENGAGEMENT__HEARTBEAT_S": str(HEARTBEAT_S),
        "TINTYPE_MEDIA__MAX_UPLOAD_BYTES": str(8 * 1024 * 1024),
    }


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """All of Tintype, on free ports, with data of its own and without rate limits that a test would meet."""
    state_dir = tmp_path_factory.mktemp("tintype")
    (state_dir / "s3").mkdir()
    identity(state_dir / "s3" / IDENTITY, STORE_USER, secrets.token_urlsafe(30))
    env = _environment(state_dir)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        settings = configuration.load()
    installation = Running(settings, settings.stack, lambda _: None, lambda _: None, variables=env)
    asyncio.run(installation.start())
    yield installation
    asyncio.run(installation.stop())


def gateway_beside(installation: Running, name: str, **changes: Any) -> tuple[EnvoyServer, str]:
    """Another gateway with other options, not started, and its host:port."""
    listen, admin = free_ports(2)
    addresses = {"listen": f"127.0.0.1:{listen}", "admin": f"127.0.0.1:{admin}"}
    config = installation.state_dir / f"{name}.json"
    config.write_text(json.dumps(render(replace(installation.options, **addresses, **changes))))
    server = envoy_server(config, admin, ports={listen: None})
    server.process.env = installation.process("envoy").env
    return server, addresses["listen"]


@pytest.fixture(scope="session")
def strict_gateway(installation: Running) -> Iterator[str]:
    """host:port of a second gateway before the same services, as production has it, with few calls allowed."""
    server, address = gateway_beside(
        installation,
        "strict",
        development=False,
        headers_seconds=1,
        cors_origins=(r"https://app\.example\.com",),
        rates={**installation.options.rates, "SEARCH": FEW},
    )
    asyncio.run(server.process.start())
    yield address
    asyncio.run(server.process.stop())


@pytest.fixture
async def gateway_to(installation: Running) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Starts a gateway before other servers than ours; its URL."""
    servers: list[EnvoyServer] = []

    async def start(**changes: Any) -> str:
        server, address = gateway_beside(installation, "other", **changes)
        servers.append(server)
        await server.process.start()
        return f"http://{address}"

    yield start
    for server in servers:
        await server.process.stop()


@pytest_asyncio.fixture
async def rest(installation: Running) -> AsyncIterator[Rest]:
    """The REST door."""
    async with Rest(installation.url) as rest:
        yield rest


@pytest_asyncio.fixture
async def channel(installation: Running) -> AsyncIterator[grpc.aio.Channel]:
    """The gRPC door."""
    async with grpc.aio.insecure_channel(installation.options.listen) as channel:
        yield channel


@pytest.fixture(scope="session")
def world(installation: Running) -> dict[str, Person]:
    """Ana, Ben who follows her, and Cleo, whom no test changes."""

    async def settle() -> dict[str, Person]:
        async with Rest(installation.url) as rest:
            people = {name: await rest.register(name) for name in ("ana", "ben", "cleo")}
            await rest.follow(people["ben"], people["ana"])
            return people

    return asyncio.run(settle())


@pytest.fixture
def ana(world: dict[str, Person]) -> Person:
    return world["ana"]


@pytest.fixture
def ben(world: dict[str, Person]) -> Person:
    return world["ben"]


@pytest.fixture
def cleo(world: dict[str, Person]) -> Person:
    return world["cleo"]
