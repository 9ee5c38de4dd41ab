"""Logs, metrics and traces of one process."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import Gauge, start_http_server

from mesh.config import TelemetrySection

LOOP_LAG = Gauge("tintype_event_loop_lag_seconds", "How late the event loop runs what is due.")


def set_up(section: TelemetrySection, name: str) -> None:
    """Configure logging, and tracing and the Prometheus endpoint where an address is configured."""
    _set_up_logs(section)
    if section.otlp_endpoint:
        provider = TracerProvider(resource=Resource.create({"service.name": name}))
        exporter = OTLPSpanExporter(endpoint=section.otlp_endpoint, insecure=True, timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
    if section.metrics_address:
        _serve_metrics(section.metrics_address)


def _serve_metrics(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        start_http_server(int(port), host)
    except (OSError, OverflowError) as error:
        raise OSError(f"cannot listen on {address} (telemetry.metrics_address): {error}") from None


def _set_up_logs(section: TelemetrySection) -> None:
    pretty = section.log_format == "console"
    renderer: Any = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        if pretty
        else structlog.processors.JSONRenderer()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace_ids,
    ]
    last: list[Any] = [*([] if pretty else [_tracebacks]), renderer]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(section.log_level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    _set_up_library_logs(shared, last)


def _set_up_library_logs(shared: list[Any], last: list[Any]) -> None:
    """What libraries log has the form of our own lines."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


# Without local variables: passwords and tokens are among them.
_tracebacks = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def _trace_ids(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Join a log line to the trace it belongs to."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event


class LoopLag:
    """Measures how late the event loop runs what is due: what blocks it shows here."""

    async def run(self, every_s: float = 0.5) -> None:
        """Measure for as long as the process lives."""
        while True:
            due = time.monotonic() + every_s
            await asyncio.sleep(every_s)
            LOOP_LAG.set(max(0.0, time.monotonic() - due))
