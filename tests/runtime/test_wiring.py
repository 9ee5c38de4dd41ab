"""A process that calls or hears what is nowhere does not start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.modules import modules
from mesh.app import Context, Module
from mesh.config import ConfigError
from mesh.testing.harness import running
from stack.redis import RedisServer
from stack.s3 import S3Server
from tests.runtime.trial_service import Trial, TrialServiceStub


async def call(ctx: Context) -> None:
    ctx.stub(TrialServiceStub)


async def hear(ctx: Context) -> None:
    ctx.tail("trial", {})


async def publish(ctx: Context) -> None:
    ctx.outbox(await ctx.store([]))


CALLER, HEARER, PUBLISHER = Module("caller", call), Module("hearer", hear), Module("trial", publish)
ELSEWHERE = {"addresses.trial": "127.0.0.1:9"}


async def starts(directory: Path, *modules: Module, **flags: str) -> None:
    async with running(modules, directory, flags=flags, whole=True):
        pass


async def test_stub_that_nobody_serves(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"caller calls tintype\.trial\.v1\.TrialService, .* addresses\.trial"):
        await starts(tmp_path, CALLER, PUBLISHER)
    await starts(tmp_path, CALLER, Trial().module())
    await starts(tmp_path, CALLER, **ELSEWHERE)


async def test_area_that_nobody_publishes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hearer hears events of trial, .* addresses\.trial"):
        await starts(tmp_path, HEARER, Trial().module())


async def test_everything_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        await starts(tmp_path, CALLER, HEARER)
    assert re.findall(r"^\w+", str(refused.value), re.MULTILINE) == ["caller", "hearer"]


async def test_tintype_calls_and_hears_nothing_that_is_nowhere(
    tmp_path: Path, own_redis: RedisServer, s3: S3Server
) -> None:
    async with running(modules(), tmp_path, redis_url=own_redis.url, s3=s3, whole=True) as mesh:
        assert mesh.process.wiring.calls
        assert mesh.process.wiring.hears
