"""An OpenTelemetry collector that keeps the spans it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


@dataclass(frozen=True)
class Span:
    """One span as it was received."""

    service: str
    wire: WireSpan

    @property
    def trace_id(self) -> str:
        return self.wire.trace_id.hex()

    @property
    def name(self) -> str:
        return self.wire.name

    @property
    def attributes(self) -> dict[str, Any]:
        return {a.key: getattr(a.value, a.value.WhichOneof("value") or "string_value") for a in self.wire.attributes}


class Receiver:
    """Answers TraceService/Export."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[Span] = []

    def spans(self) -> list[Span]:
        """Everything so far."""
        with self._lock:
            return list(self._spans)

    def trace(self, trace_id: str) -> list[Span]:
        """What has come of one trace."""
        return [span for span in self.spans() if span.trace_id == trace_id]

    def export(self, request: Any, _: grpc.ServicerContext) -> Any:
        for group in request.resource_spans:
            names = [a.value.string_value for a in group.resource.attributes if a.key == "service.name"]
            with self._lock:
                self._spans += [Span(names[0], wire) for scope in group.scope_spans for wire in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@contextmanager
def listening(port: int) -> Iterator[Receiver]:
    """A receiver on this port of loopback."""
    receiver = Receiver()
    export = grpc.unary_unary_rpc_method_handler(
        receiver.export,
        trace_service_pb2.ExportTraceServiceRequest.FromString,
        trace_service_pb2.ExportTraceServiceResponse.SerializeToString,
    )
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {"Export": export}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield receiver
    finally:
        server.stop(1).wait()


def lineage(span: Span, trace: list[Span]) -> list[Span]:
    """The span's ancestors, nearest first, by parent ids."""
    by_id = {other.wire.span_id: other for other in trace}
    ancestors: list[Span] = []
    while (parent := by_id.get(span.wire.parent_span_id)) is not None:
        ancestors.append(parent)
        span = parent
    return ancestors
