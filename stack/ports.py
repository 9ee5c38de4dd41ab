"""TCP ports on loopback: find free ones, and say clearly when one is taken."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 11_000, 16_000
"""Below the kernels' ephemeral ranges (32768 on Linux, 49152 on macOS) even with 10,000 added, so
that no outgoing connection takes a port between its choice and its use; and apart from themselves
with 10,000 added."""
_CLAIMS = Path(tempfile.gettempdir()) / f"tintype-ports-{os.getuid()}"
_CLAIM_SECONDS = 120.0


class PortTaken(Exception):
    """Another program listens on a port that one of ours was told to use."""

    def __init__(self, port: int, name: str, setting: str | None = None) -> None:
        remedy = f"set {setting} or stop" if setting else "choose another or stop"
        super().__init__(f"port {port} ({name}) is taken; {remedy} what uses it")
        self.port = port


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def require_free(port: int, name: str, setting: str | None = None, host: str = LOOPBACK) -> None:
    """Raise :class:`PortTaken`, naming the program and the setting to change, if the port is in use."""
    if not is_free(port, host):
        raise PortTaken(port, name, setting)


def claim(port: int) -> bool:
    """Take a free port for the next two minutes, so that no other process on this machine that asks here
    chooses it before it is listened on; False where another has."""
    _CLAIMS.mkdir(exist_ok=True)
    mark = _CLAIMS / str(port)
    with contextlib.suppress(OSError):
        if time.time() - mark.stat().st_mtime > _CLAIM_SECONDS:
            mark.unlink()
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def free_port(also: Sequence[int] = ()) -> int:
    """A port that is free now, as are those at the distances ``also`` from it (``port + 10000``)."""
    return free_ports(1, also)[0]


def free_ports(count: int, also: Sequence[int] = ()) -> list[int]:
    """``count`` different ports, each free as in :func:`free_port`."""
    chosen: list[int] = []
    for port in random.sample(range(_LOWEST, _HIGHEST), 1_000):
        ports = [port + distance for distance in (0, *also)]
        if all(map(is_free, ports)) and all(map(claim, ports)):
            chosen.append(port)
            if len(chosen) == count:
                return chosen
    raise RuntimeError(f"found only {len(chosen)} of {count} free ports between {_LOWEST} and {_HIGHEST}")
