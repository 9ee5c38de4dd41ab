"""Redis away for minutes: feeds are read on, and no process says that it does not serve."""

from __future__ import annotations

import io
from pathlib import Path

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from rich.console import Console
from tintype.edge.v1 import feed_pb2

from cli.client import Client
from cli.demo.people import DEMO_PASSWORD, PEOPLE
from cli.demo.world import World
from cli.modules import modules
from mesh.app import queues
from mesh.clock import FakeClock
from mesh.testing.harness import running
from stack.redis import RedisServer
from stack.s3 import S3Server

FLAGS = {"accounts.argon2_memory_kib": "8", "accounts.argon2_passes": "1", "blobs.bucket": "without-redis"}


async def test_feeds_are_read_and_every_probe_serves_for_two_minutes_without_redis(
    own_redis: RedisServer, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "_LOOK_EVERY_S", 0.0)
    clock = FakeClock()
    async with running(modules(), tmp_path, redis_url=own_redis.url, s3=s3, clock=clock, flags=FLAGS) as mesh:
        target = f"127.0.0.1:{mesh.process.port}"
        await World(target, Console(file=io.StringIO()), people=3, photos=4).fill()
        await mesh.settle()
        async with Client(target) as client, grpc.aio.insecure_channel(target) as channel:
            reader = await client.log_in(PEOPLE[1].username, DEMO_PASSWORD)
            request = feed_pb2.GetFeedRequest()
            before = await client.call(client.feed.GetFeed, request, reader)
            assert before.items
            own_redis.process.kill()
            for _ in range(24):
                clock.advance(5_000)
                serves = await mesh.process.health.look()
                assert serves, mesh.process.health.unwell
                answer = await HealthStub(channel).Check(HealthCheckRequest(), timeout=5)
                assert answer.status == HealthCheckResponse.SERVING
                feed = await client.call(client.feed.GetFeed, request, reader)
                assert [item.post.post_id for item in feed.items] == [item.post.post_id for item in before.items]
            assert "the bus cannot be reached for 120 s" in mesh.process.health.degraded["events"]
