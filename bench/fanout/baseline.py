"""The yardstick: what this Redis takes from LPUSH with 32 commands a pipeline over 50 connections.

redis-benchmark where it is installed. Where it is not, raw sockets that send what redis-benchmark
sends (prepared once, answers counted and not parsed), so that the client costs as little as it can.
"""

from __future__ import annotations

import selectors
import shutil
import socket
import subprocess
import time

CONNECTIONS, PIPELINE = 50, 32
_COMMAND = b"*3\r\n$5\r\nLPUSH\r\n$6\r\nmylist\r\n$3\r\nxxx\r\n"


def name() -> str:
    """Which of the two is used here."""
    return "by redis-benchmark" if shutil.which("redis-benchmark") else "by raw sockets"


def lpush_per_second(port: int, commands: int) -> float:
    """LPUSH commands a second, ``commands`` of them."""
    binary = shutil.which("redis-benchmark")
    return _benchmark(binary, port, commands) if binary else _sockets(port, commands)


def _benchmark(binary: str, port: int, commands: int) -> float:
    argv = [binary, "-p", str(port), "-t", "lpush", "-n", str(commands), "-c", str(CONNECTIONS), "-P", str(PIPELINE)]
    answer = subprocess.run([*argv, "--csv"], capture_output=True, text=True, check=True, timeout=120).stdout
    line = next(line for line in answer.splitlines() if line.startswith('"LPUSH'))
    return float(line.split(",")[1].strip('"'))


def _sockets(port: int, commands: int) -> float:
    batch = _COMMAND * PIPELINE
    selector = selectors.DefaultSelector()
    waiting: dict[socket.socket, int] = {}
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        waiting[connection] = PIPELINE
    started, done = time.perf_counter(), 0
    for connection in waiting:
        connection.sendall(batch)
    while done < commands:
        for key, _ in selector.select():
            connection = key.fileobj  # type: ignore[assignment]
            answers = connection.recv(65536).count(b"\n")
            done += answers
            waiting[connection] -= answers
            if waiting[connection] <= 0:
                waiting[connection] = PIPELINE
                connection.sendall(batch)
    seconds = time.perf_counter() - started
    for connection in waiting:
        connection.close()
    selector.close()
    return done / seconds
