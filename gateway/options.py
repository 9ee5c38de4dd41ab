"""What the gateway needs to know about where it stands, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mesh.config import Rate, RatesSection
from mesh.limits import MAX_JSON_BYTES


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Addresses are ``host:port``; hosts may be names, resolved by Envoy."""

    listen: str
    admin: str
    edge: str
    s3: str
    region: str
    jwks: Path
    """The public key set, as Envoy sees it."""
    descriptors: Path
    """The descriptor set, as Envoy sees it."""
    development: bool = True
    max_json_bytes: int = MAX_JSON_BYTES
    headers_seconds: int = 10
    """How long a client may take to send its headers."""
    cors_origins: tuple[str, ...] = (".*",)
    """Regular expressions that allowed origins match."""
    otlp: str = ""
    """An OpenTelemetry collector's gRPC address; empty: no traces."""
    rates: Mapping[str, Rate] = field(default_factory=lambda: RatesSection().by_class)
    """By rate class (READ, WRITE, …)."""
