"""What the gateway needs to know about where it stands, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket per client address: ``per_second`` on average, ``burst`` at once."""

    per_second: int
    burst: int


RATES: Mapping[str, Rate] = {
    "READ": Rate(400, 4000),
    "WRITE": Rate(100, 1000),
    "AUTH": Rate(5, 100),
    "UPLOAD": Rate(10, 200),
    "SEARCH": Rate(50, 500),
    "STREAM": Rate(20, 200),
}
"""Calls of each rate class that one client address may make."""


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Addresses are ``host:port``; hosts may be names, resolved by Envoy."""

    listen: str
    admin: str
    edge: str
    s3: str
    region: str
    jwks: Path
    descriptors: Path
    development: bool = True
    max_json_bytes: int = 1024 * 1024
    cors_origins: tuple[str, ...] = (".*",)
    """Regular expressions that allowed origins match."""
    otlp: str = ""
    """An OpenTelemetry collector's gRPC address; empty: no traces."""
    rates: Mapping[str, Rate] = field(default_factory=lambda: RATES)
