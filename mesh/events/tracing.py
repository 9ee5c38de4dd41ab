"""Traces that go through the bus: from the call that committed an event to the handlers that take it."""

from __future__ import annotations

import contextlib

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mesh import spans
from mesh.events.bus.contract import Entry

_propagator = TraceContextTextMapPropagator()
_UNTRACED = contextlib.nullcontext()


def current_traceparent() -> str:
    """The W3C trace context of the span that is being recorded now; empty where none is."""
    if not trace.get_current_span().is_recording():
        return ""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier["traceparent"]


class HandlerSpans:
    """The spans of one group's handlers of one area. No work at all where no tracing was set up before.

    ``tracer``: records them; None: the process's own, where there is one.
    """

    def __init__(self, area: str, group: str, tracer: trace.Tracer | None = None) -> None:
        self._tracer = tracer or (trace.get_tracer("tintype.events") if spans.traced() else None)
        self._group = group
        self._attributes = {
            "messaging.system": "redis",
            "messaging.operation.type": "process",
            "messaging.destination.name": area,
            "messaging.consumer.group.name": group,
        }

    def around(self, entry: Entry) -> contextlib.AbstractContextManager[object]:
        """Around one try of a handler."""
        return _UNTRACED if self._tracer is None else self._span(self._tracer, entry)

    def _span(self, tracer: trace.Tracer, entry: Entry) -> contextlib.AbstractContextManager[object]:
        # Parent and link, as a handler takes one message at a time: a span that processes messages should link to
        # the context of each, and where it is one alone that may be its parent too, which keeps cause and effect in
        # one trace. https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
        parent = _propagator.extract({"traceparent": entry.traceparent}) if entry.traceparent else None
        origin = trace.get_current_span(parent).get_span_context() if parent else trace.INVALID_SPAN_CONTEXT
        links = [trace.Link(origin)] if origin.is_valid else []
        attributes = {**self._attributes, "messaging.message.id": str(entry.event_id)}
        name = f"{entry.type} {self._group}"
        return spans.span(tracer, name, trace.SpanKind.CONSUMER, attributes, parent, links)
