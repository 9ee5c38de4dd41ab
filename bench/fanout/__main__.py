"""Followers a second of the push path, against LPUSH of the same Redis in the same minute.

    python -m bench.fanout [--followers 10000] [--posts 10] [--rounds 7] [--output fanout.json]

Interleaved rounds: the yardstick, then pushes into cached feeds, then rows into the table (embedded
engine, on a disk, group commit). Ratios are taken within a round; the table shows their median and
their spread. The push is the very code that fan-out runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench.fanout import baseline
from mesh.cache.client import Cache
from mesh.cache.connection import CacheOptions
from mesh.clock import SystemClock
from mesh.ids import IdGenerator
from mesh.storage.sqlite.engine import SqliteStore
from services.timeline.home_cache import NEWEST, HomeCache
from services.timeline.home_store import HomeStore
from services.timeline.model import Ref
from services.timeline.schema import activity_table, home_table
from stack.ports import free_port
from stack.redis import RedisServer, redis_server

AUTHOR = 7
DAYS = 60


async def main() -> None:
    """Measure and report."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as directory:
        server = redis_server(Path(directory, "redis"), free_port(), max_memory="2gb")
        await server.process.start()
        try:
            rounds = await measure(server, Path(directory), arguments)
        finally:
            await server.process.stop()
    report(rounds, arguments)


def parse() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(prog="python -m bench.fanout", description="Followers a second of fan-out.")
    parser.add_argument("--followers", type=int, default=10_000, help="readers of the author, all of them active")
    parser.add_argument("--posts", type=int, default=10, help="posts pushed in one round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=Path("bench/results/fanout.json"))
    return parser.parse_args()


async def measure(server: RedisServer, directory: Path, arguments: argparse.Namespace) -> list[dict[str, float]]:
    """The rounds, after one that is not counted."""
    clock = SystemClock()
    ids = IdGenerator(clock)
    cache = Cache(CacheOptions(url=server.url, seconds=5.0))
    store = await SqliteStore.open(directory / "timeline.db", clock)
    await store.create([home_table(DAYS), activity_table(30)])
    feeds, homes = HomeCache(cache, 72), HomeStore(store, clock, DAYS, 30)
    readers = [ids.next() for _ in range(arguments.followers)]
    await warm(feeds, ids, readers)
    rounds = []
    for number in range(arguments.rounds + 1):
        found = {
            "lpush": await asyncio.to_thread(baseline.lpush_per_second, server.port, 300_000),
            "redis": await per_second(lambda ref: feeds.push(readers, ref), ids, len(readers), arguments.posts),
            "table": await per_second(lambda ref: homes.push(readers, ref), ids, len(readers), 1),
        }
        await cache.delete(b"mylist")
        if number:
            rounds.append(found)
    await store.close()
    await cache.close()
    return rounds


async def warm(feeds: HomeCache, ids: IdGenerator, readers: list[int]) -> None:
    """Every reader's feed is cached and full."""
    refs = sorted((Ref(ids.next(), AUTHOR) for _ in range(NEWEST)), reverse=True)
    for reader in readers:
        await feeds.begin_rebuild(reader, 1)
        await feeds.fill(reader, 1, refs)


async def per_second(push: Callable[[Ref], Awaitable[None]], ids: IdGenerator, followers: int, posts: int) -> float:
    """Followers reached a second, one post after the other."""
    started = time.perf_counter()
    for _ in range(posts):
        await push(Ref(ids.next(), AUTHOR))
    return followers * posts / (time.perf_counter() - started)


def report(rounds: list[dict[str, float]], arguments: argparse.Namespace) -> None:
    """A table for people, JSON for the rest."""
    ratios = [one["redis"] / one["lpush"] for one in rounds]
    summary: dict[str, Any] = {name: spread([one[name] for one in rounds]) for name in ("lpush", "redis", "table")}
    summary["ratio"] = spread(ratios)
    result = {
        "followers": arguments.followers,
        "baseline": baseline.name(),
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "rounds": rounds,
        "summary": summary,
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{'':38}{'median':>12}{'least':>12}{'most':>12}")
    rows = {
        "lpush": f"LPUSH/s, {baseline.name()}",
        "redis": "followers/s into cached feeds",
        "table": "followers/s into the table",
        "ratio": "cached feeds over LPUSH",
    }
    for name, title in rows.items():
        digits = 2 if name == "ratio" else 0
        values = "".join(f"{summary[name][part]:>12,.{digits}f}" for part in ("median", "least", "most"))
        print(f"{title:38}{values}")


def spread(values: list[float]) -> dict[str, float]:
    """The middle and both ends."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


if __name__ == "__main__":
    asyncio.run(main())
