"""Refusals over REST and gRPC: the right status, one ErrorInfo, and nothing changed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from tintype.edge.v1 import accounts_pb2, feed_pb2, posts_pb2, search_pb2
from tintype.edge.v1.accounts_pb2_grpc import AccountServiceStub
from tintype.edge.v1.feed_pb2_grpc import FeedServiceStub
from tintype.edge.v1.posts_pb2_grpc import PostServiceStub
from tintype.edge.v1.search_pb2_grpc import SearchServiceStub

from mesh.auth import tokens
from mesh.auth.keys import KeyRing
from mesh.clock import SystemClock
from tests.mesh.grpc_doors import Grpc, grpc_refusal
from tests.mesh.mesh_client import PASSWORD, Person, Rest, error_of, eventually, photo, registration, unique
from tests.mesh.raw_http import raw

MINUTE_MS = 60_000
Code = grpc.StatusCode
Mint = Callable[..., str]


@pytest.fixture
def mint(installation: Any, cleo: Person) -> Mint:
    """Makes access tokens for Cleo that the accounts service would not give out."""
    ring = KeyRing(installation.settings.keys_dir, SystemClock(), 10**12, 0)
    ring.refresh()

    def make(age_ms: int = 0, scopes: tuple[str, ...] = ("read", "write", "account")) -> str:
        now = time.time_ns() // 1_000_000
        return tokens.sign(
            ring,
            user_id=int(cleo.user_id),
            session_id=int(cleo.session_id),
            scopes=frozenset(scopes),
            roles=frozenset(),
            now_ms=now - age_ms,
            life_ms=15 * MINUTE_MS,
        )

    return make


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


# Requests that are wrong in themselves


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b"{bad", "INVALID_REQUEST", "key:value"),
        (b'{"caption": "x"', "INVALID_REQUEST", ""),
        (b"[]", "INVALID_REQUEST", ""),
        (b'{"caption": 5}', "INVALID_REQUEST", "caption"),
        (b'{"mediaIds": ["1"], "captoin": "x"}', "INVALID_REQUEST", '"captoin" in CreatePostRequest'),
        (b'{"mediaIds": ["1"], "place": {"nam": "x"}}', "INVALID_REQUEST", '"nam" in Place'),
        (b'{"mediaIds": ["nine"]}', "INVALID_FIELD", "media_ids[0]"),
        (b'{"mediaIds": []}', "INVALID_FIELD", "media_ids"),
        (b"{}", "INVALID_FIELD", "media_ids"),
        (b"", "INVALID_FIELD", "media_ids"),
    ],
)
async def test_a_wrong_body_is_400_and_says_what_is_wrong(
    rest: Rest, cleo: Person, content: bytes, reason: str, says: str
) -> None:
    answer = await rest.ask("POST", "/v1/posts", cleo, content=content, headers={"content-type": "application/json"})
    error = error_of(answer)
    assert (error["http"], error["code"], error["reason"]) == (400, 3, reason)
    assert says in error["message"]


async def test_both_spellings_of_a_field_and_nested_values_of_any_shape_are_read(rest: Rest, cleo: Person) -> None:
    body = {"media_ids": ["1"], "place": {"name": '{"\\}, [x": 1}', "latitude": -1.5e1, "longitude": 0}}
    assert await rest.refused("POST", "/v1/posts", cleo, json=body) == (404, "MEDIA_NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/v1/feed?nope=1", "INVALID_REQUEST"),
        ("/v1/feed?pageSize=many", "INVALID_REQUEST"),
        ("/v1/feed?pageSize=101", "INVALID_FIELD"),
        ("/v1/feed?pageToken=forged", "INVALID_PAGE_TOKEN"),
        ("/v1/posts/abc", "INVALID_FIELD"),
        ("/v1/posts/-1", "INVALID_FIELD"),
        ("/v1/users/nobody", "INVALID_FIELD"),
        ("/v1/live/posts", "INVALID_FIELD"),
    ],
)
async def test_a_wrong_path_or_query_is_400(rest: Rest, cleo: Person, path: str, reason: str) -> None:
    assert await rest.refused("GET", path, cleo) == (400, reason)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/v1/nothing"),
        ("GET", "/elsewhere"),
        ("GET", "/healthzzz"),
        ("DELETE", "/v1/feed"),
        ("POST", "/v1/limits"),
        ("POST", "/tintype.graph.v1.GraphService/Follow"),
        ("POST", "/tintype.edge.v1.FeedService/GetFeed"),
        ("POST", "/envoy.service.auth.v3.Authorization/Check"),
        ("POST", "/m/token/640"),
    ],
)
async def test_what_is_not_there_is_404(rest: Rest, cleo: Person, verb: str, path: str) -> None:
    assert await rest.refused(verb, path, cleo) == (404, "METHOD_NOT_FOUND")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_body_that_is_not_json_is_415(rest: Rest, cleo: Person, kind: str) -> None:
    answer = rest.refused("POST", "/v1/posts", cleo, content=b"{}", headers={"content-type": kind})
    assert await answer == (415, "UNSUPPORTED_CONTENT_TYPE")


# Who is calling


async def test_no_token_is_401(rest: Rest) -> None:
    assert await rest.refused("GET", "/v1/feed") == (401, "TOKEN_MISSING")


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "e30.e30.e30", "x" * 5000])
async def test_a_token_that_is_none_is_401(rest: Rest, token: str) -> None:
    assert await rest.refused("GET", "/v1/feed", headers=bearer(token)) == (401, "TOKEN_INVALID")


async def test_another_scheme_than_bearer_is_no_token(rest: Rest) -> None:
    headers = {"authorization": "Basic YW5hOmFuYQ=="}
    assert await rest.refused("GET", "/v1/feed", headers=headers) == (401, "TOKEN_MISSING")


async def test_a_token_whose_signature_was_tampered_with_is_401(rest: Rest, mint: Mint) -> None:
    head, claims, signature = mint().split(".")
    forged = f"{head}.{claims}.{signature[::-1]}"
    assert await rest.refused("GET", "/v1/feed", headers=bearer(forged)) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize("late_ms", [2_000, 60 * MINUTE_MS])
async def test_an_expired_token_is_401_and_says_so(rest: Rest, mint: Mint, late_ms: int) -> None:
    token = mint(age_ms=15 * MINUTE_MS + late_ms)
    assert await rest.refused("GET", "/v1/feed", headers=bearer(token)) == (401, "TOKEN_EXPIRED")


async def test_a_revoked_session_stops_within_five_seconds(rest: Rest) -> None:
    dora = await rest.register("dora")
    body = {"username": dora.username, "password": PASSWORD}
    phone = (await rest.ok("POST", "/v1/sessions", json=body))["session"]
    await rest.ok("GET", "/v1/me", headers=bearer(phone["accessToken"]))
    await rest.ok("DELETE", f"/v1/sessions/{phone['sessionId']}", dora)

    async def refused() -> bool:
        return (await rest.ask("GET", "/v1/me", headers=bearer(phone["accessToken"]))).status_code == 401

    await eventually(refused)
    refusal = await rest.refused("GET", "/v1/me", headers=bearer(phone["accessToken"]))
    assert refusal == (401, "SESSION_REVOKED")
    await rest.ok("GET", "/v1/me", dora)


async def test_a_token_without_the_scope_is_403(rest: Rest, mint: Mint) -> None:
    reader = bearer(mint(scopes=("read",)))
    await rest.ok("GET", "/v1/me", headers=reader)
    assert await rest.refused("PATCH", "/v1/me", headers=reader, json={"bio": "x"}) == (403, "SCOPE_MISSING")


async def test_what_belongs_to_somebody_else_is_403_where_it_may_be_seen(rest: Rest, ben: Person) -> None:
    dora = await rest.register("dora")
    post = await rest.publish(dora, "mine")
    path = f"/v1/posts/{post['postId']}"
    assert await rest.refused("PATCH", path, ben, json={"caption": "yours"}) == (403, "NOT_OWNER")
    assert await rest.refused("DELETE", path, ben) == (403, "NOT_OWNER")
    assert (await rest.ok("GET", path, dora))["post"]["caption"] == "mine"


async def test_a_private_strangers_post_answers_as_one_that_is_not_there(rest: Rest, ben: Person) -> None:
    dora = await rest.register("dora")
    post_id = (await rest.publish(dora, "for my followers"))["postId"]
    await rest.go_private(dora)
    for verb, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("PUT", "/like"), ("GET", "/comments")):
        more = {"json": {"caption": "x"}} if verb == "PATCH" else {}

        async def hidden(verb: str = verb, path: str = path, more: Any = more) -> bool:
            return (await rest.ask(verb, f"/v1/posts/{post_id}{path}", ben, **more)).status_code == 404

        await eventually(hidden)
        there = error_of(await rest.ask(verb, f"/v1/posts/{post_id}{path}", ben, **more))
        nowhere = error_of(await rest.ask(verb, f"/v1/posts/1{post_id[1:]}{path}", ben, **more))
        assert there["reason"] == "POST_NOT_FOUND"
        assert there["message"].replace(post_id, "") == nowhere["message"].replace(f"1{post_id[1:]}", "")


# State


async def test_a_taken_username_is_409_and_names_the_field(rest: Rest, cleo: Person) -> None:
    body = registration(unique()) | {"username": cleo.username.upper()}
    answer = await rest.ask("POST", "/v1/accounts", json=body)
    assert (error_of(answer)["http"], error_of(answer)["reason"]) == (409, "USERNAME_TAKEN")
    [bad] = [detail for detail in answer.json()["details"] if detail["@type"].endswith("BadRequest")]
    assert [violation["field"] for violation in bad["fieldViolations"]] == ["username"]


async def test_what_the_state_forbids_is_400_and_says_what_to_do(rest: Rest, cleo: Person) -> None:
    answer = await rest.ok("POST", "/v1/media:upload", cleo, content=photo(2400, 1800))
    body = {"mediaIds": [answer["media"]["mediaId"]]}
    early = await rest.ask("POST", "/v1/posts", cleo, json=body)
    assert (early.status_code, error_of(early)["code"], error_of(early)["reason"]) == (400, 9, "MEDIA_NOT_READY")


async def test_a_wrong_password_is_401_and_does_not_say_which_half_was_wrong(rest: Rest, cleo: Person) -> None:
    wrong = error_of(await rest.ask("POST", "/v1/sessions", json={"username": cleo.username, "password": "wrong"}))
    nobody = error_of(await rest.ask("POST", "/v1/sessions", json={"username": unique(), "password": "wrong"}))
    assert wrong == nobody
    assert (wrong["http"], wrong["reason"]) == (401, "CREDENTIALS_REFUSED")


# Size


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_json_body_that_is_too_large_is_413(rest: Rest, cleo: Person, chunked: bool) -> None:
    limits = {limit["name"]: int(limit["value"]) for limit in (await rest.ok("GET", "/v1/limits"))["limits"]}
    body = b'{"caption": "' + b"a" * limits["json.bytes"] + b'"}'

    async def parts() -> Any:
        yield body

    content = parts() if chunked else body
    headers = {"content-type": "application/json"}
    answer = rest.refused("POST", "/v1/posts", cleo, content=content, headers=headers)
    assert await answer == (413, "PAYLOAD_TOO_LARGE")


async def test_an_upload_without_a_token_is_refused_before_a_byte_of_it_is_read(installation: Any) -> None:
    head = "POST /v1/media:upload HTTP/1.1\nhost: x\ncontent-type: image/jpeg\ncontent-length: 30000000"
    answer = await raw(installation.options.listen, head)
    assert (answer.status, answer.sent) == (401, 0)


async def test_an_upload_over_the_limit_is_413_before_it_is_read_whole(
    rest: Rest, installation: Any, cleo: Person
) -> None:
    size = 200 * 1024 * 1024
    head = f"POST /v1/media:upload HTTP/1.1\nhost: x\nauthorization: Bearer {cleo.token}\ncontent-length: {size}"
    answer = await raw(installation.options.listen, head, size, first=photo())
    assert (answer.status, answer.json()["details"][0]["reason"]) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.headers["content-type"] == "application/json"
    assert answer.sent < size // 2


async def test_what_is_not_an_image_is_refused(rest: Rest, cleo: Person) -> None:
    answer = rest.refused("POST", "/v1/media:upload", cleo, content=b"#!/bin/sh\nrm -rf /\n" * 100)
    assert await answer == (400, "NOT_AN_IMAGE")


# Rates


async def test_too_many_calls_of_a_class_are_429_with_retry_after_and_other_classes_go_on(
    strict_gateway: str, cleo: Person
) -> None:
    async with Rest(f"http://{strict_gateway}") as rest:
        answers = [await rest.ask("GET", "/v1/search/users?query=x", cleo) for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused
        for answer in refused:
            assert (error_of(answer)["http"], error_of(answer)["reason"]) == (429, "RATE_LIMITED")
            assert int(answer.headers["retry-after"]) >= 1
        await rest.ok("GET", "/v1/feed", cleo)

        async def again() -> bool:
            return (await rest.ask("GET", "/v1/search/users?query=x", cleo)).status_code == 200

        await eventually(again)


async def test_too_many_calls_over_grpc_are_resource_exhausted(strict_gateway: str, cleo: Person) -> None:
    async with grpc.aio.insecure_channel(strict_gateway) as channel:
        door = Grpc(channel, cleo)
        request = search_pb2.SearchUsersRequest(query="x")

        async def until_refused() -> None:
            for _ in range(10):
                await door.call(SearchServiceStub, "SearchUsers", request)

        assert await grpc_refusal(until_refused()) == (Code.RESOURCE_EXHAUSTED, "RATE_LIMITED")


# gRPC


async def test_grpc_refusals_carry_the_same_reasons(channel: grpc.aio.Channel, cleo: Person, mint: Mint) -> None:
    nobody, door = Grpc(channel), Grpc(channel, cleo)
    feed = feed_pb2.GetFeedRequest()

    def as_token(token: str) -> Awaitable[Any]:
        return FeedServiceStub(channel).GetFeed(feed, metadata=(("authorization", f"Bearer {token}"),))

    def post(post_id: str) -> Awaitable[Any]:
        return door.call(PostServiceStub, "GetPost", posts_pb2.GetPostRequest(post_id=post_id))

    body = registration(cleo.username)
    taken = accounts_pb2.RegisterRequest(
        username=body["username"], email=f"{unique()}@example.com", password=PASSWORD, display_name="C"
    )
    expected = [
        (nobody.call(FeedServiceStub, "GetFeed", feed), Code.UNAUTHENTICATED, "TOKEN_MISSING"),
        (as_token("garbage"), Code.UNAUTHENTICATED, "TOKEN_INVALID"),
        (as_token(mint(age_ms=20 * MINUTE_MS)), Code.UNAUTHENTICATED, "TOKEN_EXPIRED"),
        (post("abc"), Code.INVALID_ARGUMENT, "INVALID_FIELD"),
        (post("5"), Code.NOT_FOUND, "POST_NOT_FOUND"),
        (nobody.call(AccountServiceStub, "Register", taken), Code.ALREADY_EXISTS, "USERNAME_TAKEN"),
    ]
    for call, code, reason in expected:
        assert await grpc_refusal(call) == (code, reason)


@pytest.mark.parametrize(
    "path",
    [
        "/tintype.graph.v1.GraphService/Follow",
        "/tintype.accounts.v1.AccountsService/BatchGetUsers",
        "/tintype.edge.v1.FeedService/Nope",
        "/envoy.service.auth.v3.Authorization/Check",
        "/other.Service/Method",
    ],
)
async def test_only_the_public_services_leave_the_mesh(channel: grpc.aio.Channel, cleo: Person, path: str) -> None:
    call = channel.unary_unary(path)(b"", metadata=cleo.metadata, timeout=5)
    assert await grpc_refusal(call) == (Code.UNIMPLEMENTED, "METHOD_NOT_FOUND")


# Nothing changes


async def test_refused_writes_change_nothing(rest: Rest, ben: Person) -> None:
    dora = await rest.register("dora")
    post_id = (await rest.publish(dora, "as it was"))["postId"]

    async def state() -> Any:
        return [
            (await rest.ok("GET", "/v1/me", dora))["account"],
            (await rest.ok("GET", f"/v1/users/{dora.at}", ben))["user"],
            (await rest.ok("GET", f"/v1/posts/{post_id}", dora))["post"]["caption"],
            (await rest.ok("GET", f"/v1/posts/{post_id}/comments", dora))["comments"],
            (await rest.ok("GET", "/v1/sessions", dora))["sessions"],
        ]

    async def counted() -> bool:
        return (await rest.ok("GET", f"/v1/users/{dora.at}", ben))["user"]["postCount"] == 1

    await eventually(counted)
    before = await state()
    wrong: list[tuple[str, str, Person | None, Any]] = [
        ("PATCH", "/v1/me", dora, {"bio": "new", "privat": True}),
        ("PATCH", "/v1/me?updateMask=email", dora, {"email": "x@example.com"}),
        ("PATCH", "/v1/me", dora, {"bio": "b" * 501}),
        ("PATCH", "/v1/me", None, {"bio": "new"}),
        ("PATCH", f"/v1/posts/{post_id}", dora, {"caption": "new", "placee": {}}),
        ("PATCH", f"/v1/posts/{post_id}", ben, {"caption": "new"}),
        ("DELETE", f"/v1/posts/{post_id}", ben, None),
        ("POST", f"/v1/posts/{post_id}/comments", ben, {"text": "hi", "colour": "red"}),
        ("POST", f"/v1/posts/{post_id}/comments", ben, {"text": ""}),
        ("PUT", f"/v1/me/following/{dora.at}?force=1", ben, None),
        ("DELETE", f"/v1/sessions/{dora.session_id}", ben, None),
        ("DELETE", f"/v1/sessions/{dora.session_id}", None, None),
    ]
    for verb, path, who, body in wrong:
        answer = await rest.ask(verb, path, who, **({"json": body} if body is not None else {}))
        assert error_of(answer)["http"] in (400, 401, 403, 404), f"{verb} {path} {body}: {answer.text}"
    assert await state() == before


async def test_a_refused_registration_takes_neither_name_nor_address(rest: Rest) -> None:
    body = registration(unique("dora"))
    for wrong in ({"pasword": "x"}, {"password": "short"}, {"email": "not an address"}, {"displayName": "x" * 65}):
        assert (await rest.refused("POST", "/v1/accounts", json=body | wrong))[0] == 400
    await rest.ok("POST", "/v1/accounts", json=body)
