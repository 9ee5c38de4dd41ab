"""A whole Tintype on free ports and fresh data, for as long as something is measured."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cli import configuration
from stack.installation import Installation
from stack.ports import free_port
from stack.s3 import GRPC_DISTANCE

_CHEAP_PASSWORDS = ("accounts.argon2_memory_kib=8", "accounts.argon2_passes=1")
_ONE_CLIENT = ("rates.read.per_second=1000000", "rates.read.burst=1000000")
"""All load comes from one address: what the gateway allows one client is not what is measured."""


@asynccontextmanager
async def installed(directory: Path, *more: str) -> AsyncIterator[Installation]:
    """Everything started, and stopped at the end; ``more`` are settings as ``key=value``.

    Where the measurement fails, the last lines of the services' log are printed.
    """
    ports = {name: free_port() for name in ("gateway", "admin", "grpc", "redis")}
    ports["s3"] = free_port(also=(GRPC_DISTANCE,))
    pairs = [
        *(f"stack.{name}_port={port}" for name, port in ports.items()),
        *("stack.metrics_port=0", "telemetry.log_level=WARNING", "auth.access_minutes=1440"),
        *(*_CHEAP_PASSWORDS, *_ONE_CLIENT, *more),
    ]
    settings = configuration.load([*pairs, f"state_dir={directory}"])
    variables = configuration.as_variables(pairs)
    installation = Installation(settings, settings.stack, _quiet, _quiet, variables=variables)
    await installation.start()
    try:
        yield installation
    except Exception:
        print("\n".join(installation.process("services").tail), file=sys.stderr)
        raise
    finally:
        await installation.stop()


def _quiet(line: str) -> None:
    """Nothing of the servers' talk belongs on a table of figures."""
