"""Keeps the data of a version for the versions after it: ``python tests/upgrade/record.py v0.2.0``, at its tag.

Writes the world of ``world.py`` by the services of this tree and dumps their tables as SQL into a folder of that name.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path

import grpc

from cli.modules import modules
from mesh.testing.harness import running
from stack.ports import free_port
from stack.redis import redis_server
from stack.s3 import GRPC_DISTANCE, s3_server
from tests.upgrade import world


async def record(state: Path) -> None:
    """Write the world into a state directory."""
    redis = redis_server(state / "redis", free_port())
    s3 = s3_server(state / "s3", free_port(also=(GRPC_DISTANCE,)))
    await asyncio.gather(redis.process.start(), s3.process.start())
    try:
        async with running(modules(), state, redis_url=redis.url, s3=s3) as mesh:
            with grpc.insecure_channel(f"127.0.0.1:{mesh.process.port}") as channel:
                await asyncio.to_thread(world.write, channel)
            await mesh.settle()
    finally:
        await asyncio.gather(redis.process.stop(), s3.process.stop())


def dump(state: Path, target: Path) -> None:
    """Every database of a state directory as SQL."""
    target.mkdir()
    for database in sorted((state / "db").glob("*.db")):
        with sqlite3.connect(database) as connection:
            (target / f"{database.stem}.sql").write_text("\n".join(connection.iterdump()) + "\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as state:
        asyncio.run(record(Path(state)))
        dump(Path(state), Path(__file__).with_name(sys.argv[1]))
