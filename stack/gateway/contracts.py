"""What the descriptor set says about the public API, as the gateway needs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from tintype.type.v1 import rule_pb2

PACKAGE = "tintype.edge.v1"


@dataclass(frozen=True, slots=True)
class PublicMethod:
    """One public RPC: its gRPC path, its REST forms, and its rule."""

    path: str
    rest: tuple[tuple[str, str], ...]
    """(verb, path template) pairs."""
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
def public_methods(descriptors: Path) -> tuple[PublicMethod, ...]:
    """Every RPC of tintype.edge.v1, in the order of the descriptor set."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes())
    return tuple(
        _method(f"{file.package}.{service.name}", method)
        for file in files.file
        if file.package == PACKAGE
        for service in file.service
        for method in service.method
    )


def services(descriptors: Path) -> list[str]:
    """Full names of the public services."""
    return sorted({method.path.split("/")[1] for method in public_methods(descriptors)})


def _method(service: str, method: descriptor_pb2.MethodDescriptorProto) -> PublicMethod:
    rule = method.options.Extensions[rule_pb2.rule]
    http = method.options.Extensions[annotations_pb2.http]
    forms = [http, *http.additional_bindings]
    return PublicMethod(
        path=f"/{service}/{method.name}",
        rest=tuple((verb, getattr(form, verb)) for form in forms if (verb := form.WhichOneof("pattern"))),
        server_stream=method.server_streaming,
        client_stream=method.client_streaming,
        raw_answer=method.output_type == ".google.api.HttpBody",
        access=rule_pb2.Access.Name(rule.access).removeprefix("ACCESS_"),
        rate_class=rule_pb2.RateClass.Name(rule.rate_class).removeprefix("RATE_CLASS_"),
        idempotency=rule_pb2.Idempotency.Name(rule.idempotency).removeprefix("IDEMPOTENCY_"),
        timeout_ms=rule.timeout_ms or 5000,
    )
