"""The gateway of docker-compose.yml: its arguments and its environment, and nothing else, on real servers."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app
from mesh.rpc.contracts import DESCRIPTORS
from stack.envoy import binary
from stack.ports import free_ports
from tests.mesh.compose_file import compose_file
from tests.mesh.mesh_client import Rest, eventually, image_url


@pytest.fixture
def services(installation: Any) -> Any:
    """The services of docker-compose.yml for an operator whose secret is that of the store that runs here."""
    secret = installation.process("envoy").env["AWS_SECRET_ACCESS_KEY"]
    return compose_file({"TINTYPE_SECRET": "s" * 64, "TINTYPE_S3_SECRET": secret})["services"]


def here(installation: Any, arguments: list[str], config: Path, listen: str, admin: str) -> list[str]:
    """The arguments with the containers' addresses and paths in the place of this machine's."""
    places = {
        "0.0.0.0:8080": listen,
        "127.0.0.1:9901": admin,
        "edge:9090": installation.options.edge,
        "minio:9000": installation.options.s3,
        "/keys/public/jwks.json": str(installation.options.jwks),
        "/etc/envoy/descriptors.binpb": str(DESCRIPTORS),
        "/etc/envoy/envoy.yaml": str(config),
        "envoy": str(binary()),
    }
    found = []
    for argument in arguments:
        name, equals, value = argument.rpartition("=")
        found.append(name + equals + places.get(value, value))
    return found


@asynccontextmanager
async def running(command: list[str], env: dict[str, str], log: Path) -> AsyncIterator[None]:
    """The command with this environment and no other."""
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(*command, env=env, stdout=output, stderr=output)
        try:
            yield
        finally:
            child.kill()
            await child.wait()


async def test_it_serves_images_with_what_compose_gives_it(
    rest: Rest, installation: Any, services: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = image_url(await rest.publish(await rest.register("compose")))
    listen, admin = (f"127.0.0.1:{port}" for port in free_ports(2))
    config, envoy, prepare = tmp_path / "envoy.yaml", services["envoy"], services["prepare"]
    for name, value in prepare["environment"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TINTYPE_STATE_DIR", str(tmp_path))
    made = CliRunner().invoke(app, ["gateway", *here(installation, prepare["command"], config, listen, admin)])
    assert made.exit_code == 0, made.output
    config.write_text(made.stdout)

    async def answered() -> httpx.Response | None:
        try:
            return await gateway.ask("GET", url.removeprefix(installation.url))
        except httpx.TransportError:
            return None

    command = here(installation, envoy["command"], config, listen, admin)
    async with running(command, envoy["environment"], tmp_path / "envoy.log"), Rest(f"http://{listen}") as gateway:
        image = await eventually(answered, within_s=20)
        assert image.status_code == 200, image.text
        assert Image.open(io.BytesIO(image.content)).format == "JPEG"
