"""The routes: image bytes, then every RPC under its gRPC path, then the REST paths they come from.

A REST request is matched twice: by its own path, and after the transcoder by its gRPC path. What
holds for an RPC (time, retries, rate class) stands on its gRPC route; what the transcoder itself
needs stands on the REST route.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.contracts import PublicMethod, RestForm, public_methods
from gateway.filters import (
    EXT_AUTHZ,
    JWT,
    LUA,
    MUTATION,
    RATE_LIMIT,
    SIGNING,
    TRANSCODER,
    signing,
    transcoder,
)
from gateway.options import GatewayOptions

TRANSCODED = {"name": "x-envoy-original-path", "present_match": True}
"""Set by the transcoder on what it has turned into gRPC."""
_GRPC_HEADERS = ["grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding", "grpc-accept-encoding"]
_STORE_HEADERS = ("x-amz-", "seaweed-", "x-minio-", "x-seaweedfs-")
_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_HTTP = f"{_EXTENSIONS}.filters.http"
_FILTER = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig"}
_ON = {**_FILTER, "config": {}}
"""Enables a filter that is disabled elsewhere."""
_REST_PREFIXES = ("/v1/",)
_REST_PATHS = ("/healthz", "/openapi.json", "/docs")


def routes(options: GatewayOptions) -> list[dict[str, Any]]:
    """All routes, first match first."""
    methods = public_methods()
    rest = [_sse_route(options, method) for method in methods if method.sse]
    return [
        _images(options),
        *(route for method in methods for route in _grpc_routes(method)),
        *_infrastructure(options),
        *rest,
        _upload(),
        _wrong_content_type(),
        *(_json_route(form) for method in methods for form in method.rest if form.body),
        *(_rest({"prefix": prefix}, "0s") for prefix in _REST_PREFIXES),
        *(_rest({"prefix": path}, "30s") for path in _REST_PATHS),
        _answer({"prefix": "/"}, 404),
    ]


def _rest(match: dict[str, Any], timeout: str) -> dict[str, Any]:
    """What the transcoder makes gRPC of; nothing of gRPC is left on the answer."""
    return {
        "match": match,
        "route": _to_edge(timeout),
        "typed_per_filter_config": {MUTATION: _without(*({"remove": name} for name in _GRPC_HEADERS))},
    }


def _json_route(form: RestForm) -> dict[str, Any]:
    """A request with a JSON body, which is held against the message that it should be."""
    is_verb = {"name": ":method", "string_match": {"exact": form.verb}}
    route = _rest({"safe_regex": {"regex": _regex(form.path)}, "headers": [is_verb]}, "0s")
    route["metadata"] = {"filter_metadata": {LUA: {"body": form.body}}}
    route["typed_per_filter_config"][LUA] = _ON
    return route


def _to_edge(timeout: str) -> dict[str, Any]:
    return {"cluster": "edge", "timeout": timeout}


def _answer(match: dict[str, Any], status: int) -> dict[str, Any]:
    """An answer of the gateway's own; the local reply mapping gives it its JSON body."""
    return {"match": match, "direct_response": {"status": status}}


def _grpc_routes(method: PublicMethod) -> list[dict[str, Any]]:
    """An RPC called as gRPC, and the same where the transcoder has made it from REST."""
    plain: dict[str, Any] = {"match": {"path": method.path}, "route": _call(method)}
    if not method.sse:
        return [plain]
    no_store = {"response_headers_to_add": [{"header": {"key": "cache-control", "value": "no-store"}}]}
    return [{**plain, "match": {"path": method.path, "headers": [TRANSCODED]}, **no_store}, plain]


def _without(*removals: dict[str, Any]) -> dict[str, Any]:
    """Taken off the answer after every other filter has read it."""
    return {
        "@type": f"{_HTTP}.header_mutation.v3.HeaderMutationPerRoute",
        "mutations": {"response_mutations": list(removals)},
    }


def _call(method: PublicMethod) -> dict[str, Any]:
    long_lived = method.server_stream
    timeout = "0s" if long_lived else f"{method.timeout_ms / 1000 + 0.5:g}s"
    route: dict[str, Any] = {
        "cluster": "edge",
        "timeout": timeout,
        "max_stream_duration": _duration("3600s" if long_lived else timeout),
        "rate_limits": [
            {
                "actions": [
                    {"generic_key": {"descriptor_key": "rate_class", "descriptor_value": method.rate_class}},
                    {"remote_address": {}},
                ]
            }
        ],
    }
    if long_lived or method.client_stream:
        route["idle_timeout"] = "120s"
    if method.idempotency == "SAFE" and not long_lived:
        route["retry_policy"] = {
            "retry_on": "connect-failure,refused-stream,unavailable,reset",
            "num_retries": 2,
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {"@type": f"{_EXTENSIONS}.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
                }
            ],
            "host_selection_retry_max_attempts": 3,
        }
    return route


def _duration(longest: str) -> dict[str, str]:
    """How long a call may take. A client's own deadline, if sooner, holds and travels on: without a
    maximum for it Envoy takes the grpc-timeout header off."""
    return {"max_stream_duration": longest, "grpc_timeout_header_max": longest}


def _images(options: GatewayOptions) -> dict[str, Any]:
    """Image bytes: the gate decides, the store answers, nothing in between is Python."""

    off = {**_FILTER, "disabled": True}
    check = {"@type": f"{_HTTP}.ext_authz.v3.ExtAuthzPerRoute", "check_settings": {}}
    return {
        "match": {
            "prefix": "/m/",
            "headers": [{"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}],
        },
        "route": {"cluster": "s3", "timeout": "30s", "host_rewrite_literal": options.s3},
        "typed_per_filter_config": {
            MUTATION: _without(*({"remove_on_match": {"key_matcher": {"prefix": each}}} for each in _STORE_HEADERS)),
            TRANSCODER: off,
            JWT: off,
            RATE_LIMIT: off,
            EXT_AUTHZ: check,
            SIGNING: {
                "@type": f"{_HTTP}.aws_request_signing.v3.AwsRequestSigningPerRoute",
                "stat_prefix": "images",
                "aws_request_signing": signing(options),
            },
        },
    }


def _infrastructure(options: GatewayOptions) -> list[dict[str, Any]]:
    """Health for everyone, reflection in development; nothing else of gRPC leaves the mesh."""
    open_prefixes = ["/grpc.health.v1.Health/"] + (["/grpc.reflection."] if options.development else [])
    opened = [{"match": {"prefix": prefix}, "route": _to_edge("0s")} for prefix in open_prefixes]
    closed = [_answer({"prefix": prefix}, 404) for prefix in ("/tintype.", "/grpc.", "/envoy.")]
    return [*opened, *closed]


def _sse_route(options: GatewayOptions, method: PublicMethod) -> dict[str, Any]:
    """The REST form of a watch: server-sent events, without a time limit."""
    [form] = method.rest
    route = _rest({"safe_regex": {"regex": _regex(form.path)}}, "0s")
    route["typed_per_filter_config"][TRANSCODER] = transcoder(options, sse=True)
    return route


def _regex(template: str) -> str:
    """A path template as a regular expression."""
    return re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template))


def _upload() -> dict[str, Any]:
    """A raw body of any type."""
    route = _rest({"path": "/v1/media:upload"}, "0s")
    route["route"]["idle_timeout"] = "60s"
    route["typed_per_filter_config"][LUA] = _ON
    return route


def _wrong_content_type() -> dict[str, Any]:
    """A body that is not JSON: without this the transcoder would read it as JSON whatever it says."""
    not_json = {
        "name": "content-type",
        "string_match": {"safe_regex": {"regex": r"(?i)application/(json|grpc)([+;-].*)?"}},
        "invert_match": True,
        "treat_missing_header_as_empty": False,
    }
    present = {"name": "content-type", "present_match": True}
    off = {**_FILTER, "disabled": True}
    route = _answer({"prefix": "/v1/", "headers": [present, not_json]}, 415)
    return {**route, "typed_per_filter_config": {TRANSCODER: off, JWT: off}}
