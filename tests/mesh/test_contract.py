"""The protos, Envoy's routes and /openapi.json say the same."""

from __future__ import annotations

import json
import re
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from openapi_spec_validator import OpenAPIV31SpecValidator
from tintype.type.v1.reason_pb2 import ErrorReason

from gateway.contracts import PublicMethod, RestForm, public_methods, services
from mesh.rpc.contracts import camel
from tests.mesh.grpc_doors import grpc_refusal
from tests.mesh.mesh_client import Rest, error_of

METHODS = public_methods()
FORMS = [(method, form) for method in METHODS for form in method.rest]
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PUBLIC = {
    "Register",
    "LogIn",
    "RefreshSession",
    "GetLimits",
    "GetHealth",
    "GetOpenApi",
    "GetDocs",
}
"""What may be called without a token. Adding to it is a decision: make it here too."""


def named(pair: tuple[PublicMethod, RestForm]) -> str:
    return f"{pair[1].verb} {pair[1].path}"


def filled(path: str) -> str:
    """A template with something in its places."""
    values = {"user": "@nobody.at.all", "file": "swagger-ui.css", "tag": "x", "place_id": "x"}
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "5"), path)


async def openapi(rest: Rest) -> Any:
    return json.loads((await rest.ask("GET", "/openapi.json")).content)


@pytest.mark.parametrize("pair", FORMS, ids=named)
async def test_every_form_of_every_rpc_is_reachable_and_asks_for_a_token_unless_it_is_public(
    rest: Rest, pair: tuple[PublicMethod, RestForm]
) -> None:
    method, form = pair
    answer = await rest.ask(form.verb, filled(form.path), **({"json": {}} if form.body else {}))
    if method.access == "PUBLIC":
        assert answer.status_code in (200, 400), answer.text
    else:
        assert (error_of(answer)["http"], error_of(answer)["reason"]) == (401, "TOKEN_MISSING")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.path)
async def test_every_rpc_is_reachable_over_grpc_and_asks_for_a_token_unless_it_is_public(
    channel: grpc.aio.Channel, method: PublicMethod
) -> None:
    if method.access == "PUBLIC":
        return
    make = channel.stream_unary if method.client_stream else channel.unary_unary
    call = make(method.path)(iter([b""]) if method.client_stream else b"", timeout=10)
    assert await grpc_refusal(call) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


def test_what_needs_no_token_is_a_short_list() -> None:
    assert {method.path.rsplit("/", 1)[1] for method in METHODS if method.access == "PUBLIC"} == PUBLIC


async def test_a_path_takes_no_other_verbs_than_its_own(rest: Rest, cleo: Any) -> None:
    declared: dict[str, set[str]] = {}
    for _, form in FORMS:
        declared.setdefault(form.path, set()).add(form.verb)
    templates = {
        re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path))): verbs for path, verbs in declared.items()
    }
    for path in declared:
        allowed = {verb for pattern, verbs in templates.items() if pattern.fullmatch(filled(path)) for verb in verbs}
        for verb in set(VERBS) - allowed:
            assert await rest.refused(verb, filled(path), cleo) == (404, "METHOD_NOT_FOUND"), f"{verb} {path}"


async def test_openapi_lists_exactly_the_declared_forms(rest: Rest) -> None:
    listed = {
        (verb.upper(), path): operation
        for path, operations in (await openapi(rest))["paths"].items()
        for verb, operation in operations.items()
    }
    declared = {(form.verb, re.sub(r"\w+(?=\})", lambda m: camel(m[0]), form.path)): method for method, form in FORMS}
    assert listed.keys() == declared.keys()
    for key, operation in listed.items():
        public = declared[key].access == "PUBLIC"
        assert operation["security"] == ([] if public else [{"token": []}]), key


async def test_openapi_is_valid_openapi(rest: Rest) -> None:
    document = await openapi(rest)
    assert document["openapi"].startswith("3.1")
    errors = [f"{list(error.path)}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert errors == []


async def test_openapi_tells_what_every_reason_of_an_error_means(rest: Rest) -> None:
    error = (await openapi(rest))["components"]["schemas"]["Error"]
    reasons = error["properties"]["details"]["items"]["properties"]["reason"]["enum"]
    assert reasons == [name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number]
    for reason in reasons:
        assert re.search(rf"^\* `{reason}`: [A-Z].*\.$", error["description"], re.MULTILINE), reason


async def test_openapi_operations_have_names_of_their_own_and_summaries(rest: Rest) -> None:
    operations = [op for path in (await openapi(rest))["paths"].values() for op in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert [operation["operationId"] for operation in operations if not operation["summary"]] == []


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/healthz", "application/json"),
        ("/openapi.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/swagger-ui.css", "text/css"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/favicon-32x32.png", "image/png"),
        ("/v1/limits", "application/json"),
    ],
)
async def test_what_describes_the_installation_needs_no_token(rest: Rest, path: str, kind: str) -> None:
    answer = await rest.ask("GET", path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content
    assert not [name for name in answer.headers if name.startswith("grpc-")]


@pytest.mark.parametrize("name", ["nope.js", "..", "explorer.py", "swagger-ui.css.map"])
async def test_the_explorer_has_no_other_files(rest: Rest, name: str) -> None:
    assert (await rest.refused("GET", f"/docs/{name}"))[0] in (400, 404)


async def test_health_says_that_all_is_well(rest: Rest) -> None:
    assert await rest.ok("GET", "/healthz") == {"serving": True, "problems": {}}


async def test_limits_name_a_unit_and_hold_what_is_enforced(rest: Rest, installation: Any) -> None:
    limits = {limit["name"]: limit for limit in (await rest.ok("GET", "/v1/limits"))["limits"]}
    assert all(limit["unit"] and limit["description"] and int(limit["value"]) > 0 for limit in limits.values())
    assert int(limits["media.max_upload_bytes"]["value"]) == installation.settings.media.max_upload_bytes
    assert int(limits["json.bytes"]["value"]) == installation.options.max_json_bytes
    for name, rate in installation.options.rates.items():
        assert int(limits[f"burst.{name.lower()}"]["value"]) == rate.burst


# gRPC's own services


async def test_grpc_health_answers_through_the_gateway(channel: grpc.aio.Channel) -> None:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def listed(address: str) -> list[str]:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=5)
        async for answer in call:
            return [service.name for service in answer.list_services_response.service]
    return []


async def test_reflection_lists_the_public_services_in_development(installation: Any) -> None:
    assert set(services()) <= set(await listed(installation.options.listen))


async def test_reflection_is_off_in_production(strict_gateway: str) -> None:
    # Nothing is sent: a refusal that arrives while the client still writes can reach it as a broken write.
    async with grpc.aio.insecure_channel(strict_gateway) as channel:
        call = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")()
        assert await call.code() is grpc.StatusCode.UNIMPLEMENTED
