"""What every call meets before its handler, whichever transport carries it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from mesh.auth import tokens
from mesh.clock import FakeClock
from mesh.errors import Code, Problem, exhausted
from mesh.rpc.call import Call, current
from mesh.testing.harness import Harness
from tests.runtime.trial_service import (
    AskRequest,
    AskResponse,
    Door,
    Part,
    Trial,
    TrialEdgeServiceStub,
    TrialServiceStub,
)


async def refusal(waiting: Any) -> Problem:
    """The Problem that a call must end with."""
    with pytest.raises(Problem) as caught:
        await waiting
    return caught.value


def token(mesh: Harness, scopes: set[str], roles: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    now = mesh.process.clock.now_ms()
    ring = mesh._keys
    granted = {"scopes": frozenset(scopes), "roles": frozenset(roles), "now_ms": now, "life_ms": 60_000}
    return tokens.sign(ring, user_id=7, session_id=9, **granted)


class As:
    """Calls in this block carry a token, as those of a handler do that serves its owner."""

    def __init__(self, mesh: Harness, bearer: str, request_id: str = "") -> None:
        metadata = {"authorization": bearer} if bearer else {}
        self._call = Call(None, metadata, None, mesh.process.registry.closing, request_id=request_id)  # type: ignore[arg-type]

    def __enter__(self) -> None:
        self._mark = current.set(self._call)

    def __exit__(self, *_: object) -> None:
        current.reset(self._mark)


# --- request ids


async def test_request_id_travels_from_call_to_call(door: Door) -> None:
    seen: list[str] = []

    async def answer(request: Any, call: Call) -> AskResponse:
        seen.append(call.request_id)
        return AskResponse()

    door.trial.answer = answer
    with As(door.mesh, "", request_id="from-the-edge.1"):
        await door.stub.Ask(AskRequest())
    assert seen == ["from-the-edge.1"]


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 65, "line\u0001break"])
async def test_missing_or_unsafe_request_id_is_replaced(wire: Any, mesh: Harness, trial: Trial, given: str) -> None:
    seen: list[str] = []

    async def answer(request: Any, call: Call) -> AskResponse:
        seen.append(call.request_id)
        return AskResponse()

    trial.answer = answer
    metadata = (("x-request-id", given),) if given is not None and given.isprintable() else ()
    await TrialEdgeServiceStub(wire).Open(AskRequest(), metadata=metadata)
    assert re.fullmatch(r"[0-9a-f]{32}", seen[0])


# --- authentication and authorisation


async def test_public_method_needs_no_token(door: Door) -> None:
    assert (await door.edge.Open(AskRequest(text="hi"))).text == "hi"


async def test_token_that_is_there_must_hold_even_where_none_is_needed(door: Door) -> None:
    with As(door.mesh, "Bearer nonsense"):
        problem = await refusal(door.edge.Open(AskRequest()))
    assert (problem.code, problem.reason) == (Code.UNAUTHENTICATED, "TOKEN_INVALID")
    assert door.trial.calls == 0


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer ", "abc"])
async def test_authorization_header_of_another_form_is_refused(door: Door, header: str) -> None:
    with As(door.mesh, header):
        problem = await refusal(door.edge.Mine(AskRequest()))
    assert problem.reason == "TOKEN_INVALID"


@pytest.mark.parametrize("method", ["AsUser", "AsOwner", "AsModerator"])
async def test_method_for_users_needs_a_token(door: Door, method: str) -> None:
    problem = await refusal(getattr(door.stub, method)(AskRequest()))
    assert (problem.code, problem.reason) == (Code.UNAUTHENTICATED, "TOKEN_MISSING")
    assert door.trial.calls == 0


async def test_expired_token_is_refused_with_a_reason_of_its_own(door: Door, clock: FakeClock) -> None:
    bearer = "Bearer " + token(door.mesh, {"read"})
    with As(door.mesh, bearer):
        await door.edge.Mine(AskRequest())
        clock.advance(60_000)
        assert (await refusal(door.edge.Mine(AskRequest()))).reason == "TOKEN_EXPIRED"


SCOPES = {"AsUser": "write", "AsOwner": "account"}


@pytest.mark.parametrize("method", SCOPES)
@pytest.mark.parametrize("scopes", [set(), {"read"}, {"write"}, {"account"}, {"read", "write", "account"}])
async def test_token_needs_the_scope_that_the_rule_names(door: Door, method: str, scopes: set[str]) -> None:
    with As(door.mesh, "Bearer " + token(door.mesh, scopes)):
        call = getattr(door.stub, method)(AskRequest(text="in"))
        if SCOPES[method] in scopes:
            assert (await call).text == "in"
        else:
            problem = await refusal(call)
            assert (problem.code, problem.reason) == (Code.PERMISSION_DENIED, "SCOPE_MISSING")
            assert SCOPES[method] in problem.message


async def test_moderators_method_needs_the_role_in_the_token(door: Door) -> None:
    with As(door.mesh, "Bearer " + token(door.mesh, {"read", "write", "account"})):
        assert (await refusal(door.stub.AsModerator(AskRequest()))).reason == "MODERATOR_ONLY"
    with As(door.mesh, "Bearer " + token(door.mesh, {"read"}, {"moderator"})):
        await door.stub.AsModerator(AskRequest())


async def test_caller_is_who_the_token_says(door: Door) -> None:
    seen: list[tuple[int, int]] = []

    async def answer(request: Any, call: Call) -> AskResponse:
        seen.append((call.user.user_id, call.user.session_id))
        return AskResponse()

    door.trial.answer = answer
    with As(door.mesh, "Bearer " + token(door.mesh, {"write"})):
        await door.stub.AsUser(AskRequest())
    assert seen == [(7, 9)]


METHODS = ["Ask", "Once", "Brief", "AsUser", "AsOwner", "AsModerator"]


@pytest.mark.parametrize("method", METHODS)
async def test_service_of_the_mesh_refuses_whoever_is_not_of_the_mesh(
    wire: Any, mesh: Harness, trial: Trial, method: str
) -> None:
    bearer = ("authorization", "Bearer " + token(mesh, {"read", "write", "account"}, {"moderator"}))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(TrialServiceStub(wire), method)(AskRequest(), metadata=(bearer,))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert error_info(caught.value).reason == "MESH_ONLY"
    assert trial.calls == 0


async def test_forged_mesh_token_is_refused(wire: Any, trial: Trial) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await TrialServiceStub(wire).Ask(AskRequest(), metadata=(("x-tintype-mesh", "a.b.c"),))
    assert error_info(caught.value).reason == "MESH_ONLY"
    assert trial.calls == 0


async def test_ended_session_is_asked_for_at_the_public_door_only(door: Door) -> None:
    asked: list[int] = []

    async def revoked(caller: Any) -> None:
        asked.append(caller.session_id)
        raise Problem(Code.UNAUTHENTICATED, "SESSION_REVOKED", "over")

    door.mesh.process.session_check = revoked
    with As(door.mesh, "Bearer " + token(door.mesh, {"read", "write"})):
        await door.stub.AsUser(AskRequest())
        assert asked == []
        assert (await refusal(door.edge.Mine(AskRequest()))).reason == "SESSION_REVOKED"
    assert asked == [9]


# --- validation


async def test_every_wrong_field_is_named_by_its_path(door: Door) -> None:
    request = AskRequest(limit=101, parts=[Part(name="short"), Part(name="far too long")])
    problem = await refusal(door.stub.Ask(request))
    assert (problem.code, problem.reason) == (Code.INVALID_ARGUMENT, "INVALID_FIELD")
    assert {violation.field for violation in problem.fields} == {"limit", "parts[1].name"}
    assert all(violation.description for violation in problem.fields)
    assert door.trial.calls == 0


async def test_at_most_twenty_wrong_fields_are_listed(door: Door) -> None:
    problem = await refusal(door.stub.Ask(AskRequest(parts=[Part(name="too long!")] * 50)))
    assert len(problem.fields) == 20


async def test_each_message_of_a_client_stream_is_validated(door: Door) -> None:
    async def requests() -> Any:
        yield AskRequest(text="good")
        yield AskRequest(limit=101)

    problem = await refusal(door.stub.Collect(requests()))
    assert [violation.field for violation in problem.fields] == ["limit"]


async def test_request_of_a_server_stream_is_validated(door: Door) -> None:
    with pytest.raises(Problem) as caught:
        await anext(door.stub.Watch(AskRequest(limit=101)))
    assert [violation.field for violation in caught.value.fields] == ["limit"]
    assert door.trial.calls == 0


# --- errors


FULL = replace(exhausted("RATE_LIMITED", "slow down", retry_after_ms=1500), metadata={"limit": "5"})


@pytest.mark.parametrize("stream", [False, True])
async def test_problem_reaches_the_caller_as_it_was_raised(door: Door, stream: bool) -> None:
    async def answer(request: Any, call: Call) -> AskResponse:
        raise FULL

    async def answers(request: Any, call: Call) -> Any:
        yield AskResponse(text="first")
        raise FULL

    door.trial.answer, door.trial.stream = answer, answers
    if stream:
        messages = door.stub.Watch(AskRequest())
        assert (await anext(messages)).text == "first"
        problem = await refusal(anext(messages))
    else:
        problem = await refusal(door.stub.Ask(AskRequest()))
    seen = (problem.code, problem.reason, problem.message, problem.metadata, problem.retry_after_ms)
    assert seen == (Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", "slow down", {"limit": "5"}, 1500)


async def test_unforeseen_error_is_told_without_detail(door: Door) -> None:
    async def answer(request: Any, call: Call) -> AskResponse:
        raise RuntimeError("password=hunter2")

    door.trial.answer = answer
    problem = await refusal(door.stub.Ask(AskRequest()))
    assert (problem.code, problem.reason) == (Code.INTERNAL, "INTERNAL")
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "cause",
    [
        pytest.param(FULL, id="problem"),
        pytest.param(RuntimeError("x"), id="unforeseen"),
        pytest.param(TimeoutError(), id="timeout"),
    ],
)
async def test_status_on_the_wire_has_exactly_one_error_info(wire: Any, trial: Trial, cause: Exception) -> None:
    async def answer(request: Any, call: Call) -> AskResponse:
        raise cause

    trial.answer = answer
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await TrialEdgeServiceStub(wire).Open(AskRequest(), metadata=(("x-request-id", "r-1"),))
    assert error_info(caught.value).domain == "tintype"
    status = rpc_status.from_call(caught.value)
    details = [detail for detail in status.details if detail.Is(error_details_pb2.RequestInfo.DESCRIPTOR)]
    request = error_details_pb2.RequestInfo()
    details[0].Unpack(request)
    assert request.request_id == "r-1"


async def test_when_to_come_back_is_a_header_too(wire: Any, trial: Trial) -> None:
    async def answer(request: Any, call: Call) -> AskResponse:
        raise FULL

    trial.answer = answer
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await TrialEdgeServiceStub(wire).Open(AskRequest())
    assert caught.value.trailing_metadata()["retry-after"] == "2"


async def test_unknown_method_is_unimplemented(wire: Any) -> None:
    call = wire.unary_unary("/tintype.edge.v1.TrialEdgeService/Nope")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def error_info(error: grpc.aio.AioRpcError) -> Any:
    """The one ErrorInfo of a status (AIP-193)."""
    status = rpc_status.from_call(error)
    infos = [detail for detail in status.details if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    assert len(infos) == 1
    info = error_details_pb2.ErrorInfo()
    infos[0].Unpack(info)
    return info
