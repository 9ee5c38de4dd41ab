"""One RPC as its descriptor declares it: path, messages, shape and rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from tintype.type.v1 import rule_pb2

PUBLIC_PACKAGE = "tintype.edge.v1"
DEFAULT_TIMEOUT_MS = 5_000


class Shape(Enum):
    """Which side streams. Bidirectional streams are not used: the edge's transcoder has no form for them."""

    UNARY = "unary"
    SERVER_STREAM = "server stream"
    CLIENT_STREAM = "client stream"


@dataclass(frozen=True, slots=True)
class Method:
    """A callable RPC. ``path`` is /package.Service/Method."""

    path: str
    service: str
    name: str
    package: str
    shape: Shape
    request_class: Any
    response_class: Any
    rule: Any

    @property
    def internal(self) -> bool:
        """Only other services may call it."""
        return self.package != PUBLIC_PACKAGE

    @property
    def retryable(self) -> bool:
        """Repeating it has one effect, so the mesh may repeat it."""
        return self.rule.idempotency != rule_pb2.IDEMPOTENCY_NONE and self.shape is Shape.UNARY

    @property
    def timeout_s(self) -> float | None:
        """Seconds a call may take where the caller gave no deadline; None: streams without a limit."""
        if self.rule.timeout_ms:
            return float(self.rule.timeout_ms) / 1000
        return None if self.shape is Shape.SERVER_STREAM else DEFAULT_TIMEOUT_MS / 1000


class IncompleteRule(Exception):
    """An RPC lacks part of its authorisation; the server does not start."""


def methods_of(service: ServiceDescriptor) -> dict[str, Method]:
    """Every method of a service by its path. Raises :class:`IncompleteRule` where a rule is missing."""
    return {method.path: method for method in map(_method, service.methods)}


def _method(descriptor: MethodDescriptor) -> Method:
    service = descriptor.containing_service
    return Method(
        path=f"/{service.full_name}/{descriptor.name}",
        service=service.full_name,
        name=descriptor.name,
        package=service.file.package,
        shape=_shape(descriptor),
        request_class=GetMessageClass(descriptor.input_type),
        response_class=GetMessageClass(descriptor.output_type),
        rule=_rule(descriptor),
    )


def _rule(descriptor: MethodDescriptor) -> Any:
    rule = descriptor.GetOptions().Extensions[rule_pb2.rule]
    for name in ("access", "scope", "rate_class", "idempotency"):
        if not getattr(rule, name):
            raise IncompleteRule(f"{descriptor.full_name}: option (tintype.type.v1.rule) lacks {name}")
    return rule


def _shape(descriptor: MethodDescriptor) -> Shape:
    if descriptor.client_streaming:
        if descriptor.server_streaming:
            raise IncompleteRule(f"{descriptor.full_name}: bidirectional streams cannot be transcoded")
        return Shape.CLIENT_STREAM
    return Shape.SERVER_STREAM if descriptor.server_streaming else Shape.UNARY
