"""The image and what runs inside it: the health check on a real server, Envoy's configuration in a real Envoy."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
from pathlib import Path

import yaml

from cli.modules import modules
from mesh.auth.keys import KeyRing, jwks_path
from mesh.clock import SystemClock
from mesh.testing.harness import running
from stack.envoy import validate

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = DOCKERFILE.split("\nFROM ")


async def run(*command: str, **environment: str) -> tuple[int, str]:
    """The exit status of a program and what it said."""
    everything = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'generated'}", **environment}
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    child = await asyncio.create_subprocess_exec(*command, env=everything, cwd=ROOT, **pipes)  # type: ignore[arg-type]
    said, complained = await child.communicate()
    return child.returncode or 0, (said or complained).decode()


def test_the_image_runs_as_nobody_in_particular_and_leaves_the_build_behind() -> None:
    assert len(STAGES) == 3
    assert re.findall(r"^USER (.+)$", STAGES[2], re.MULTILINE) == ["10001:10001"]
    assert "pip install" not in STAGES[2]
    assert "HEALTHCHECK" in STAGES[2]


def test_everything_that_the_image_copies_is_there_and_sent_to_the_builder() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(let_through)
    assert all((ROOT / name).exists() for name in copied)


def test_every_module_is_in_the_image() -> None:
    copied = re.findall(r"^COPY (\S+) \1$", DOCKERFILE, re.MULTILINE)
    assert {module.build.__module__.partition(".")[0] for module in modules()} <= set(copied)


def test_programs_left_out_of_the_image_are_named_as_they_are_required() -> None:
    (left_out,) = re.findall(r"grep -v -E '\^\((.+)\)=='", DOCKERFILE)
    required = (ROOT / "requirements.txt").read_text()
    for name in left_out.split("|"):
        assert re.search(rf"^{name}==", required, re.MULTILINE), name


async def test_the_health_check_is_well_while_the_server_serves_and_not_after(tmp_path: Path) -> None:
    check = (sys.executable, "deploy/healthcheck.py")
    async with running([], tmp_path) as harness:
        port = harness.process.port
        assert await run(*check, TINTYPE_GRPC_ADDRESS=f"0.0.0.0:{port}") == (0, "SERVING\n")
        harness.process.health.probes["test/part"] = _unwell
        async with asyncio.timeout(20):
            while (await run(*check, TINTYPE_GRPC_ADDRESS=f"0.0.0.0:{port}"))[0] != 1:
                pass
    status, complaint = await run(*check, TINTYPE_GRPC_ADDRESS=f"0.0.0.0:{port}")
    assert (status, complaint) == (1, f"no answer on port {port}: UNAVAILABLE\n")


async def _unwell() -> str:
    return "broken for the test"


async def test_envoy_takes_the_configuration_that_prepare_writes(tmp_path: Path) -> None:
    """prepare.sh with its paths moved here; Envoy then reads the very files that it would find there."""
    _tintype_into(tmp_path)
    KeyRing(tmp_path / "keys", SystemClock(), rotate_ms=10**10, overlap_ms=0).refresh()
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    moved = [
        argument.replace("/etc/envoy", str(tmp_path)).replace(
            "/keys/public/jwks.json", str(jwks_path(tmp_path / "keys"))
        )
        for argument in compose["services"]["prepare"]["command"]
    ]
    for _ in range(2):  # it may run again
        status, complaint = await run(
            "sh", str(tmp_path / "prepare.sh"), *moved, PATH=f"{tmp_path}:{os.environ['PATH']}"
        )
        assert status == 0, complaint
    await validate(tmp_path / "envoy.yaml")


def _tintype_into(directory: Path) -> None:
    """The image's `tintype` command, and prepare.sh with the image's folders replaced by ours."""
    program = directory / "tintype"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli.main "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    script = (ROOT / "deploy" / "prepare.sh").read_text()
    (directory / "prepare.sh").write_text(script.replace("/app/", f"{ROOT}/").replace("/gateway/", f"{directory}/"))
