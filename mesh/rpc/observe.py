"""Telemetry of served calls: a span, a latency histogram, a log line for what failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import propagate, trace
from prometheus_client import Gauge, Histogram

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
IN_FLIGHT = Gauge("tintype_rpc_server_in_flight", "Calls being served.", ["method"])


class Observer:
    """Observes the calls of one method."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self._in_flight = IN_FLIGHT.labels(method.path)
        self._ok = LATENCY.labels(method.path, "OK")

    @contextmanager
    def observe(self, call: Call) -> Iterator[None]:
        """Around one call: counts it in whatever way it ends."""
        started = time.perf_counter()
        self._in_flight.inc()
        parent = propagate.extract(call.metadata) if "traceparent" in call.metadata else None
        try:
            with _tracer.start_as_current_span(self._method.path, context=parent, kind=trace.SpanKind.SERVER):
                yield
            self._ok.observe(time.perf_counter() - started)
        except Problem as problem:
            self._failed(call, problem.code.name, started, problem)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            self._failed(call, Code.CANCELLED.name, started, None)
            raise
        finally:
            self._in_flight.dec()

    def _failed(self, call: Call, code: str, started: float, problem: Problem | None) -> None:
        seconds = time.perf_counter() - started
        LATENCY.labels(self._method.path, code).observe(seconds)
        if problem is None:
            return
        severe = problem.code in (Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS)
        # What a client did wrong is the client's to see; only what we did wrong is news here.
        log = _log.error if severe else _log.debug
        log(
            "call refused",
            method=self._method.path,
            code=code,
            reason=problem.reason,
            message=problem.message,
            request_id=call.request_id,
            ms=round(seconds * 1000, 1),
        )
