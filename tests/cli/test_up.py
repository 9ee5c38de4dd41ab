"""`tintype up`: ready, then there until Ctrl-C, then gone without a trace but its data."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.tintype_command import TINTYPE, environment, installation_environment

PASSWORD = "correct horse"


class Up:
    """A running `tintype up`."""

    def __init__(self, process: asyncio.subprocess.Process, env: dict[str, str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.url = f"http://127.0.0.1:{env['TINTYPE_STACK__GATEWAY_PORT']}"
        self._arrived = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())
            self._arrived.set()
        self._arrived.set()

    async def until_said(self, text: str) -> None:
        async with asyncio.timeout(90):
            while not any(text in line for line in self.lines):
                assert not self._reading.done(), "\n".join(self.lines)
                self._arrived.clear()
                await self._arrived.wait()

    async def ended(self) -> int:
        code = await asyncio.wait_for(self.process.wait(), 60)
        await self._reading
        return code

    def family(self) -> list[psutil.Process]:
        """Every process that it started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@asynccontextmanager
async def up(env: dict[str, str], cwd: Path, *arguments: str) -> AsyncIterator[Up]:
    process = await asyncio.create_subprocess_exec(
        *(TINTYPE, "up", *arguments),
        env=environment(env) | {"PYTHONUNBUFFERED": "1"},
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Up(process, env)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await running.ended()


def gone(family: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return installation_environment(tmp_path / "state")


async def test_up_serves_until_ctrl_c_leaves_no_process_and_keeps_its_data(env: dict[str, str], tmp_path: Path) -> None:
    account = {"username": "nadar", "email": "nadar@example.com", "password": PASSWORD}
    async with up(env, tmp_path, "--no-seed") as running:
        await running.until_said("ready after")
        async with httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=20) as http:
            assert (await http.get("/healthz")).json()["serving"] is True
            assert (await http.post("/v1/accounts", json=account)).status_code == 200
        family = running.family()
        assert len(family) >= 4
        running.process.send_signal(signal.SIGINT)
        assert await running.ended() == 0
    assert gone(family)
    assert running.lines[-1].endswith("stopped; the data is kept")
    assert not [line for line in running.lines if "Traceback" in line]

    async with up(env, tmp_path, "--no-seed") as again:
        await again.until_said("ready after")
        async with httpx.AsyncClient(base_url=again.url, trust_env=False, timeout=20) as http:
            body = {"username": "nadar", "password": PASSWORD}
            assert (await http.post("/v1/sessions", json=body)).status_code == 200


async def test_port_that_is_taken_is_one_line_that_names_it_and_its_setting(
    env: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(env["TINTYPE_STACK__GATEWAY_PORT"])))
        taken.listen()
        async with up(env, tmp_path) as running:
            assert await running.ended() == 1
    [line] = running.lines
    assert env["TINTYPE_STACK__GATEWAY_PORT"] in line
    assert "TINTYPE_STACK__GATEWAY_PORT" in line


async def test_ctrl_c_while_starting_leaves_no_process(env: dict[str, str], tmp_path: Path) -> None:
    async with up(env, tmp_path, "--no-seed") as running:
        await running.until_said("starting Redis")
        family = running.family()
        running.process.send_signal(signal.SIGINT)
        await running.ended()
    assert gone(family)
    assert not [line for line in running.lines if "Traceback" in line]


async def test_flags_hold_for_the_services_too(env: dict[str, str], tmp_path: Path) -> None:
    flag = ("--set", "search.directory=" + str(tmp_path / "elsewhere"))
    async with up(env, tmp_path, "--no-seed", *flag) as running:
        await running.until_said("ready after")
        assert os.listdir(tmp_path / "elsewhere")


async def test_part_that_dies_is_started_again_with_its_last_words(env: dict[str, str], tmp_path: Path) -> None:
    async with up(env, tmp_path, "--no-seed") as running:
        await running.until_said("ready after")
        [redis] = [process for process in running.family() if "redis" in process.name()]
        redis.kill()
        await running.until_said("redis is back")
