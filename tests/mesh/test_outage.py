"""The services away: refusals with a hint at once, and recovery by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from tintype.edge.v1 import feed_pb2
from tintype.edge.v1.feed_pb2_grpc import FeedServiceStub

from tests.mesh.grpc_doors import Grpc, grpc_refusal
from tests.mesh.mesh_client import Person, Rest, error_of, eventually, image_url

FEED = feed_pb2.GetFeedRequest()
AWAY = (503, 14, "DEPENDENCY_UNAVAILABLE")


@asynccontextmanager
async def watched(installation: Any) -> AsyncIterator[None]:
    """The installation restarts what ends."""
    watching = asyncio.create_task(installation.watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await installation.process("services").start()


async def back(rest: Rest, who: Person) -> None:
    async def serving() -> bool:
        return (await rest.ask("GET", "/v1/feed", who)).status_code == 200

    await eventually(serving, within_s=30)


async def test_a_crash_of_the_services_is_503_with_a_hint_and_mends_itself(
    rest: Rest, installation: Any, channel: grpc.aio.Channel, cleo: Person
) -> None:
    url = image_url(await rest.publish(cleo))
    services = installation.process("services")
    os.killpg(services.pid, signal.SIGKILL)
    assert await services.wait_stopped(5)
    for verb, path in (("GET", "/v1/feed"), ("GET", "/healthz"), ("PUT", f"/v1/me/following/{cleo.at}"), ("GET", url)):
        answer = await rest.ask(verb, path, cleo)
        error = error_of(answer)
        assert (error["http"], error["code"], error["reason"]) == AWAY
        assert "try again" in error["message"]
        assert int(answer.headers["retry-after"]) >= 1
    refusal = await grpc_refusal(Grpc(channel, cleo).call(FeedServiceStub, "GetFeed", FEED))
    assert refusal == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    async with watched(installation):
        await back(rest, cleo)
        assert (await rest.ask("GET", url)).status_code == 200
        await eventually(lambda: _grpc_serves(channel, cleo), within_s=10)


async def _grpc_serves(channel: grpc.aio.Channel, who: Person) -> bool:
    try:
        await Grpc(channel, who).call(FeedServiceStub, "GetFeed", FEED)
    except grpc.aio.AioRpcError:
        return False
    return True


async def test_services_that_hang_are_given_up_within_the_deadline(
    rest: Rest, installation: Any, channel: grpc.aio.Channel, cleo: Person
) -> None:
    services = installation.process("services")
    services.pause()
    try:
        rest_answer, grpc_answer = await asyncio.gather(
            rest.ask("GET", "/v1/feed", cleo),
            grpc_refusal(FeedServiceStub(channel).GetFeed(FEED, metadata=cleo.metadata)),
        )
    finally:
        services.resume()
    error = error_of(rest_answer)
    assert (error["http"], error["reason"]) == (504, "DEADLINE_EXCEEDED")
    assert grpc_answer == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    await back(rest, cleo)


async def test_a_shutdown_ends_streams_with_a_word_and_they_resume(rest: Rest, installation: Any, cleo: Person) -> None:
    post_id = (await rest.publish(cleo))["postId"]
    path = f"/v1/live/posts?postIds={post_id}"
    services = installation.process("services")
    async with rest.events(path, cleo) as messages, asyncio.timeout(30):
        await anext(messages)
        os.kill(services.pid, signal.SIGTERM)
        last = [message async for message in messages][-1]
    assert (last["kind"], last["endReason"]) == ("END", "DRAINING")
    assert await services.wait_stopped(25)
    async with watched(installation):
        await back(rest, cleo)
        await rest.ok("POST", f"/v1/posts/{post_id}/comments", cleo, json={"text": "after"})
        async with rest.events(f"{path}&cursor={last['cursor']}", cleo) as messages, asyncio.timeout(10):
            while (message := await anext(messages))["kind"] != "COMMENT":
                pass
    assert message["comment"]["text"] == "after"


@pytest.mark.parametrize("name", ["redis"])
async def test_without_redis_posts_are_still_read_and_it_comes_back(
    rest: Rest, installation: Any, cleo: Person, name: str
) -> None:
    post_id = (await rest.publish(cleo))["postId"]
    installation.process(name).kill()
    assert (await rest.ask("GET", f"/v1/posts/{post_id}", cleo)).status_code == 200
    await installation.process(name).start()

    async def well() -> bool:
        return (await rest.ask("GET", "/healthz")).json() == {"serving": True, "problems": {}}

    await eventually(well, within_s=20)
