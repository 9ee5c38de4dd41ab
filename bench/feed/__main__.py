"""Requests a second of a warm feed page of 20 posts over gRPC, against a bare grpc.aio echo of the same bytes.

``python -m bench.feed``. Both servers run as processes of their own beside one load generator with
32 calls in flight; rounds alternate between them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import psutil
from rich.console import Console
from rich.table import Table
from tintype.edge.v1 import accounts_pb2, feed_pb2, graph_pb2, media_pb2, posts_pb2, resources_pb2

from bench.feed.echo import PATH
from cli.client import Client, bearer, chunks_of
from cli.demo.pictures import draw_photo
from stack.ports import free_port
from stack.redis import redis_server
from stack.s3 import GRPC_DISTANCE, s3_server

IN_FLIGHT = 32
POSTS = 40
AUTHORS = 4
TARGET_RATIO = 0.5
FEED = "/tintype.edge.v1.FeedService/GetFeed"
Call = Callable[[], Awaitable[bytes]]
Pair = tuple[tuple[float, float], tuple[float, float]]


@asynccontextmanager
async def services(directory: Path) -> AsyncIterator[tuple[int, int]]:
    """Redis, the store and every service in one process; the services' process id and port."""
    redis = redis_server(directory / "redis", free_port())
    s3 = s3_server(directory / "s3", free_port(also=(GRPC_DISTANCE,)))
    await asyncio.gather(redis.process.start(), s3.process.start())
    port = free_port()
    env = {
        "TINTYPE_STATE_DIR": str(directory / "state"),
        "TINTYPE_GRPC_ADDRESS": f"127.0.0.1:{port}",
        "TINTYPE_REDIS__URL": redis.url,
        "TINTYPE_BLOBS__ENDPOINT": f"{s3.host}:{s3.port}",
        "TINTYPE_BLOBS__ACCESS_KEY": s3.access_key,
        "TINTYPE_BLOBS__SECRET_KEY": s3.secret_key,
        "TINTYPE_TELEMETRY__METRICS_ADDRESS": "",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *PROFILE,
        "-m",
        "cli.main",
        "serve",
        env={**os.environ, **env},
        stderr=(directory / "log").open("wb"),
    )
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
        yield process.pid, port
    finally:
        process.terminate()
        await process.wait()
        await asyncio.gather(redis.process.stop(), s3.process.stop())


PROFILE: tuple[str, ...] = ()


async def person(client: Client, name: str) -> tuple[str, str]:
    """A new account's id and token."""
    request = accounts_pb2.RegisterRequest(
        request_id=str(uuid.uuid4()),
        username=name,
        email=f"{name}@example.com",
        password="silver-and-salt",  # noqa: S106
    )
    answer = await client.accounts.Register(request, timeout=20)
    return answer.account.user_id, answer.session.access_token


async def fill(client: Client) -> str:
    """A reader who follows four authors with ten posts each; the reader's token."""
    _, reader = await person(client, "reader")
    for number in range(AUTHORS):
        author_id, token = await person(client, f"author{number}")
        await client.call(client.graph.Follow, graph_pb2.FollowRequest(user=author_id), reader)
        medium = await client.upload(chunks_of(draw_photo(number)), "photo.jpg", str(uuid.uuid4()), token)
        watch = media_pb2.WatchMediaRequest(media_id=medium.media_id)
        async for message in client.media.WatchMedia(watch, timeout=60, metadata=bearer(token)):
            if message.media.state == resources_pb2.Media.READY:
                break
        for post in range(POSTS // AUTHORS):
            create = posts_pb2.CreatePostRequest(media_ids=[medium.media_id], caption=f"Post {post} #bench")
            await client.call(client.posts.CreatePost, create, token)
    return reader


async def page(client: Client, token: str) -> bytes:
    """The page, once it is full."""
    request = feed_pb2.GetFeedRequest(page_size=20)
    async with asyncio.timeout(30):
        while True:
            answer = await client.call(client.feed.GetFeed, request, token)
            if len(answer.items) == 20:
                return bytes(answer.SerializeToString())
            await asyncio.sleep(0.1)


async def rate(call: Call, seconds: float, pid: int) -> tuple[float, float]:
    """Calls a second with 32 in flight, and the server's CPU microseconds a call."""
    cpu = psutil.Process(pid).cpu_times()
    until = time.perf_counter() + seconds
    done = 0

    async def worker() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await call()
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    took = time.perf_counter() - started
    after = psutil.Process(pid).cpu_times()
    return done / took, (after.user + after.system - cpu.user - cpu.system) / done * 1e6


async def measure(rounds: int, seconds: float) -> list[Pair]:
    """Feed and echo, a pair a round; the first round warms up and is dropped."""
    with tempfile.TemporaryDirectory() as name:
        async with services(Path(name)) as (pid, port), Client(f"127.0.0.1:{port}") as client:
            token = await fill(client)
            answer = await page(client, token)
            echo_port = free_port()
            echo = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.feed.echo", str(echo_port), str(len(answer)), stdout=PIPE
            )
            assert echo.stdout
            await echo.stdout.readline()
            request = feed_pb2.GetFeedRequest(page_size=20).SerializeToString()
            async with (
                grpc.aio.insecure_channel(f"127.0.0.1:{port}") as feed_channel,
                grpc.aio.insecure_channel(f"127.0.0.1:{echo_port}") as echo_channel,
            ):
                feed_call = feed_channel.unary_unary(FEED)
                echo_call = echo_channel.unary_unary(PATH)
                metadata = bearer(token)
                pairs = []
                for _ in range(rounds + 1):
                    feed = await rate(lambda: feed_call(request, timeout=10, metadata=metadata), seconds, pid)
                    control = await rate(lambda: echo_call(request, timeout=10, metadata=metadata), seconds, echo.pid)
                    pairs.append((feed, control))
            echo.kill()
            await echo.wait()
    return pairs[1:]


def report(pairs: list[Pair], results: Path) -> None:
    """A table and bench/results/feed.json."""
    ratios = [feed[0] / echo[0] for feed, echo in pairs]
    table = Table("", "min", "median", "max")
    for side, name in enumerate(("feed", "echo")):
        for index, unit in enumerate(("calls/s", "server CPU µs a call")):
            values = [pair[side][index] for pair in pairs]
            table.add_row(f"{name} {unit}", *(f"{f(values):.0f}" for f in (min, statistics.median, max)))
    table.add_row("ratio", *(f"{f(ratios):.2f}" for f in (min, statistics.median, max)))
    Console().print(table, f"target ≥ {TARGET_RATIO}")
    results.mkdir(parents=True, exist_ok=True)
    (results / "feed.json").write_text(json.dumps({"pairs": pairs, "ratios": ratios, "target": TARGET_RATIO}, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.rounds, arguments.seconds))
    report(found, Path(__file__).parent.parent / "results")
