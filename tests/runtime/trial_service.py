"""The trial services, whose handlers each test writes for itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mesh.app import Context, Module
from mesh.rpc.call import Call
from mesh.testing.harness import Harness
from tests.runtime.trial_protos import trial_edge_pb2, trial_edge_pb2_grpc, trial_pb2, trial_pb2_grpc

EDGE, TRIAL = trial_edge_pb2.DESCRIPTOR, trial_pb2.DESCRIPTOR
AskRequest, AskResponse, Part = trial_pb2.AskRequest, trial_pb2.AskResponse, trial_pb2.Part
TrialServiceStub, TrialEdgeServiceStub = trial_pb2_grpc.TrialServiceStub, trial_edge_pb2_grpc.TrialEdgeServiceStub
T = TypeVar("T")
Answer = Callable[[Any, Call], Awaitable[Any]]
Stream = Callable[[Any, Call], AsyncIterator[Any]]


async def _echo(request: Any, call: Call) -> AskResponse:
    return AskResponse(text=request.text)


async def _count(request: Any, call: Call) -> AsyncIterator[AskResponse]:
    for number in range(request.limit):
        yield AskResponse(text=str(number))


async def _join(requests: Any, call: Call) -> AskResponse:
    return AskResponse(text="".join([request.text async for request in requests]))


@dataclass
class Trial:
    """Set ``answer``, ``stream`` or ``collect``; see how often a handler ran in ``calls``."""

    answer: Answer = _echo
    stream: Stream = _count
    collect: Answer = _join
    calls: int = 0
    context: Context | None = None
    on_build: Callable[[Context], None] = lambda _: None

    async def Ask(self, request: Any, call: Call) -> Any:
        self.calls += 1
        return await self.answer(request, call)

    Once = Brief = AsUser = AsOwner = AsModerator = Open = Mine = Ask

    async def Watch(self, request: Any, call: Call) -> AsyncIterator[Any]:
        self.calls += 1
        async for message in self.stream(request, call):
            yield message

    BriefWatch = Watch

    async def Collect(self, requests: Any, call: Call) -> Any:
        self.calls += 1
        return await self.collect(requests, call)

    def module(self) -> Module:
        """A module that serves this."""

        async def build(ctx: Context) -> None:
            self.context = ctx
            ctx.serve(TRIAL.services_by_name["TrialService"], self)
            ctx.serve(EDGE.services_by_name["TrialEdgeService"], self)
            self.on_build(ctx)

        return Module("trial", build)


@dataclass
class Door:
    """One of the two ways to the trial service: in process or over gRPC."""

    stub: Any
    edge: Any
    trial: Trial
    mesh: Harness
    remote: bool


async def until(look: Callable[[], Any], within_s: float = 5.0) -> None:
    """Wait for a condition, no longer than this."""
    async with asyncio.timeout(within_s):
        while not look():
            await asyncio.sleep(0.005)
