"""Envoy's configuration: Envoy itself accepts each form of it, and the committed one is what the protos make."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import GatewayOptions, render
from gateway.contracts import public_methods
from mesh.auth.keys import KeyRing, jwks_path
from mesh.clock import SystemClock
from mesh.rpc.contracts import DESCRIPTORS
from stack.envoy import EnvoyConfigInvalid, validate

ROOT = Path(__file__).parents[2]


@pytest.fixture
def options(tmp_path: Path) -> GatewayOptions:
    KeyRing(tmp_path / "keys", SystemClock(), 10**12, 0).refresh()
    return GatewayOptions(
        listen="127.0.0.1:8080",
        admin="127.0.0.1:9901",
        edge="127.0.0.1:9090",
        s3="127.0.0.1:8333",
        region="us-east-1",
        jwks=jwks_path(tmp_path / "keys"),
        descriptors=DESCRIPTORS,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"development": False, "cors_origins": ("https://.*",)},
        {"otlp": "collector:4317", "edge": "edge:9090", "s3": "minio:9000", "listen": "0.0.0.0:8080"},
    ],
    ids=["development", "production", "compose"],
)
async def test_envoy_accepts_the_configuration(
    options: GatewayOptions, tmp_path: Path, changes: dict[str, object]
) -> None:
    config = tmp_path / "envoy.json"
    config.write_text(json.dumps(render(replace(options, **changes))))  # type: ignore[arg-type]
    await validate(config)


async def test_envoy_refuses_what_is_not_a_configuration(options: GatewayOptions, tmp_path: Path) -> None:
    config = tmp_path / "envoy.json"
    config.write_text(json.dumps({**render(options), "nonsense": 1}))
    with pytest.raises(EnvoyConfigInvalid, match="nonsense"):
        await validate(config)


def test_the_committed_configuration_is_what_the_protos_make() -> None:
    subprocess.run([sys.executable, ROOT / "gateway" / "generate.py", "--check"], cwd=ROOT, check=True)


def test_the_committed_configuration_holds_no_secret_and_nothing_of_this_machine() -> None:
    text = (ROOT / "gateway" / "envoy.yaml").read_text()
    assert str(ROOT) not in text
    assert "environment_credential_provider" in text
    assert "inline_credential" not in text


def test_every_public_rpc_has_a_rate_class_that_the_gateway_counts(options: GatewayOptions) -> None:
    assert {method.rate_class for method in public_methods()} <= options.rates.keys()
