"""``python -m stack redis|s3|minio --dir D --port P``: one real server in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from stack import minio, redis, s3
from stack.ports import PortTaken
from stack.process import Process, ProcessFailed

DEFAULT_PORTS = {"redis": redis.DEFAULT_PORT, "s3": s3.DEFAULT_PORT, "minio": minio.DEFAULT_PORT}


def main() -> int:
    """Run until interrupted or until the server ends by itself; the exit status says which."""
    arguments = _parse()
    try:
        return asyncio.run(_serve(arguments))
    except (ProcessFailed, PortTaken) as error:
        _say(str(error))
        return 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m stack", description="Run one real server in the foreground.")
    parser.add_argument("server", choices=sorted(DEFAULT_PORTS))
    parser.add_argument("--dir", type=Path, help="where its data is kept (default: .state/<server>)")
    parser.add_argument("--port", type=int, help="where it listens on loopback (default: the server's own)")
    parser.add_argument("--cache", type=Path, default=Path(".cache"), help="where MinIO is built (default: .cache)")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> int:
    process, address = await _server(arguments)
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    await process.start()
    _say(f"{process.name} serves at {address}; its log is {process.log}; Ctrl-C ends it")
    while not interrupted.is_set():
        if await process.wait_stopped(0.2):
            raise ProcessFailed(f"{process.name} ended by itself: {' | '.join(process.tail[-3:])}")
    await process.stop()
    return 0


async def _server(arguments: argparse.Namespace) -> tuple[Process, str]:
    directory: Path = (arguments.dir or Path(".state") / arguments.server).resolve()
    port: int = arguments.port or DEFAULT_PORTS[arguments.server]
    if arguments.server == "redis":
        cache = redis.redis_server(directory, port)
        return cache.process, cache.loopback_url
    if arguments.server == "s3":
        store = s3.s3_server(directory, port)
    else:
        store = minio.minio_server(await minio.build(arguments.cache / "minio"), directory, port)
    return store.process, f"{store.url}, its keys are in {directory / s3.IDENTITY}"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
