"""The mesh repeats a call that broke on the way where, and only where, its rule allows that."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.auth.peers import PeerTokens
from mesh.clock import FakeClock
from mesh.errors import Code, Problem, unavailable
from mesh.rpc.call import Call
from mesh.rpc.chain import Chain
from mesh.rpc.channels import Channels
from mesh.rpc.checks import validation
from mesh.rpc.server import Registry
from mesh.testing.harness import Harness
from stack.ports import free_port
from tests.runtime.trial_service import AskRequest, AskResponse, Trial, TrialServiceStub


def channels_to(mesh: Harness, port: int, clock: FakeClock) -> Channels:
    peers = PeerTokens(mesh.process.settings.derived_key("mesh").hex(), "neighbour", clock)
    return Channels("neighbour", Registry(Chain([], validation)), {"trial": f"127.0.0.1:{port}"}, peers)


@pytest.mark.parametrize(("method", "tries"), [("Ask", 3), ("Once", 1)])
async def test_unavailable_callee_is_asked_again_only_where_that_has_one_effect(
    mesh: Harness, trial: Trial, clock: FakeClock, method: str, tries: int
) -> None:
    async def answer(request: Any, call: Call) -> AskResponse:
        raise unavailable("storage")

    trial.answer = answer
    channels = channels_to(mesh, mesh.process.port, clock)
    try:
        with pytest.raises(Problem) as caught:
            await getattr(channels.stub(TrialServiceStub), method)(AskRequest())
    finally:
        await channels.close()
    assert (caught.value.code, caught.value.metadata) == (Code.UNAVAILABLE, {"dependency": "storage"})
    assert trial.calls == tries


async def test_other_refusals_are_final(mesh: Harness, trial: Trial, clock: FakeClock) -> None:
    async def answer(request: Any, call: Call) -> AskResponse:
        raise Problem(Code.RESOURCE_EXHAUSTED, "OVERLOADED", "later")

    trial.answer = answer
    channels = channels_to(mesh, mesh.process.port, clock)
    try:
        with pytest.raises(Problem):
            await channels.stub(TrialServiceStub).Ask(AskRequest())
    finally:
        await channels.close()
    assert trial.calls == 1


async def test_callee_that_is_not_there_is_unavailable(mesh: Harness, clock: FakeClock) -> None:
    channels = channels_to(mesh, free_port(), clock)
    try:
        with pytest.raises(Problem) as caught:
            await channels.stub(TrialServiceStub).Ask(AskRequest(), timeout=5)
    finally:
        await channels.close()
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    assert caught.value.retry_after_ms
