"""A real installation for a test module: on free ports, with data of its own, limits that no test meets."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli import configuration
from cli.modules import modules
from gateway import GatewayOptions
from stack.installation import Installation
from stack.placement import TOGETHER
from stack.ports import claim, free_ports, is_free
from stack.s3 import GRPC_DISTANCE, S3Server

GENEROUS = json.dumps({"per_second": 100_000, "burst": 100_000})
APART = tuple(module.name for module in modules())
"""Targets of the distributed form: a process for each module."""
_KEPT_LINES = 20_000


def environment(state_dir: Path) -> dict[str, str]:
    """The configuration, as environment variables."""
    names = ("gateway", "admin", "redis", "s3")
    ports = dict(zip(names, free_ports(len(names), also=(GRPC_DISTANCE,)), strict=True)) | {"grpc": _row_of_ports()}
    env = {f"TINTYPE_STACK__{name.upper()}_PORT": str(port) for name, port in ports.items()}
    env |= {f"TINTYPE_RATES__{name}": GENEROUS for name in ("READ", "WRITE", "AUTH", "UPLOAD", "SEARCH", "STREAM")}
    return env | {
        "TINTYPE_STATE_DIR": str(state_dir),
        "TINTYPE_STACK__METRICS_PORT": "0",
        "TINTYPE_ACCOUNTS__ARGON2_MEMORY_KIB": "8192",
    }


def _row_of_ports() -> int:
    """The first of as many free ports as there are services, below those that free_ports gives out: the
    S3 store takes some of these for itself while the services are not started yet."""
    for first in random.sample(range(10_000, 10_990), 100):
        row = range(first, first + len(APART))
        if all(map(is_free, row)) and all(map(claim, row)):
            return first
    raise RuntimeError("no row of free ports")


class Installed(Installation):
    """An installation that tells how its gateway is set up, and the last lines that its services logged."""

    options: GatewayOptions
    lines: deque[str]

    @property
    def environment(self) -> dict[str, str]:
        """Its configuration, for a command that is to find it."""
        spread = {"TINTYPE_STACK__SPREAD": "true"} if len(self.places) > 1 else {}
        return self._variables | spread

    @property
    def gateway(self) -> str:
        """host:port of the public API."""
        return f"127.0.0.1:{self.section.gateway_port}"

    def _gateway_options(self, s3: S3Server) -> GatewayOptions:
        self.options = super()._gateway_options(s3)
        return self.options

    def address(self, target: str) -> str:
        """host:port where a service is served inside the mesh."""
        return next(place.address for place in self.places if place.target == target)


@contextmanager
def installed(
    state_dir: Path, targets: Sequence[str] = TOGETHER, more: Mapping[str, str] | None = None
) -> Iterator[Installed]:
    """Everything started, and stopped at the end; ``more`` is more of its configuration."""
    variables = environment(state_dir) | dict(more or {})
    with pytest.MonkeyPatch.context() as patch:  # while it is read only: other tests read theirs
        for name, value in variables.items():
            patch.setenv(name, value)
        settings = configuration.load()
    lines: deque[str] = deque(maxlen=_KEPT_LINES)
    installation = Installed(settings, settings.stack, lines.append, lambda _: None, targets, variables)
    installation.lines = lines
    asyncio.run(installation.start())
    try:
        yield installation
    finally:
        asyncio.run(installation.stop())
