"""`tintype serve` as an operating system sees it: a process with signals, an exit code and last words."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tintype.accounts.v1 import accounts_pb2
from tintype.accounts.v1.accounts_pb2_grpc import AccountsServiceStub

from mesh.auth.peers import PeerTokens
from mesh.clock import SystemClock
from stack.ports import free_port
from stack.redis import RedisServer

ROOT = Path(__file__).parent.parent.parent
MEDIA = "addresses.media=127.0.0.1:9"
"""Where accounts would find the service that it calls."""


@dataclass
class Served:
    """A running `tintype serve`."""

    process: asyncio.subprocess.Process
    port: int
    state: Path
    said: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Served:
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line.decode().rstrip())

    async def until_serving(self) -> None:
        async with asyncio.timeout(60), grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest()
            answer = await stub.Check(request, wait_for_ready=True)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING

    async def ended(self) -> int:
        code = await asyncio.wait_for(self.process.wait(), 30)
        await self._reading
        return code


async def serve(state: Path, *flags: str, port: int = 0) -> Served:
    port = port or free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("TINTYPE_")}
    settings = {"state_dir": state, "grpc_address": f"127.0.0.1:{port}", "telemetry.metrics_address": ""}
    pairs = [f"{key}={value}" for key, value in settings.items()] + list(flags)
    sets = [part for pair in pairs for part in ("--set", pair)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "serve", *sets),
        env=env | {"PYTHONPATH": f"{ROOT}:{ROOT / 'generated'}"},
        cwd=state,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    return Served(process, port, state)


@pytest.fixture
async def accounts(tmp_path: Path, redis: RedisServer) -> AsyncIterator[Served]:
    """The accounts service alone, in a process of its own."""
    cheap = ("accounts.argon2_memory_kib=8", "accounts.argon2_passes=1")
    async with await serve(tmp_path, "targets=accounts", MEDIA, f"redis.url={redis.url}", *cheap) as served:
        await served.until_serving()
        yield served


def logged(said: list[str], text: str) -> bool:
    return any(text in line for line in said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_drains_and_ends_without_an_error(accounts: Served, number: signal.Signals) -> None:
    accounts.process.send_signal(number)
    assert await accounts.ended() == 0
    assert not logged(accounts.said, "Traceback")


async def test_call_under_way_is_answered_after_sigterm(accounts: Served) -> None:
    """Passwords are hashed for a while: the signal comes while they are."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{accounts.port}") as channel:
        calls = [asyncio.ensure_future(_register(channel, accounts.state, number)) for number in range(20)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        accounts.process.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*calls)
    assert len({answer.account.user.user_id for answer in answers}) == 20
    assert await accounts.ended() == 0


async def _register(channel: grpc.aio.Channel, state: Path, number: int) -> accounts_pb2.RegisterResponse:
    peers = PeerTokens(_mesh_secret(state), "tests", SystemClock())
    request = accounts_pb2.RegisterRequest(
        username=f"user{number}", email=f"user{number}@example.com", password="correct horse"
    )
    metadata = (("x-tintype-mesh", peers.token()),)
    answer: Message = await AccountsServiceStub(channel).Register(request, metadata=metadata, timeout=20)
    return answer  # type: ignore[return-value]


def _mesh_secret(state: Path) -> str:
    from mesh import config

    return config.load({}, flags={"state_dir": str(state)}).derived_key("mesh").hex()  # type: ignore[no-any-return]


async def test_second_process_on_the_same_port_says_which(accounts: Served, redis: RedisServer, tmp_path: Path) -> None:
    flags = ("targets=accounts", MEDIA, f"redis.url={redis.url}")
    async with await serve(tmp_path, *flags, port=accounts.port) as second:
        assert await second.ended() == 1
    assert second.said[-1].startswith(f"stopped: cannot listen on 127.0.0.1:{accounts.port}")
    assert not logged(second.said, "Traceback")


async def test_metrics_port_that_is_taken_is_named(accounts: Served, tmp_path: Path) -> None:
    address = f"127.0.0.1:{accounts.port}"
    async with await serve(tmp_path, "targets=graph", f"telemetry.metrics_address={address}") as second:
        assert await second.ended() == 1
    assert second.said[-1].startswith(f"stopped: cannot listen on {address} (telemetry.metrics_address)")
    assert not logged(second.said, "Traceback")


async def test_store_that_cannot_be_opened_is_said_in_a_line(tmp_path: Path) -> None:
    flags = ("targets=graph", f"storage.url=cassandra://127.0.0.1:{free_port()}/t?wait=1")
    async with await serve(tmp_path, *flags) as served:
        assert await served.ended() == 1
    assert served.said[-1].startswith("stopped: ")
    assert not logged(served.said, "Traceback")


async def test_unknown_target_is_said_in_a_line(tmp_path: Path) -> None:
    async with await serve(tmp_path, "targets=acounts") as served:
        assert await served.ended() == 1
    assert served.said[-1].startswith("stopped: targets: ['acounts'] unknown; choose from all, accounts,")


async def test_calls_that_would_find_nobody_are_said_before_anything_serves(tmp_path: Path) -> None:
    async with await serve(tmp_path, "targets=accounts") as served:
        assert await served.ended() == 1
    assert served.said[-1] == (
        "stopped: accounts calls tintype.media.v1.AssetsService, which this process does not serve: "
        "add the target media, or say where it runs by addresses.media"
    )


async def test_part_that_fails_ends_the_process_with_code_1_and_its_sentence(accounts: Served) -> None:
    """The key folder vanishes under the accounts service: the part that keeps keys fresh cannot."""
    code = (
        "import asyncio, sys\n"
        "from services.accounts import signing\n"
        "async def broken(self):\n"
        "    await asyncio.sleep(0)\n"
        "    raise OSError('the key folder is gone')\n"
        "signing.Signer.keep_keys_fresh = broken\n"
        "from cli.main import app\n"
        "sys.argv = ['tintype', 'serve', *sys.argv[1:]]\n"
        "app()\n"
    )
    state = accounts.state / "second"
    state.mkdir()
    sets = [f"state_dir={state}", f"grpc_address=127.0.0.1:{free_port()}", "telemetry.metrics_address="]
    flags = [part for pair in [*sets, "targets=accounts", MEDIA] for part in ("--set", pair)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, *flags),
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'generated'}"},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with Served(process, 0, state) as served:
        assert await served.ended() == 1
    assert served.said[-1] == "stopped: accounts/keys failed: OSError('the key folder is gone')"
    assert not logged(served.said, "Traceback")


async def test_told_to_stop_while_starting_it_stops(tmp_path: Path) -> None:
    flags = ("targets=graph", f"storage.url=cassandra://127.0.0.1:{free_port()}/t?wait=60")
    async with await serve(tmp_path, *flags) as served:
        async with asyncio.timeout(20):
            while not logged(served.said, "127.0.0.1"):  # the store's client complains
                await asyncio.sleep(0.02)
        served.process.send_signal(signal.SIGTERM)
        await served.ended()
    assert not logged(served.said, "Traceback")
