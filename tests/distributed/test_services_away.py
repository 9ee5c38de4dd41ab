"""What callers see while a service is frozen, gone or back: never INTERNAL, never longer than their deadline."""

from __future__ import annotations

import asyncio
import uuid
from functools import partial
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status
from tintype.edge.v1 import profiles_pb2
from tintype.edge.v1.profiles_pb2_grpc import ProfileServiceStub
from tintype.graph.v1 import graph_pb2
from tintype.graph.v1.graph_pb2_grpc import GraphServiceStub

from mesh.errors import Code, Problem
from mesh.rpc.status import from_status
from tests.distributed.inner_mesh import dependency_of, peer
from tests.distributed.installed import Installed
from tests.mesh.mesh_client import Person, Rest, error_of, eventually
from tests.mesh.test_out_of_sight import tintype


async def profile(channel: grpc.aio.Channel, who: Person, of: Person, timeout: float) -> Any:
    request = profiles_pb2.GetProfileRequest(user=of.user_id)
    return await ProfileServiceStub(channel).GetProfile(request, timeout=timeout, metadata=who.metadata)


async def test_a_frozen_service_costs_its_callers_their_deadline_and_no_more(
    installation: Installed, rest: Rest, channel: grpc.aio.Channel
) -> None:
    ana, ben = await rest.register("ana"), await rest.register("ben")
    installation.process("graph").pause()
    try:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await profile(channel, ana, ben, timeout=2)
        status = rpc_status.from_call(failure.value)
        assert status is not None, "the edge answered, not the client's own timer"
        problem = from_status(status)
        assert (problem.code, problem.reason) == (Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        assert dependency_of(problem) == "graph"
    finally:
        installation.process("graph").resume()

    async def recovered() -> bool:
        return bool((await rest.ask("GET", f"/v1/users/{ben.at}", ana)).status_code == 200)

    await eventually(recovered, within_s=15)


async def test_a_service_that_is_gone_is_named_and_comes_back_by_itself(installation: Installed, rest: Rest) -> None:
    ana, ben = await rest.register("ana"), await rest.register("ben")
    graph = installation.process("graph")
    graph.kill()
    try:

        async def refused() -> Any:
            answer = await rest.ask("PUT", f"/v1/me/following/{ben.at}", ana)
            assert answer.status_code != 500, answer.text
            return answer if answer.status_code == 503 else None

        answer = await eventually(refused, within_s=15)
        assert error_of(answer)["reason"] == "DEPENDENCY_UNAVAILABLE"
        assert "graph" in answer.text
        assert answer.headers["retry-after"] == "1"
        limits = await rest.ask("GET", "/v1/limits")
        assert limits.status_code == 200, "what needs no graph goes on"
        health = await eventually(lambda: problems(rest), within_s=15)
        assert list(health) == ["graph"]
    finally:
        await graph.start()

    async def followed() -> bool:
        return bool((await rest.ask("PUT", f"/v1/me/following/{ben.at}", ana)).status_code == 200)

    await eventually(followed, within_s=15)

    async def well() -> bool:
        return await problems(rest) == {}

    await eventually(well, within_s=15)


async def test_without_engagement_posts_are_shown_and_made_all_the_same(installation: Installed, rest: Rest) -> None:
    """What engagement adds to a post is left out and named; a repeated creation is the same post."""
    ana, ben = await rest.register("ana"), await rest.register("ben")

    async def followed() -> bool:
        return bool((await rest.ask("PUT", f"/v1/me/following/{ana.at}", ben)).status_code == 200)

    await eventually(followed, within_s=15)  # a graph that has just started says for a moment that it is not ready
    old = await rest.publish(ana, "before")
    body = {"mediaIds": [await rest.upload(ana)], "caption": "meanwhile", "requestId": str(uuid.uuid4())}

    async def fed(post: Any) -> Any:
        items = (await rest.ok("GET", "/v1/feed", ben))["items"]
        return next((item["post"] for item in items if item["post"]["postId"] == post["postId"]), None)

    await eventually(lambda: fed(old), within_s=15)
    engagement = installation.process("engagement")
    engagement.kill()
    try:
        made = [(await rest.ok("POST", "/v1/posts", ana, json=body))["post"] for _ in range(2)]
        assert made[0]["postId"] == made[1]["postId"], "a retry makes no second post"
        assert made[0]["caption"] == "meanwhile"

        async def left_out(post: Any) -> bool:
            return bool((await fed(post) or {}).get("leftOut") == ["counts", "viewer"])

        for post in (old, made[0]):  # what was read within the second before is still shown
            await eventually(partial(left_out, post), within_s=15)
        assert (await fed(old))["caption"] == "before"
    finally:
        await engagement.start()

    async def whole() -> bool:
        return (await fed(old))["leftOut"] == [] and (await fed(made[0]))["leftOut"] == []

    await eventually(whole, within_s=15)
    again = (await rest.ok("POST", "/v1/posts", ana, json=body))["post"]
    assert again["postId"] == made[0]["postId"]


async def test_what_is_out_of_sight_stays_so_over_restarts(installation: Installed, rest: Rest) -> None:
    ana, ben, eve = [await rest.register(name) for name in ("ana", "ben", "eve")]
    post_id = (await rest.publish(ana))["postId"]
    await tintype(installation, "posts", "remove", post_id)
    await tintype(installation, "users", "hide", eve.at)
    for name in ("accounts", "media"):
        installation.process(name).kill()
        await installation.process(name).start()

    async def statuses() -> list[int]:
        paths = (f"/v1/posts/{post_id}", f"/v1/users/{eve.user_id}")
        return [(await rest.ask("GET", path, ben)).status_code for path in paths]

    async def gone() -> bool:
        found = await statuses()
        assert 200 not in found
        return found == [404, 404]

    await eventually(gone, within_s=15)
    await tintype(installation, "posts", "restore", post_id)
    await tintype(installation, "users", "unhide", eve.at)

    async def back() -> bool:
        return await statuses() == [200, 200]

    await eventually(back)


async def problems(rest: Rest) -> dict[str, str]:
    """What /healthz says is wrong; the gateway goes on serving."""
    answer = await rest.ok("GET", "/healthz")
    assert answer["serving"] is True
    return dict(answer["problems"])


async def test_calls_that_may_be_repeated_are_repeated_over_a_restart(installation: Installed) -> None:
    """Readers of a service that is killed and restarted see UNAVAILABLE at most, each within its deadline."""
    request = graph_pb2.BatchGetCountsRequest(user_ids=[1])
    outcomes: list[str] = []

    async with peer(installation) as channels:
        stub: Any = channels.stub(GraphServiceStub)

        async def ask() -> str:
            try:
                await stub.BatchGetCounts(request, timeout=2)
            except Problem as problem:
                return problem.code.name
            return "OK"

        assert await ask() == "OK"
        installation.process("graph").kill()
        outcomes = list(await asyncio.gather(*(ask() for _ in range(20))))
        assert set(outcomes) == {"UNAVAILABLE"}
        await installation.process("graph").start()

        async def again() -> bool:
            return await ask() == "OK"

        await eventually(again, within_s=10)
