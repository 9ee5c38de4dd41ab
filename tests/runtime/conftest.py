"""The trial service in a real process of the runtime, reached by both transports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from mesh.auth.peers import PeerTokens
from mesh.clock import FakeClock
from mesh.rpc.chain import Chain
from mesh.rpc.channels import Channels
from mesh.rpc.checks import validation
from mesh.rpc.server import Registry
from mesh.testing.harness import Harness, running
from tests.runtime.trial_service import Door, Trial, TrialEdgeServiceStub, TrialServiceStub


@pytest.fixture
def trial() -> Trial:
    return Trial()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_800_000_000_000)


@pytest.fixture
async def mesh(trial: Trial, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Harness]:
    """A process that serves the trial service and nothing else."""
    async with running([trial.module()], tmp_path / "state", clock=clock) as mesh:
        yield mesh


@pytest.fixture
async def remote(mesh: Harness, clock: FakeClock) -> AsyncIterator[Channels]:
    """Channels as another process of the mesh has them."""
    address = f"127.0.0.1:{mesh.process.port}"
    peers = PeerTokens(mesh.process.settings.derived_key("mesh").hex(), "neighbour", clock)
    channels = Channels("neighbour", Registry(Chain([], validation)), {"trial": address, "edge": address}, peers)
    yield channels
    await channels.close()


@pytest.fixture(params=["in process", "gRPC"])
async def door(request: pytest.FixtureRequest, mesh: Harness, trial: Trial, remote: Channels) -> Door:
    """Everything that uses this is promised of both transports alike."""
    away = request.param == "gRPC"
    channels = remote if away else mesh.process.channels
    return Door(channels.stub(TrialServiceStub), channels.stub(TrialEdgeServiceStub), trial, mesh, away)


@pytest.fixture
async def wire(mesh: Harness) -> AsyncIterator[grpc.aio.Channel]:
    """A plain gRPC channel to the process, as any program on the network could open one."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{mesh.process.port}") as channel:
        yield channel
