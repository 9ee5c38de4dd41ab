"""The `tintype` command as a person runs it: a program with arguments, an exit code and what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.ports import free_ports
from stack.s3 import GRPC_DISTANCE

TINTYPE = str(Path(sys.executable).with_name("tintype"))


@dataclass(frozen=True)
class Said:
    """What a command left."""

    code: int
    out: str
    err: str


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The variables of a command: none of ours but these, and a terminal wide enough for its tables."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TINTYPE_")}
    return own | {"COLUMNS": "160", "NO_COLOR": "1"} | dict(extra)


def tintype(*arguments: str, env: Mapping[str, str], cwd: Path, timeout: float = 90) -> Said:
    """Run a command to its end."""
    done = subprocess.run(
        [TINTYPE, *arguments], env=environment(env), cwd=cwd, capture_output=True, text=True, timeout=timeout
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def installation_environment(state_dir: Path) -> dict[str, str]:
    """An installation on free ports, whose passwords cost little."""
    names = ("gateway", "admin", "grpc", "redis", "s3")
    ports = free_ports(len(names), also=(GRPC_DISTANCE,))
    env = {f"TINTYPE_STACK__{name.upper()}_PORT": str(port) for name, port in zip(names, ports, strict=True)}
    return env | {
        "TINTYPE_STATE_DIR": str(state_dir),
        "TINTYPE_STACK__METRICS_PORT": "0",
        "TINTYPE_ACCOUNTS__ARGON2_MEMORY_KIB": "8",
        "TINTYPE_ACCOUNTS__ARGON2_PASSES": "1",
        "TINTYPE_EDGE__PUBLIC_URL": f"http://127.0.0.1:{ports[0]}",
    }
