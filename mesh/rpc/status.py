"""Problem ⇄ google.rpc.Status (AIP-193), the form in which errors cross processes."""

from __future__ import annotations

import re

from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from mesh.errors import DOMAIN, Code, FieldViolation, Problem, is_reason

HTTP_STATUSES = {"PAYLOAD_TOO_LARGE": "413"}
"""Reasons whose HTTP status no gRPC code stands for; the gateway takes it from the header x-tintype-status."""


def to_status(problem: Problem, request_id: str = "", *, json_names: bool = False) -> status_pb2.Status:
    """One ErrorInfo always; BadRequest, RetryInfo and RequestInfo where they say something.

    ``json_names``: fields are named as JSON has them (google.rpc.BadRequest says so for JSON requests).
    """
    status = status_pb2.Status(code=problem.code, message=problem.message)
    info = error_details_pb2.ErrorInfo(reason=problem.reason, domain=DOMAIN, metadata=problem.metadata)
    status.details.add().Pack(info)
    if problem.fields:
        bad = error_details_pb2.BadRequest()
        for violation in problem.fields:
            name = _camel(violation.field) if json_names else violation.field
            bad.field_violations.add(field=name, description=violation.description)
        status.details.add().Pack(bad)
    if problem.retry_after_ms is not None:
        delay = Duration()
        delay.FromMilliseconds(problem.retry_after_ms)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    if request_id:
        status.details.add().Pack(error_details_pb2.RequestInfo(request_id=request_id))
    return status


def _camel(path: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), path)


def from_status(status: status_pb2.Status) -> Problem:
    """The Problem that a callee raised, or the nearest one where it was not ours (or of a later release)."""
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        for kind in (info, bad, retry):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    code = Code(status.code) if status.code in set(Code) else Code.UNKNOWN
    return Problem(
        code,
        info.reason if info.domain == DOMAIN and is_reason(info.reason) else reason_of(code),
        status.message,
        tuple(FieldViolation(v.field, v.description) for v in bad.field_violations),
        dict(info.metadata),
        retry.retry_delay.ToMilliseconds() if retry.HasField("retry_delay") else None,
    )


def reason_of(code: Code) -> str:
    """A reason for a status that came without one: gRPC's own, from a broken or a strange peer."""
    return {
        Code.UNAVAILABLE: "DEPENDENCY_UNAVAILABLE",
        Code.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
        Code.CANCELLED: "CANCELLED",
        Code.RESOURCE_EXHAUSTED: "OVERLOADED",
        Code.UNIMPLEMENTED: "METHOD_NOT_FOUND",
    }.get(code, "INTERNAL")
