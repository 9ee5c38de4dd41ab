"""Telemetry of served calls: a span, a latency histogram, a log line for what failed."""

from __future__ import annotations

import contextlib
import time

import structlog
from opentelemetry import propagate, trace
from prometheus_client import Histogram

from mesh import spans
from mesh.errors import Code, Problem
from mesh.rpc.call import Call
from mesh.rpc.method import Method

_log = structlog.get_logger("rpc")
_tracer = trace.get_tracer("tintype.rpc")

LATENCY = Histogram(
    "tintype_rpc_server_seconds",
    "Time to serve a call, by method and status.",
    ["method", "code"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)


class Observer:
    """Observes the calls of one method. ``traced``: tracing was set up before the server was built."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self._ok = LATENCY.labels(method.path, "OK")
        self.traced = spans.traced()

    def span(self, call: Call) -> contextlib.AbstractContextManager[object]:
        """Around the call and what is logged of its end: a span of the trace that the caller carries on."""
        within = trace.get_current_span().get_span_context().is_valid  # called from this process
        parent = propagate.extract(call.metadata) if not within and "traceparent" in call.metadata else None
        return spans.span(_tracer, self._method.path, trace.SpanKind.SERVER, parent=parent)

    def answered(self, started: float) -> None:
        """It ended well; ``started`` is the performance counter's reading at its beginning."""
        self._ok.observe(time.perf_counter() - started)

    def cancelled(self, started: float) -> None:
        """The caller went away."""
        LATENCY.labels(self._method.path, Code.CANCELLED.name).observe(time.perf_counter() - started)

    def refused(self, call: Call, problem: Problem, started: float) -> None:
        """It ended with a problem. What a client did wrong is the client's to see; what we did is news."""
        seconds = time.perf_counter() - started
        LATENCY.labels(self._method.path, problem.code.name).observe(seconds)
        if self.traced:
            trace.get_current_span().set_attribute("rpc.grpc.status_code", int(problem.code))
        severe = problem.code in (Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS)
        log = _log.error if severe else _log.debug
        log(
            "call refused",
            method=self._method.path,
            code=problem.code.name,
            reason=problem.reason,
            message=problem.message,
            request_id=call.request_id,
            ms=round(seconds * 1000, 1),
        )
