"""The HTTP filters, in the order a request meets them.

header_mutation → cors → grpc_web → lua (JSON bodies only) → transcoder → jwt_authn → local rate limits →
(ext_authz → request signing, on image routes only) → router. The transcoder comes early: every later
filter sees gRPC paths only, so one set of rules covers REST and gRPC.
"""

from __future__ import annotations

from typing import Any

from gateway.bodies import script
from gateway.contracts import public_methods, services
from gateway.options import GatewayOptions
from mesh.auth.tokens import AUDIENCE, ISSUER

TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
JWT = "envoy.filters.http.jwt_authn"
EXT_AUTHZ = "envoy.filters.http.ext_authz"
SIGNING = "envoy.filters.http.aws_request_signing"
CORS = "envoy.filters.http.cors"
MUTATION = "envoy.filters.http.header_mutation"
LUA = "envoy.filters.http.lua"
RATE_LIMIT = "envoy.filters.http.local_ratelimit"
_HTTP = "type.googleapis.com/envoy.extensions.filters.http"
_SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "cross-origin",
}
"""Headers that every answer carries, the gateway's own included."""
_FOREVER = "4294967295"


def filters(options: GatewayOptions) -> list[dict[str, Any]]:
    """The filter chain."""
    return [
        _filter(MUTATION, _secured()),
        _filter(CORS, {"@type": f"{_HTTP}.cors.v3.Cors"}),
        _filter("envoy.filters.http.grpc_web", {"@type": f"{_HTTP}.grpc_web.v3.GrpcWeb"}),
        {**_filter(LUA, _lua(options)), "disabled": True},
        _filter(TRANSCODER, transcoder(options)),
        _filter(JWT, _jwt(options)),
        _filter(RATE_LIMIT, _rate_limit(options)),
        {**_filter(EXT_AUTHZ, _ext_authz()), "disabled": True},
        {
            **_filter(SIGNING, {"@type": f"{_HTTP}.aws_request_signing.v3.AwsRequestSigning", **signing(options)}),
            "disabled": True,
        },
        _filter("envoy.filters.http.router", {"@type": f"{_HTTP}.router.v3.Router", "suppress_envoy_headers": True}),
    ]


def transcoder(options: GatewayOptions, sse: bool = False) -> dict[str, Any]:
    """REST ⇄ gRPC. A route's own configuration replaces the whole, so streams get a copy with SSE."""
    return {
        "@type": f"{_HTTP}.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor": str(options.descriptors),
        "services": services(),
        "print_options": {"always_print_primitive_fields": True, "stream_sse_style_delimited": sse},
        "convert_grpc_status": True,
        "auto_mapping": False,
        "case_insensitive_enum_parsing": True,
        "request_validation_options": {
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
        "max_request_body_size": options.max_json_bytes,
    }


def _jwt(options: GatewayOptions) -> dict[str, Any]:
    """A token that holds on everything that is not public; the services verify it again."""
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "forward": True,
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "local_jwks": {"filename": str(options.jwks), "watched_directory": {"path": str(options.jwks.parent)}},
        "jwt_cache_config": {"jwt_cache_size": 10000},
        "clock_skew_seconds": 5,
    }
    public = [method.path for method in public_methods() if method.access == "PUBLIC"]
    open_paths: list[dict[str, Any]] = [{"match": {"path": path}} for path in public]
    open_paths += [{"match": {"prefix": prefix}} for prefix in ("/m/", "/grpc.health.v1.", "/grpc.reflection.")]
    return {
        "@type": f"{_HTTP}.jwt_authn.v3.JwtAuthentication",
        "providers": {"tintype": provider},
        "rules": [*open_paths, {"match": {"prefix": "/"}, "requires": {"provider_name": "tintype"}}],
    }


def _rate_limit(options: GatewayOptions) -> dict[str, Any]:
    """One bucket per rate class and client address."""
    return {
        "@type": f"{_HTTP}.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "rate_class",
        "token_bucket": {"max_tokens": int(_FOREVER), "tokens_per_fill": int(_FOREVER), "fill_interval": "1s"},
        "filter_enabled": {"default_value": {"numerator": 100}},
        "filter_enforced": {"default_value": {"numerator": 100}},
        "always_consume_default_token_bucket": False,
        "max_dynamic_descriptors": 10000,
        "rate_limited_as_resource_exhausted": True,
        "descriptors": [
            {
                "entries": [{"key": "rate_class", "value": name}, {"key": "remote_address"}],
                "token_bucket": {
                    "max_tokens": rate.burst,
                    "tokens_per_fill": rate.per_second,
                    "fill_interval": "1s",
                },
            }
            for name, rate in options.rates.items()
        ],
        "response_headers_to_add": [
            {"header": {"key": "retry-after", "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ],
    }


def _secured() -> dict[str, Any]:
    additions = [
        {"append": {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
        for key, value in _SECURITY_HEADERS.items()
    ]
    kind = f"{_HTTP}.header_mutation.v3.HeaderMutation"
    return {"@type": kind, "mutations": {"response_mutations": additions}}


def _lua(options: GatewayOptions) -> dict[str, Any]:
    return {"@type": f"{_HTTP}.lua.v3.Lua", "default_source_code": {"inline_string": script(options)}}


def _ext_authz() -> dict[str, Any]:
    """Asks the edge whether a link holds and what it names."""
    return {
        "@type": f"{_HTTP}.ext_authz.v3.ExtAuthz",
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": {"cluster_name": "edge"}, "timeout": "2s"},
        "failure_mode_allow": False,
        "status_on_error": {"code": "ServiceUnavailable"},
        "allowed_headers": {"patterns": [{"exact": "accept"}]},
        "clear_route_cache": False,
    }


def signing(options: GatewayOptions) -> dict[str, Any]:
    """Signs the request to the store (SigV4)."""
    unsigned = ("x-envoy", "x-forwarded", "user-agent", "accept", "x-request-id", "traceparent", "range", "if-")
    return {
        "service_name": "s3",
        "region": options.region,
        "use_unsigned_payload": True,
        "host_rewrite": options.s3,
        "match_excluded_headers": [{"prefix": prefix} for prefix in unsigned],
        # From Envoy's own environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY): no secret in any file.
        "credential_provider": {"custom_credential_provider_chain": True, "environment_credential_provider": {}},
    }


def _filter(name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": config}
