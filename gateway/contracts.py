"""What the descriptor set says about the public API, as the gateway needs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from google.api import annotations_pb2
from tintype.type.v1 import rule_pb2

from mesh.rpc.contracts import files_of

PACKAGE = "tintype.edge.v1"
_RAW = ".google.api.HttpBody"


@dataclass(frozen=True, slots=True)
class RestForm:
    """One way to call an RPC over REST."""

    verb: str
    path: str
    """A template: /v1/posts/{post_id}."""
    body: str
    """The message that the JSON body is, without its package; empty: no body, or one that is not JSON."""


@dataclass(frozen=True, slots=True)
class PublicMethod:
    """One public RPC: its gRPC path, its REST forms, and its rule."""

    path: str
    rest: tuple[RestForm, ...]
    server_stream: bool
    client_stream: bool
    raw_answer: bool
    """Answers google.api.HttpBody: bytes of its own type, never SSE."""
    access: str
    rate_class: str
    idempotency: str
    timeout_ms: int

    @property
    def sse(self) -> bool:
        """A watch: over REST it is text/event-stream."""
        return self.server_stream and not self.raw_answer


@cache
def public_methods() -> tuple[PublicMethod, ...]:
    """Every RPC of tintype.edge.v1, in the order of the descriptor set."""
    requests = {f".{PACKAGE}.{message.name}": message for file in files_of(PACKAGE) for message in file.message_type}
    return tuple(
        _method(f"{file.package}.{service.name}", method, requests[method.input_type])
        for file in files_of(PACKAGE)
        for service in file.service
        for method in service.method
    )


def services() -> list[str]:
    """Full names of the public services."""
    return sorted({method.path.split("/")[1] for method in public_methods()})


def _method(service: str, method: Any, request: Any) -> PublicMethod:
    rule = method.options.Extensions[rule_pb2.rule]
    http = method.options.Extensions[annotations_pb2.http]
    return PublicMethod(
        path=f"/{service}/{method.name}",
        rest=tuple(_form(form, request) for form in (http, *http.additional_bindings) if form.WhichOneof("pattern")),
        server_stream=method.server_streaming,
        client_stream=method.client_streaming,
        raw_answer=method.output_type == _RAW,
        access=rule_pb2.Access.Name(rule.access).removeprefix("ACCESS_"),
        rate_class=rule_pb2.RateClass.Name(rule.rate_class).removeprefix("RATE_CLASS_"),
        idempotency=rule_pb2.Idempotency.Name(rule.idempotency).removeprefix("IDEMPOTENCY_"),
        timeout_ms=rule.timeout_ms or 5000,
    )


def _form(form: Any, request: Any) -> RestForm:
    verb = form.WhichOneof("pattern")
    types = {field.name: field.type_name for field in request.field}
    body = request.name if form.body == "*" else types.get(form.body, "")
    return RestForm(verb.upper(), getattr(form, verb), "" if body == _RAW else body.removeprefix(f".{PACKAGE}."))
