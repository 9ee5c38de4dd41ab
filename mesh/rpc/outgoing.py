"""What a call to another service carries on of the call being served: metadata, and what is left of its time."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from opentelemetry import propagate, trace

from mesh import deadline, spans
from mesh.errors import Code, Problem
from mesh.rpc.call import current
from mesh.rpc.method import Method

_CARRIED = ("authorization", "x-request-id")
_tracer = trace.get_tracer("tintype.rpc")


def carried() -> dict[str, str]:
    """Metadata that travels from the call being served to the calls its handler makes."""
    call = current.get()
    metadata = {key: call.metadata[key] for key in _CARRIED if key in call.metadata} if call else {}
    if call and call.request_id:
        metadata["x-request-id"] = call.request_id
    if trace.get_current_span().get_span_context().is_valid:
        propagate.inject(metadata)
    return metadata


def span(method: Method) -> AbstractContextManager[object]:
    """A client's span around one call to another process, where the call being served is traced."""
    if not trace.get_current_span().is_recording():
        return nullcontext()
    # The names of OpenTelemetry's conventions for RPC.
    attributes = {"rpc.system": "grpc", "rpc.service": method.service, "rpc.method": method.name}
    return spans.span(_tracer, method.path, trace.SpanKind.CLIENT, attributes)


def seconds_for(method: Method, timeout: float | None) -> float | None:
    """Seconds the call may take. Raises DEADLINE_EXCEEDED where none are left: nothing is sent then."""
    wanted = timeout if timeout is not None else method.timeout_s
    left = deadline.remaining()
    if (left is not None and left <= 0) or (wanted is not None and wanted <= 0):
        raise Problem(Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "no time was left for the call; it was not sent")
    return left if wanted is None else deadline.within(wanted)


def seconds_away(method: Method, timeout: float | None) -> float | None:
    """The same for a callee in another process: a little less, so that the caller still has the time to
    tell its own what happened before that one gives up too."""
    seconds, left = seconds_for(method, timeout), deadline.remaining()
    if seconds is None or left is None:
        return seconds
    return min(seconds, deadline.early(left))
