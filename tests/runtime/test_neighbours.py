"""How a process looks at those that it calls: once for each address, seldom, and never at the others."""

from __future__ import annotations

import asyncio

import pytest

from mesh.app import neighbours
from mesh.app.neighbours import Neighbours
from mesh.rpc.channels import Channels
from mesh.testing.harness import Harness
from tests.runtime.trial_service import Trial, TrialEdgeServiceStub, TrialServiceStub


class Counted(Neighbours):
    """Counts the looks of one process."""

    def __init__(self, channels: Channels) -> None:
        super().__init__(channels)
        self.asked: list[str] = []
        ask = channels.health

        async def health(address: str) -> str:
            self.asked.append(address)
            return await ask(address)

        channels.health = health  # type: ignore[method-assign]


async def test_services_at_one_address_share_a_look_however_often_it_is_asked(remote: Channels) -> None:
    remote.stub(TrialServiceStub)
    remote.stub(TrialEdgeServiceStub)
    looking = Counted(remote)
    answers = [await looking.look() for _ in range(100)]
    assert answers == [{}] * 100
    assert len(looking.asked) == 1


async def test_an_address_that_nobody_here_calls_is_not_looked_at(remote: Channels) -> None:
    looking = Counted(remote)
    assert await looking.look() == {}
    assert looking.asked == []


async def test_every_service_at_an_address_that_is_away_is_named_until_it_is_back(
    mesh: Harness, remote: Channels, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "_EVERY_S", 0.0)
    monkeypatch.setattr(neighbours, "_AWAY_EVERY_S", 0.0)
    remote.stub(TrialServiceStub)
    remote.stub(TrialEdgeServiceStub)
    looking = Neighbours(remote)
    assert trial.context is not None
    broken = ["no disk"]

    async def disk() -> str:
        return broken[0]

    trial.context.health("disk", disk)
    async with asyncio.timeout(10):
        while (away := await looking.look()).keys() != {"trial", "edge"}:
            await asyncio.sleep(0.02)
    assert all("is not serving" in why for why in away.values())
    broken[0] = ""
    async with asyncio.timeout(10):
        while await looking.look():
            await asyncio.sleep(0.02)
