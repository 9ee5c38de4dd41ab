"""How a process starts, says how it is, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tintype.events.v1.media_pb2 import PostChanged

from mesh.app import Context, Module, PartFailed, process, queues
from mesh.app import health as health_of_the_process
from mesh.clock import FakeClock
from mesh.config import ConfigError
from mesh.events import NewEvent
from mesh.rpc.call import Call
from mesh.testing.harness import Harness, running
from stack.redis import RedisServer
from tests.runtime.trial_service import AskRequest, AskResponse, Trial, TrialEdgeServiceStub, until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(channel: grpc.aio.Channel) -> int:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return int(answer.status)


async def until_health(channel: grpc.aio.Channel, wanted: int, within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while await health(channel) != wanted:
            await asyncio.sleep(0.02)


def to(mesh: Harness) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(f"127.0.0.1:{mesh.process.port}")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes and queues are looked at often, so that tests need not wait."""
    monkeypatch.setattr(process, "_PROBE_EVERY_S", 0.02)
    monkeypatch.setattr(queues, "_LOOK_EVERY_S", 0.05)


# --- start


async def test_start_is_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    story: list[str] = []

    def module(name: str) -> Module:
        async def build(ctx: Context) -> None:
            story.append(f"{name} built")

            async def started() -> None:
                story.append(f"{name} started")

            async def stopped() -> None:
                story.append(f"{name} stopped")

            ctx.on_start(started)
            ctx.on_stop(stopped)

        return Module(name, build)

    async with running([module("one"), module("two")], tmp_path) as mesh:
        story.append(f"serving {mesh.process.port > 0}")
    assert story == [
        *("one built", "two built", "one started", "two started", "serving True"),
        *("two stopped", "one stopped"),
    ]


async def test_what_was_opened_is_closed_where_the_start_fails(tmp_path: Path) -> None:
    story: list[str] = []

    async def opens(ctx: Context) -> None:
        async def stopped() -> None:
            story.append("closed")

        ctx.on_stop(stopped)

    async def fails(ctx: Context) -> None:
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        async with running([Module("opens", opens), Module("fails", fails)], tmp_path):
            pass
    assert story == ["closed"]


async def test_part_that_does_not_get_ready_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(ctx: Context) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(process, "_OPEN_TIMEOUT_S", 0.05)
    with pytest.raises(TimeoutError, match="tardy: not ready within"):
        async with running([Module("tardy", hangs)], tmp_path):
            pass


async def test_port_that_is_taken_is_named(mesh: Harness, tmp_path: Path) -> None:
    address = f"127.0.0.1:{mesh.process.port}"
    with pytest.raises(OSError, match=f"cannot listen on {address}"):
        async with running([], tmp_path, flags={"grpc_address": address}):
            pass


async def test_targets_choose_modules_and_an_unknown_one_is_named(tmp_path: Path) -> None:
    built: list[str] = []

    def module(name: str) -> Module:
        async def build(ctx: Context) -> None:
            built.append(name)

        return Module(name, build)

    every = [module("one"), module("two"), module("three")]
    async with running(every, tmp_path, flags={"targets": "three,one"}):
        assert built == ["one", "three"]
    with pytest.raises(ConfigError, match=r"targets: \['four'\] unknown; choose from all, one, three, two"):
        async with running(every, tmp_path, flags={"targets": "four"}):
            pass


# --- health


async def test_health_is_not_serving_from_the_first_moment_where_a_probe_fails(trial: Trial, tmp_path: Path) -> None:
    answer = "disk full"

    async def probe() -> str:
        return answer

    trial.on_build = lambda ctx: ctx.health("disk", probe)
    async with running([trial.module()], tmp_path) as mesh, to(mesh) as channel:
        assert await health(channel) == NOT_SERVING
        assert trial.context is not None
        assert trial.context.unwell() == {"trial/disk": "disk full"}
        answer = ""
        await until_health(channel, SERVING)
        assert trial.context.unwell() == {}


async def test_probe_that_raises_or_hangs_is_unwell_with_its_reason(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def raises() -> str:
        raise OSError("gone")

    async def hangs() -> str:
        await asyncio.Event().wait()
        return ""

    def probes(ctx: Context) -> None:
        ctx.health("raises", raises)
        ctx.health("hangs", hangs)

    trial.on_build = probes
    monkeypatch.setattr(health_of_the_process, "_TIMEOUT_S", 0.05)
    async with running([trial.module()], tmp_path) as mesh:
        unwell = mesh.process.health.unwell
        assert "gone" in unwell["trial/raises"]
        assert "no answer within" in unwell["trial/hangs"]


class Blocked:
    """A module whose consumer handles nothing until it is let."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    def module(self) -> Module:
        async def build(ctx: Context) -> None:
            store = await ctx.store([])
            self.outbox = ctx.outbox(store)

            async def handle(event: Any) -> None:
                await self.go.wait()

            ctx.subscribe("slow", {PostChanged: handle}, store)

        return Module("slow", build)

    async def publish(self) -> None:
        await self.outbox.commit([], [NewEvent(PostChanged(post_id=1), 1)])


async def test_event_that_nobody_handles_is_told_at_its_age_and_the_process_serves_on(
    own_redis: RedisServer, clock: FakeClock, tmp_path: Path
) -> None:
    blocked = Blocked()
    flags = {"events.max_age_s": "60"}
    modules = [blocked.module()]
    async with (
        running(modules, tmp_path, redis_url=own_redis.url, clock=clock, flags=flags) as mesh,
        to(mesh) as channel,
    ):
        await blocked.publish()
        clock.advance(61_000)
        await until(lambda: "events" in mesh.process.health.degraded)
        assert "slow has an event of slow unhandled for 61 s" in mesh.process.health.degraded["events"]
        assert await health(channel) == SERVING
        blocked.go.set()
        await until(lambda: not mesh.process.health.degraded)


async def test_bus_that_stays_away_is_told_and_the_process_serves_on(
    own_redis: RedisServer, clock: FakeClock, tmp_path: Path
) -> None:
    blocked = Blocked()
    modules = [blocked.module()]
    async with running(modules, tmp_path, redis_url=own_redis.url, clock=clock) as mesh, to(mesh) as channel:
        own_redis.process.kill()
        await mesh.process.health.look()
        assert not mesh.process.health.degraded
        clock.advance(61_000)
        await until(lambda: "events" in mesh.process.health.degraded)
        assert "the bus cannot be reached for 61 s" in mesh.process.health.degraded["events"]
        assert await health(channel) == SERVING
        await own_redis.process.start()
        await until(lambda: not mesh.process.health.degraded)


async def test_cache_that_is_away_is_named_at_once_and_the_process_serves_on(
    own_redis: RedisServer, trial: Trial, tmp_path: Path
) -> None:
    trial.on_build = lambda ctx: setattr(trial, "cache", ctx.cache)
    async with running([trial.module()], tmp_path, redis_url=own_redis.url) as mesh, to(mesh) as channel:
        own_redis.process.kill()
        async with asyncio.timeout(10):
            while "redis" not in mesh.process.health.degraded:
                await asyncio.sleep(0.02)
        assert await health(channel) == SERVING
        assert trial.context is not None
        assert "Redis" in trial.context.degraded()["redis"]
        await own_redis.process.start()
        async with asyncio.timeout(10):
            while mesh.process.health.degraded:
                await asyncio.sleep(0.02)


# --- background work


async def test_background_part_that_fails_ends_the_process_with_its_reason(trial: Trial, tmp_path: Path) -> None:
    go = asyncio.Event()

    async def work() -> None:
        await go.wait()
        raise ValueError("no more film")

    trial.on_build = lambda ctx: ctx.background("developing", work)
    async with running([trial.module()], tmp_path) as mesh:
        waiting = asyncio.create_task(mesh.process.wait())
        go.set()
        with pytest.raises(PartFailed, match=r"trial/developing failed: ValueError\('no more film'\)"):
            await asyncio.wait_for(waiting, 5)


async def test_background_part_that_just_ends_is_a_failure(trial: Trial, tmp_path: Path) -> None:
    async def work() -> None:
        return

    trial.on_build = lambda ctx: ctx.background("brief", work)
    async with running([trial.module()], tmp_path) as mesh:
        with pytest.raises(PartFailed, match=r"trial/brief failed: .*ended by itself"):
            await asyncio.wait_for(mesh.process.wait(), 5)


# --- stop


async def test_drain_finishes_calls_under_way_and_refuses_new_ones(trial: Trial, tmp_path: Path) -> None:
    began, go = asyncio.Event(), asyncio.Event()

    async def answer(request: Any, call: Call) -> AskResponse:
        began.set()
        await go.wait()
        return AskResponse(text="finished")

    trial.answer = answer
    process_of = running([trial.module()], tmp_path)
    mesh = await process_of.__aenter__()
    async with to(mesh) as channel, to(mesh) as late:
        stub = TrialEdgeServiceStub(channel)
        call = asyncio.ensure_future(stub.Open(AskRequest(), timeout=20))
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=20)
        assert (await watch.read()).status == SERVING
        await asyncio.wait_for(began.wait(), 5)
        stopping = asyncio.create_task(process_of.__aexit__(None, None, None))
        assert (await watch.read()).status == NOT_SERVING
        await until(mesh.process.registry.closing.is_set)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await TrialEdgeServiceStub(late).Open(AskRequest(), timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        go.set()
        assert (await call).text == "finished"
        watch.cancel()
        await asyncio.wait_for(stopping, 10)
    assert trial.calls == 1


async def test_stop_is_bounded_where_a_call_never_ends(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[AskResponse]:
        yield AskResponse()
        await asyncio.Event().wait()

    async def never() -> None:
        await asyncio.Event().wait()

    trial.stream = stream
    trial.on_build = lambda ctx: ctx.on_stop(never)
    monkeypatch.setattr(process, "GRACE_S", 0.1)
    monkeypatch.setattr(process, "STEP_S", 0.1)
    async with asyncio.timeout(10):
        async with running([trial.module()], tmp_path) as mesh, to(mesh) as channel:
            watch = channel.unary_stream("/tintype.trial.v1.TrialService/Watch")
            peers = mesh.process.channels._peers.token()
            messages = watch(b"", metadata=(("x-tintype-mesh", peers),))
            await messages.read()
    with pytest.raises(grpc.aio.AioRpcError):
        await messages.read()


async def test_part_that_fails_to_stop_keeps_no_other_from_it(trial: Trial, tmp_path: Path) -> None:
    stopped: list[str] = []

    async def first() -> None:
        stopped.append("first")

    async def fails() -> None:
        raise RuntimeError("stuck shutter")

    def parts(ctx: Context) -> None:
        ctx.on_stop(first)
        ctx.on_stop(fails)

    trial.on_build = parts
    async with running([trial.module()], tmp_path):
        pass
    assert stopped == ["first"]
