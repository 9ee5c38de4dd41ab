"""The gateway against hostile and broken clients, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import httpx
import pytest
from tintype.edge.v1 import feed_pb2, live_pb2
from tintype.edge.v1.feed_pb2_grpc import FeedServiceStub
from tintype.edge.v1.live_pb2_grpc import LiveServiceStub

from tests.mesh.mesh_client import Person, Rest, error_of
from tests.mesh.raw_http import raw

CORS = {"origin": "https://app.example.com", "access-control-request-method": "PATCH"}


@pytest.fixture
def address(installation: Any) -> str:
    return str(installation.options.listen)


async def test_rest_speaks_http_1_and_http_2_alike(rest: Rest, cleo: Person) -> None:
    first = await rest.ask("GET", "/v1/me", cleo)
    async with httpx.AsyncClient(base_url=rest.url, http1=False, http2=True, trust_env=False) as http2:
        second = await http2.get("/v1/me", headers=cleo.bearer)
        refused = await http2.get("/v1/me")
    assert (first.http_version, second.http_version) == ("HTTP/1.1", "HTTP/2")
    assert first.json() == second.json()
    assert error_of(refused)["reason"] == "TOKEN_MISSING"


@pytest.mark.parametrize("path", ["/v1/users/%2e%2e%2fme", "/v1/posts/5%2flike", "/v1%5cme", "/v1/users/x%5C..%5Cy"])
async def test_escaped_slashes_are_refused(address: str, path: str) -> None:
    answer = await raw(address, f"GET {path} HTTP/1.1\nhost: x")
    assert (answer.status, answer.json()["details"][0]["reason"]) == (400, "INVALID_REQUEST")


async def test_dots_and_double_slashes_are_resolved_before_anything_is_decided(address: str) -> None:
    for path in ("/v1/../v1/./limits", "//v1//limits", "/m/../v1/limits"):
        assert (await raw(address, f"GET {path} HTTP/1.1\nhost: x")).status == 200
    answer = await raw(address, "GET /healthz/../v1/me HTTP/1.1\nhost: x")
    assert answer.status == 401


@pytest.mark.parametrize(
    "forged",
    [
        {"x-tintype-mesh": "forged"},
        {"x-tintype-user": "1"},
        {"x-envoy-original-path": "/v1/limits"},
        {"x-envoy-upstream-rq-timeout-ms": "1"},
        {"x-envoy-retry-on": "5xx", "x-envoy-max-retries": "100"},
    ],
)
async def test_headers_that_only_the_mesh_may_set_do_not_reach_it(
    rest: Rest, channel: grpc.aio.Channel, cleo: Person, forged: dict[str, str]
) -> None:
    await rest.ok("GET", "/v1/feed", cleo, headers=forged)
    metadata = (*cleo.metadata, *forged.items())
    await FeedServiceStub(channel).GetFeed(feed_pb2.GetFeedRequest(), metadata=metadata, timeout=5)


async def test_nobody_is_somebody_by_a_header(rest: Rest, cleo: Person) -> None:
    for name in ("x-tintype-user", "x-user-id", "x-jwt-payload", "x-tintype-mesh"):
        assert await rest.refused("GET", "/v1/me", headers={name: cleo.user_id}) == (401, "TOKEN_MISSING")


async def test_a_token_in_the_query_is_no_token(rest: Rest, cleo: Person) -> None:
    assert (await rest.refused("GET", f"/v1/me?access_token={cleo.token}"))[0] in (400, 401)


async def test_headers_that_are_too_large_are_431(address: str) -> None:
    answer = await raw(address, f"GET /healthz HTTP/1.1\nhost: x\nx-large: {'a' * 40_000}")
    assert answer.status == 431


async def test_too_many_headers_are_431(address: str) -> None:
    many = "\n".join(f"x-{number}: 1" for number in range(200))
    answer = await raw(address, f"GET /healthz HTTP/1.1\nhost: x\n{many}")
    assert answer.status == 431


async def test_headers_with_underscores_are_refused(address: str) -> None:
    answer = await raw(address, "GET /healthz HTTP/1.1\nhost: x\nx_tintype_mesh: forged")
    assert answer.status == 400


async def test_a_client_that_dribbles_its_headers_is_cut_off(strict_gateway: str) -> None:
    host, port = strict_gateway.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ")
    await writer.drain()
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    assert b"408" in answer.split(b"\r\n")[0]


@pytest.mark.parametrize(
    "head",
    [
        "GET /healthz HTTP/1.1",
        "GET /healthz HTTP/1.1\nhost: x\ncontent-length: 5\ntransfer-encoding: chunked",
        "GET /healthz HTTP/1.1\nhost: x\ncontent-length: 5\ncontent-length: 6",
        "GET /healthz HTTP/9.9\nhost: x",
        "NONSENSE",
        "CONNECT example.com:443 HTTP/1.1\nhost: example.com:443",
    ],
)
async def test_what_is_not_http_is_refused_and_ends_the_connection(address: str, head: str) -> None:
    answer = await raw(address, head)
    assert answer.status in (400, 404, 426)
    assert answer.status == 404 or answer.headers["connection"] == "close"


async def test_every_answer_carries_the_security_headers_and_a_request_id(rest: Rest, cleo: Person) -> None:
    for path in ("/healthz", "/v1/feed", "/elsewhere", "/docs", "/m/x/y"):
        answer = await rest.ask("GET", path, cleo)
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert answer.headers["x-request-id"], path
        assert answer.headers["server"] == "tintype", path
        assert not [name for name in answer.headers if name.startswith("x-envoy")], path


async def test_a_clients_own_deadline_is_kept(channel: grpc.aio.Channel, rest: Rest, cleo: Person) -> None:
    watch = live_pb2.WatchPostsRequest(post_ids=[(await rest.publish(cleo))["postId"]])
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        async for _ in LiveServiceStub(channel).WatchPosts(watch, metadata=cleo.metadata, timeout=2):
            pass  # the stream goes on for as long as its reader lets it
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


# Browsers


async def test_a_preflight_is_answered_without_a_token(rest: Rest) -> None:
    answer = await rest.ask("OPTIONS", "/v1/me", headers={**CORS, "access-control-request-headers": "authorization"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == CORS["origin"]
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "access-control-allow-credentials" not in answer.headers


async def test_answers_and_refusals_may_be_read_by_a_page(rest: Rest, cleo: Person) -> None:
    for who in (cleo, None):
        answer = await rest.ask("GET", "/v1/me", who, headers={"origin": CORS["origin"]})
        assert answer.headers["access-control-allow-origin"] == CORS["origin"]
        assert "grpc-status" in answer.headers["access-control-expose-headers"]


async def test_other_origins_than_the_configured_get_no_leave(strict_gateway: str) -> None:
    async with Rest(f"http://{strict_gateway}") as rest:
        for origin, allowed in ((CORS["origin"], True), ("https://app.example.com.evil.org", False), ("null", False)):
            answer = await rest.ask("OPTIONS", "/v1/me", headers={**CORS, "origin": origin})
            assert ("access-control-allow-origin" in answer.headers) is allowed, origin
