"""What a channel repeats by itself, against a callee that fails as scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from tintype.accounts.v1 import accounts_pb2
from tintype.accounts.v1.accounts_pb2_grpc import AccountsServiceStub
from tintype.graph.v1 import graph_pb2
from tintype.graph.v1.graph_pb2_grpc import GraphServiceStub

from mesh import deadline
from mesh.auth.peers import PeerTokens
from mesh.clock import SystemClock
from mesh.errors import Code, Problem
from mesh.rpc.chain import Chain
from mesh.rpc.channels import Channels
from mesh.rpc.checks import validation
from mesh.rpc.server import Registry


class Failing(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers every call with UNAVAILABLE until it has failed so often, then with an empty message."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls: list[str] = []
        self.seconds: list[float] = []

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(self._answer)

    async def _answer(self, request: bytes, context: Any) -> bytes:
        self.calls.append(request.decode(errors="replace"))
        self.seconds.append(context.time_remaining())
        if len(self.calls) <= self.failures:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "going away")
        return b""


@asynccontextmanager
async def callee(failures: int) -> AsyncIterator[tuple[Failing, Channels]]:
    server, failing = grpc.aio.server(options=(("grpc.so_reuseport", 0),)), Failing(failures)
    server.add_generic_rpc_handlers((failing,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    peers = PeerTokens("s" * 32, "test", SystemClock())
    address = f"127.0.0.1:{port}"
    channels = Channels("test", Registry(Chain([], validation)), {"graph": address, "accounts": address}, peers)
    try:
        yield failing, channels
    finally:
        await channels.close()
        await server.stop(None)


COUNTS = graph_pb2.BatchGetCountsRequest(user_ids=[1])


async def test_a_call_with_one_effect_is_repeated_when_the_callee_goes_away() -> None:
    async with callee(failures=2) as (failing, channels):
        await channels.stub(GraphServiceStub).BatchGetCounts(COUNTS)
    assert len(failing.calls) == 3


async def test_repeating_is_bounded_and_ends_with_the_callee_named() -> None:
    async with callee(failures=100) as (failing, channels):
        with pytest.raises(Problem) as problem:
            await channels.stub(GraphServiceStub).BatchGetCounts(COUNTS)
    assert len(failing.calls) == 3
    assert (problem.value.code, problem.value.metadata) == (Code.UNAVAILABLE, {"dependency": "graph"})
    assert problem.value.retry_after_ms


async def test_what_has_an_effect_each_time_is_sent_once() -> None:
    async with callee(failures=1) as (failing, channels):
        with pytest.raises(Problem):
            await channels.stub(AccountsServiceStub).LogIn(accounts_pb2.LogInRequest(identifier="ana", password="x"))
    assert len(failing.calls) == 1


async def test_a_callee_is_given_what_is_left_of_its_caller_s_time_less_a_little() -> None:
    async with callee(failures=0) as (failing, channels):
        with deadline.limit(0.5):
            await channels.stub(GraphServiceStub).BatchGetCounts(COUNTS)
        with deadline.limit(60):
            await channels.stub(GraphServiceStub).BatchGetCounts(COUNTS)
    short, usual = failing.seconds
    assert short < 0.5, "so that the caller can still tell its own caller what happened"
    assert usual < 6, "a method's own limit is never passed"


async def test_nothing_is_sent_when_no_time_is_left() -> None:
    async with callee(failures=0) as (failing, channels):
        with deadline.limit(-1), pytest.raises(Problem) as problem:
            await channels.stub(GraphServiceStub).BatchGetCounts(COUNTS)
    assert problem.value.code is Code.DEADLINE_EXCEEDED
    assert failing.calls == []
