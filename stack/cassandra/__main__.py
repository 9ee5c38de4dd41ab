"""Runs a Cassandra cluster in the foreground: ``python -m stack.cassandra --nodes 1 --dir D``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from stack.cassandra.cluster import CassandraCluster
from stack.cassandra.jars import DEFAULT_CACHE, available
from stack.ports import PortTaken
from stack.process import ProcessFailed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stack.cassandra", description=__doc__)
    parser.add_argument("--nodes", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--dir", type=Path, required=True, help="where the cluster keeps its files")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where the jars are kept")
    parser.add_argument("--heap-mb", type=int, default=512, help="heap of each node in MiB")
    parser.add_argument("--port", type=int, help="CQL port, the same on every node (default: a free one)")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    cluster = CassandraCluster(
        arguments.dir,
        arguments.nodes,
        cache=arguments.cache,
        heap_mb=arguments.heap_mb,
        cql_port=arguments.port,
    )
    async with cluster:
        sys.stdout.write(f"{cluster.url()}\n")
        sys.stdout.flush()
        await ended.wait()


def main() -> int:
    """Run until interrupted; 1 where Cassandra could not be started."""
    arguments = _arguments()
    if missing := available():
        sys.stderr.write(f"cassandra: {missing}\n")
        return 1
    try:
        asyncio.run(_run(arguments))
    except (ProcessFailed, PortTaken, RuntimeError, ValueError) as error:
        sys.stderr.write(f"cassandra: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
