"""Spans, all of one shape: what went wrong shows as its reason or its type, never as a message, which may
quote what a person sent, a key or a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.util.types import Attributes

from mesh.errors import Problem


def traced() -> bool:
    """Whether tracing was set up in this process."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)


@contextmanager
def span(
    tracer: trace.Tracer,
    name: str,
    kind: trace.SpanKind,
    attributes: Attributes = None,
    parent: Context | None = None,
    links: Sequence[trace.Link] = (),
) -> Iterator[trace.Span]:
    """Around a piece of work; of ``parent``, or of the span that is current. An error leaves as it is."""
    with tracer.start_as_current_span(
        name, parent, kind, attributes, links, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as error:
            reason = error.reason if isinstance(error, Problem) else type(error).__name__
            current.set_attribute("error.type", reason)
            current.set_status(trace.StatusCode.ERROR, reason)
            raise
