"""Server streams and client streams, in process and over gRPC alike."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from mesh import deadline
from mesh.errors import Problem
from mesh.rpc.call import Call, current
from mesh.rpc.server import MAX_MESSAGE_BYTES
from mesh.testing.harness import Harness
from tests.runtime.trial_service import AskRequest, AskResponse, Door, Trial, TrialEdgeServiceStub, until


async def test_stream_delivers_everything_in_order_and_ends(door: Door) -> None:
    texts = [message.text async for message in door.stub.Watch(AskRequest(limit=50))]
    assert texts == [str(number) for number in range(50)]


async def test_client_stream_is_read_as_it_comes(door: Door) -> None:
    read: list[str] = []
    asked = asyncio.Queue[str]()

    async def collect(requests: Any, call: Call) -> AskResponse:
        async for request in requests:
            read.append(request.text)  # noqa: PERF401 - seen as it comes
        return AskResponse(text="".join(read))

    async def requests() -> AsyncIterator[AskRequest]:
        while text := await asked.get():
            yield AskRequest(text=text)

    door.trial.collect = collect
    call = asyncio.ensure_future(door.stub.Collect(requests()))
    for text in "abc":
        asked.put_nowait(text)
        await until(lambda text=text: read[-1:] == [text])
    asked.put_nowait("")
    assert (await call).text == "abc"


async def test_stream_leaves_neither_its_call_nor_its_deadline_with_the_consumer(door: Door) -> None:
    before = current.get()
    messages = door.stub.Watch(AskRequest(limit=3), timeout=20)
    async for _ in messages:
        assert current.get() is before
        assert deadline.remaining() is None
    assert deadline.remaining() is None


async def test_two_streams_of_one_consumer_keep_apart(door: Door) -> None:
    seen: dict[str, list[str]] = {"a": [], "b": []}

    async def stream(request: Any, call: Call) -> AsyncIterator[AskResponse]:
        for _ in range(3):
            own = current.get()
            assert own is not None
            seen[request.text].append(own.request_id)
            yield AskResponse(text=request.text)

    door.trial.stream = stream
    one, other = door.stub.Watch(AskRequest(text="a")), door.stub.Watch(AskRequest(text="b"))
    for _ in range(3):
        assert ((await anext(one)).text, (await anext(other)).text) == ("a", "b")
    assert len(set(seen["a"])) == len(set(seen["b"])) == 1
    assert seen["a"] != seen["b"]


async def test_consumer_that_stops_reading_ends_the_stream(door: Door) -> None:
    ended = asyncio.Event()

    async def stream(request: Any, call: Call) -> AsyncIterator[AskResponse]:
        try:
            while True:
                yield AskResponse(text="on")
                await asyncio.sleep(0)
        finally:
            ended.set()

    door.trial.stream = stream
    messages = door.stub.Watch(AskRequest())
    async with contextlib.aclosing(messages):
        await anext(messages)
    await asyncio.wait_for(ended.wait(), 5)


async def test_consumer_that_is_cancelled_ends_the_stream(door: Door) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def stream(request: Any, call: Call) -> AsyncIterator[AskResponse]:
        began.set()
        try:
            await asyncio.Event().wait()
            yield AskResponse()
        finally:
            ended.set()

    async def consume() -> None:
        async for _ in door.stub.Watch(AskRequest()):
            pass

    door.trial.stream = stream
    consumer = asyncio.create_task(consume())
    await asyncio.wait_for(began.wait(), 5)
    consumer.cancel()
    await asyncio.gather(consumer, return_exceptions=True)
    await asyncio.wait_for(ended.wait(), 5)


async def test_reader_that_goes_while_the_server_cannot_send_leaves_nothing_behind(
    mesh: Harness, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    if not door.remote:
        return  # in process nothing waits to be sent
    sent, ended = 0, asyncio.Event()

    async def stream(request: Any, call: Call) -> AsyncIterator[AskResponse]:
        nonlocal sent
        try:
            while True:
                sent += 1
                yield AskResponse(text="x" * 100_000)
        finally:
            ended.set()

    door.trial.stream = stream
    messages = door.stub.Watch(AskRequest(), timeout=20)
    await anext(messages)
    before = -1
    while sent != before:  # until the windows are full
        before = sent
        await asyncio.sleep(0.05)
    await messages.aclose()
    await asyncio.wait_for(ended.wait(), 5)
    assert not [record for record in caplog.records if record.levelname == "ERROR"], caplog.text


async def test_open_stream_is_told_that_the_server_closes(door: Door) -> None:
    async def stream(request: Any, call: Call) -> AsyncIterator[AskResponse]:
        yield AskResponse(text="open")
        await call.closing.wait()
        yield AskResponse(text="resume elsewhere")

    door.trial.stream = stream
    messages = door.stub.Watch(AskRequest())
    assert (await anext(messages)).text == "open"
    stopping = asyncio.create_task(door.mesh.process.server.stop(5))
    assert (await asyncio.wait_for(anext(messages), 5)).text == "resume elsewhere"
    with pytest.raises(StopAsyncIteration):
        await anext(messages)
    await asyncio.wait_for(stopping, 5)


# --- sizes


async def test_message_of_four_mebibytes_passes_and_a_larger_one_is_refused(
    wire: grpc.aio.Channel, trial: Trial
) -> None:
    async def answer(request: Any, call: Call) -> AskResponse:
        return AskResponse(text=str(len(request.text)))

    trial.answer = answer
    stub = TrialEdgeServiceStub(wire)
    room = MAX_MESSAGE_BYTES - 16
    assert (await stub.Open(AskRequest(text="x" * room), timeout=20)).text == str(room)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Open(AskRequest(text="x" * (MAX_MESSAGE_BYTES + 1)), timeout=20)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert trial.calls == 1


async def test_answer_that_is_serialised_already_is_the_same_answer(door: Door) -> None:
    async def answer(request: Any, call: Call) -> bytes:
        return bytes(AskResponse(text="spliced").SerializeToString())

    door.trial.answer = answer
    assert await door.stub.Ask(AskRequest()) == AskResponse(text="spliced")


async def test_service_that_runs_nowhere_is_unavailable(mesh: Harness) -> None:
    from tintype.graph.v1 import graph_pb2, graph_pb2_grpc

    stub: Any = mesh.process.channels.stub(graph_pb2_grpc.GraphServiceStub)
    with pytest.raises(Problem) as caught:
        await stub.BatchGetRelations(graph_pb2.BatchGetRelationsRequest(user_ids=[1]))
    assert caught.value.code.name == "UNAVAILABLE"
    assert "tintype.graph.v1.GraphService" in caught.value.message
