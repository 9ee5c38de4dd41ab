"""The whole Envoy configuration."""

from __future__ import annotations

from typing import Any

from gateway.filters import CORS, filters
from gateway.options import GatewayOptions
from gateway.replies import local_replies
from gateway.routes import routes

_FORGED = ("x-tintype-", "x-envoy-")
"""Beginnings of headers that only the mesh and the gateway itself may set: taken off before anything reads them."""
_EXPOSED = "grpc-status,grpc-message,grpc-status-details-bin,retry-after,x-request-id,etag"


def render(options: GatewayOptions) -> dict[str, Any]:
    """Envoy's bootstrap configuration, ready to be written as YAML or JSON."""
    clusters = [_edge(options), _s3(options), *([_collector(options)] if options.otlp else [])]
    return {
        "node": {"id": "gateway", "cluster": "tintype"},
        "admin": {"address": _address(options.admin)},
        "static_resources": {"listeners": [_listener(options)], "clusters": clusters},
        "overload_manager": _overload(),
    }


def _listener(options: GatewayOptions) -> dict[str, Any]:
    return {
        "name": "public",
        "address": _address(options.listen),
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": _http(options)}]}
        ],
    }


def _http(options: GatewayOptions) -> dict[str, Any]:
    config: dict[str, Any] = {
        "@type": (
            "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        ),
        "stat_prefix": "public",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "early_header_mutation_extensions": [_unforged()],
        "server_name": "tintype",
        "generate_request_id": True,
        "always_set_request_id_in_response": True,
        "request_headers_timeout": f"{options.headers_seconds}s",
        "stream_idle_timeout": "120s",
        "request_timeout": "0s",
        "max_request_headers_kb": 32,
        "common_http_protocol_options": {
            "idle_timeout": "3600s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 1024 * 1024,
            "initial_connection_window_size": 4 * 1024 * 1024,
        },
        "local_reply_config": local_replies(),
        "http_filters": filters(options),
        "route_config": {
            "name": "public",
            "virtual_hosts": [
                {
                    "name": "public",
                    "domains": ["*"],
                    "routes": routes(options),
                    "typed_per_filter_config": {CORS: _cors(options)},
                }
            ],
        },
    }
    if options.otlp:
        config["tracing"] = _tracing()
    return config


def _unforged() -> dict[str, Any]:
    removals = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in _FORGED]
    kind = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {"@type": f"type.googleapis.com/{kind}", "mutations": removals},
    }


def _cors(options: GatewayOptions) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"safe_regex": {"regex": origin}} for origin in options.cors_origins],
        "allow_methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "allow_headers": (
            "authorization,content-type,x-grpc-web,x-user-agent,grpc-timeout,x-request-id,range,if-none-match"
        ),
        "expose_headers": _EXPOSED,
        "max_age": "86400",
    }


def _edge(options: GatewayOptions) -> dict[str, Any]:
    return {
        **_cluster("edge", options.edge),
        **_http2(),
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 256,
                    "max_pending_requests": 1024,
                    "max_requests": 2000,
                    "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 3},
                }
            ]
        },
        "outlier_detection": {
            "consecutive_5xx": 5,
            "interval": "1s",
            "base_ejection_time": "2s",
            "max_ejection_percent": 50,
        },
    }


def _s3(options: GatewayOptions) -> dict[str, Any]:
    return _cluster("s3", options.s3)


def _collector(options: GatewayOptions) -> dict[str, Any]:
    return {**_cluster("otlp", options.otlp), **_http2()}


def _cluster(name: str, address: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(address)}}]}],
        },
    }


def _http2() -> dict[str, Any]:
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    keepalive = {"interval": "20s", "timeout": "5s"}
    return {
        "typed_extension_protocol_options": {
            options: {
                "@type": f"type.googleapis.com/{options}",
                "explicit_http_config": {"http2_protocol_options": {"connection_keepalive": keepalive}},
            }
        }
    }


def _address(text: str) -> dict[str, Any]:
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def _tracing() -> dict[str, Any]:
    return {
        # Image links grant access and queries are private: no path. The edge's span below names the method.
        "max_path_tag_length": 0,
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "grpc_service": {"envoy_grpc": {"cluster_name": "otlp"}, "timeout": "1s"},
                "service_name": "gateway",
            },
        },
    }


def _overload() -> dict[str, Any]:
    """A bound on what clients may hold open."""
    name = "envoy.resource_monitors.global_downstream_max_connections"
    kind = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    return {
        "resource_monitors": [
            {
                "name": name,
                "typed_config": {"@type": f"type.googleapis.com/{kind}", "max_active_downstream_connections": 20000},
            }
        ]
    }
