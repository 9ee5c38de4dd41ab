"""Envoy's own answers, as the JSON form of google.rpc.Status that every other error has."""

from __future__ import annotations

from typing import Any

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

_REPLIES: tuple[tuple[int, int, str, str], ...] = (
    (400, 3, "INVALID_REQUEST", "%LOCAL_REPLY_BODY%"),
    (403, 7, "LINK_EXPIRED", "the request was refused"),
    (404, 5, "METHOD_NOT_FOUND", "there is nothing at this method and path: see /docs"),
    (405, 12, "METHOD_NOT_FOUND", "this path does not take this method: see /docs"),
    (408, 4, "DEADLINE_EXCEEDED", "the request did not arrive in time"),
    (413, 8, "PAYLOAD_TOO_LARGE", "the body is larger than this call takes: see /v1/limits"),
    (415, 3, "UNSUPPORTED_CONTENT_TYPE", "send content-type: application/json"),
    (426, 3, "INVALID_REQUEST", "this protocol version is not spoken here"),
    (429, 8, "RATE_LIMITED", "too many calls of this class: wait as retry-after says, see /v1/limits"),
    (431, 3, "INVALID_REQUEST", "the request's headers are too large"),
    (500, 13, "INTERNAL", "something failed on our side"),
    (503, 14, "DEPENDENCY_UNAVAILABLE", "the service cannot be reached just now: try again shortly"),
    (504, 4, "DEADLINE_EXCEEDED", "no answer within the deadline"),
)
"""HTTP status, google.rpc.Code, reason, message."""


def local_replies() -> dict[str, Any]:
    """Maps each of the gateway's own answers to a body with one ErrorInfo."""
    return {"mappers": [*_tokens(), *(_mapper(*reply) for reply in _REPLIES)]}


def _tokens() -> list[dict[str, Any]]:
    """401: what is wrong with the token decides what the client should do."""
    missing = {"header_filter": {"header": {"name": "authorization", "present_match": True, "invert_match": True}}}
    return [
        _mapper(401, 16, "TOKEN_MISSING", "send an access token: authorization: Bearer …", missing),
        _mapper(401, 16, "TOKEN_INVALID", "%LOCAL_REPLY_BODY%: log in again, or refresh the session"),
    ]


def _mapper(status: int, code: int, reason: str, message: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    is_status = {
        "status_code_filter": {
            "comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": f"reply_{status}"}}
        }
    }
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "tintype",
        "metadata": {},
    }
    body = {"code": code, "message": message, "details": [info]}
    return {
        "filter": {"and_filter": {"filters": [is_status, _NOT_GRPC, *conditions]}},
        "body_format_override": {"json_format": body, "content_type": "application/json"},
    }
