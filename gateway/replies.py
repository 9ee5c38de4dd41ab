"""Envoy's own answers, as the google.rpc.Status that every other error has: JSON over REST, details over gRPC."""

from __future__ import annotations

import base64
from typing import Any

from mesh.errors import Code, Problem
from mesh.rpc.status import to_status

_NOT_GRPC = {
    "or_filter": {
        "filters": [
            {
                "header_filter": {
                    "header": {
                        "name": "content-type",
                        "string_match": {"prefix": "application/grpc"},
                        "invert_match": True,
                        "treat_missing_header_as_empty": True,
                    }
                }
            },
            {"header_filter": {"header": {"name": "x-envoy-original-path", "present_match": True}}},
        ]
    }
}
"""REST requests: those that never were gRPC, and those that the transcoder made gRPC."""
_SAID = "%LOCAL_REPLY_BODY%"
_MALFORMED = "the path, the headers or the framing of the request are malformed"
_RETRY_MS = 1000
_AWAY = "the service cannot be reached just now: try again shortly"

_REPLIES: tuple[tuple[int, Code, str, str], ...] = (
    (400, Code.INVALID_ARGUMENT, "INVALID_REQUEST", _MALFORMED),
    (403, Code.PERMISSION_DENIED, "LINK_EXPIRED", "the request was refused"),
    (404, Code.UNIMPLEMENTED, "METHOD_NOT_FOUND", "there is nothing at this method and path: see /docs"),
    (405, Code.UNIMPLEMENTED, "METHOD_NOT_FOUND", "this path does not take this method: see /docs"),
    (408, Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the request did not arrive in time"),
    (413, Code.RESOURCE_EXHAUSTED, "PAYLOAD_TOO_LARGE", "the body is larger than this call takes: see /v1/limits"),
    (415, Code.INVALID_ARGUMENT, "UNSUPPORTED_CONTENT_TYPE", "send content-type: application/json"),
    (426, Code.INVALID_ARGUMENT, "INVALID_REQUEST", "this protocol version is not spoken here"),
    (
        429,
        Code.RESOURCE_EXHAUSTED,
        "RATE_LIMITED",
        "too many calls of this class: wait as retry-after says, see /v1/limits",
    ),
    (431, Code.INVALID_ARGUMENT, "INVALID_REQUEST", "the request's headers are too large"),
    (500, Code.INTERNAL, "INTERNAL", "something failed on our side"),
    (502, Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", _AWAY),
    (503, Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", _AWAY),
    (504, Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "no answer within the deadline"),
)
"""HTTP status, code, reason, message."""
_RETRIED = (429, 502, 503)

_MISSING = {
    "header_filter": {
        "header": {
            "name": "authorization",
            "string_match": {"safe_regex": {"regex": "(?i)bearer .+"}},
            "invert_match": True,
            "treat_missing_header_as_empty": True,
        }
    }
}


def _details(expression: str) -> dict[str, Any]:
    """Envoy's own word on why it answers (RESPONSE_CODE_DETAILS)."""
    kind = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {"@type": f"type.googleapis.com/{kind}", "expression": expression},
        }
    }


_EXPIRED = _details("response.code_details.contains('expired')")
_BODY_OR_QUERY = _details("response.code_details.contains('transcode') || response.code_details.contains('lua')")
"""What the transcoder and the check for unknown fields say is of use to the client."""
_GATE = {"response_flag_filter": {"flags": ["UAEX"]}}
"""Refused by the gate before image bytes."""
_TOKENS: tuple[tuple[str, str, tuple[dict[str, Any], ...]], ...] = (
    ("TOKEN_MISSING", "send an access token: authorization: Bearer …", (_MISSING,)),
    ("TOKEN_EXPIRED", "the access token has expired: POST /v1/sessions:refresh", (_EXPIRED,)),
    ("TOKEN_INVALID", "the access token does not verify: log in again", ()),
)
"""401: what is wrong with the token decides what the client should do."""


def local_replies() -> dict[str, Any]:
    """Maps each of the gateway's own answers to one with exactly one ErrorInfo; the first that fits is taken."""
    expired = Problem(
        Code.NOT_FOUND, "LINK_EXPIRED", "this link does not hold (any more): read the post or medium again"
    )
    said = Problem(Code.INVALID_ARGUMENT, "INVALID_REQUEST", _SAID)
    mappers = [_json(404, expired, _GATE), _json(400, said, _BODY_OR_QUERY)]
    for reason, message, conditions in _TOKENS:
        problem = Problem(Code.UNAUTHENTICATED, reason, message)
        mappers += [_json(401, problem, *conditions), _grpc(401, problem, *conditions)]
    for status, code, reason, message in _REPLIES:
        problem = Problem(code, reason, message, retry_after_ms=_RETRY_MS if status in _RETRIED else None)
        mappers += [_json(status, problem), _grpc(status, problem)]
    return {"mappers": mappers}


def _json(status: int, problem: Problem, *conditions: dict[str, Any]) -> dict[str, Any]:
    """To a REST client. A 404 of the gateway is NOT_FOUND there, as its status says."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": problem.reason,
        "domain": "tintype",
        "metadata": {},
    }
    body = {
        "code": int(Code.NOT_FOUND if status == 404 else problem.code),
        "message": problem.message,
        "details": [info, *_retry_info(problem)],
    }
    return {
        "filter": _when(status, _NOT_GRPC, *conditions),
        "body_format_override": {"json_format": body, "content_type": "application/json"},
        "headers_to_add": _headers(problem),
    }


def _grpc(status: int, problem: Problem, *conditions: dict[str, Any]) -> dict[str, Any]:
    """To a gRPC client."""
    details = base64.b64encode(to_status(problem).SerializeToString()).rstrip(b"=").decode()
    grpc = {"grpc-status": str(int(problem.code)), "grpc-status-details-bin": details}
    return {
        "filter": _when(status, *conditions),
        "body_format_override": {"text_format_source": {"inline_string": problem.message}},
        "headers_to_add": _headers(problem, **grpc),
    }


def _when(status: int, *conditions: dict[str, Any]) -> dict[str, Any]:
    is_status = {
        "status_code_filter": {
            "comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": f"reply_{status}"}}
        }
    }
    return {"and_filter": {"filters": [is_status, *conditions]}} if conditions else is_status


def _headers(problem: Problem, **more: str) -> list[dict[str, Any]]:
    wanted = dict(more)
    if problem.retry_after_ms is not None:
        wanted["retry-after"] = str(problem.retry_after_ms // 1000)
    return [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in wanted.items()
    ]


def _retry_info(problem: Problem) -> list[dict[str, Any]]:
    if problem.retry_after_ms is None:
        return []
    delay = f"{problem.retry_after_ms // 1000}s"
    return [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]
