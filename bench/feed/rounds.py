"""One engine's rounds: services started anew, then every series, the echo between them."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

import grpc
from tintype.edge.v1 import feed_pb2

from bench import world
from bench.feed import rest
from bench.feed.echo import PATH
from bench.feed.load import Ask, Asked, cpu_seconds, flat_out, paced
from bench.feed.rest import rest_client
from bench.world import PAGE, PASSWORD, Person, World, direct, each, patiently
from cli.client import Client, bearer
from stack.installation import Installation
from stack.ports import free_port

FEED = "/tintype.edge.v1.FeedService/GetFeed"
PACE = 100.0
"""Requests a second of the paced series: of 300 readers each is asked every three seconds."""
_OLD_S = 2.5
"""After this pause nothing remembered of a reader is younger than two seconds."""
_WARMING_SHARE = 10
_IDLE_S = 10.0

FIRST, WARM, OLDER = "first page after login", "warm", "older facts"
ENVOY_GRPC, ENVOY_REST, ECHO, ECHO_PACED = "Envoy, gRPC", "Envoy, REST", "echo", "echo, paced"

Round = dict[str, Asked]
"""Series → what was asked in it."""


class WrongPage(Exception):
    """A page was not what the reader must see."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many rounds, and seconds of a series as fast as possible and of a paced one."""

    rounds: int
    flat_out_s: float
    paced_s: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All rounds of one engine, and the share of a core that the services take when nobody calls."""

    rounds: list[Round]
    idle_share: float

    @property
    def failures(self) -> list[str]:
        """Calls that failed, in the server's words."""
        return [text for one in self.rounds for asked in one.values() for text in asked.failures]


async def measure(installation: Installation, found: World, plan: Plan) -> Measured:
    """Measure; raises :class:`WrongPage` where a page is not the reader's newest posts."""
    services, rounds = installation.process("services"), []
    async with echo_of(await _one_page(installation, found)) as (echo_pid, echo_port):
        for number in range(plan.rounds):
            await services.stop()
            await services.start()
            one = await _Series(installation, found.readers, plan, echo_pid, Random(number)).all(echo_port)
            for series, asked in one.items():
                if not asked.times_ms:
                    raise WrongPage(f"{series}: every call failed: {asked.failures[-1]}")
                if series not in (ECHO, ECHO_PACED):
                    _check(found, asked, rest.shown if series == ENVOY_REST else world.shown)
                asked.answers.clear()
            rounds.append(one)
    return Measured(rounds, await _idle(_pid(installation, "services")))


class _Series:
    """The series of one round; the services have just started and served nobody."""

    def __init__(
        self, installation: Installation, readers: list[Person], plan: Plan, echo_pid: int, random: Random
    ) -> None:
        self._installation, self._plan = installation, plan
        self._readers = random.sample(readers, len(readers))
        self._turns = itertools.cycle(self._readers)
        pids = {name: _pid(installation, name) for name in ("services", "envoy")}
        self._pids = {**pids, "generator": os.getpid()}
        self._echo_pids = {**self._pids, "services": echo_pid}

    async def all(self, echo_port: int) -> Round:
        """Every series once. The paced echo is also the pause in which what is remembered of readers grows old."""
        gateway, plan, turns = self._installation.section.gateway_port, self._plan, self._turns
        async with (
            page_of(direct(self._installation)) as straight,
            page_of(f"127.0.0.1:{gateway}") as through_envoy,
            page_of(f"127.0.0.1:{echo_port}", PATH) as control,
            rest_client("127.0.0.1", gateway) as door,
        ):
            found = {FIRST: await self._first(straight)}
            found[ECHO] = await flat_out(control, turns, self._echo_pids, plan.flat_out_s)
            await flat_out(straight, iter(self._readers), {})
            for series, ask in ((WARM, straight), (ENVOY_GRPC, through_envoy), (ENVOY_REST, door.page)):
                found[series] = await flat_out(ask, turns, self._pids, plan.flat_out_s)
            pause_s = max(_OLD_S, plan.paced_s / 2)
            found[ECHO_PACED] = await paced(control, turns, self._echo_pids, pause_s, PACE)
            found[OLDER] = await paced(straight, turns, self._pids, plan.paced_s, PACE)
        return found

    async def _first(self, straight: Ask) -> Asked:
        """The first page of each reader but a tenth, who warm up what all readers share."""
        warming = len(self._readers) // _WARMING_SHARE
        await flat_out(straight, iter(self._readers[:warming]), {})
        async with Client(direct(self._installation)) as client:

            async def logged_in(reader: Person) -> Person:
                token = await patiently(lambda: client.log_in(reader.name, PASSWORD))
                return replace(reader, token=token)

            fresh = await each(self._readers[warming:], logged_in)
        return await flat_out(straight, iter(fresh), self._pids)


async def _one_page(installation: Installation, found: World) -> bytes:
    async with page_of(direct(installation)) as straight:
        return bytes(await patiently(lambda: straight(found.readers[0])))


async def _idle(pid: int) -> float:
    await asyncio.sleep(_OLD_S)
    before = cpu_seconds(pid)
    await asyncio.sleep(_IDLE_S)
    return (cpu_seconds(pid) - before) / _IDLE_S


def _check(found: World, asked: Asked, shown: Callable[[bytes], list[str]]) -> None:
    for person, page in asked.answers:
        if (posts := shown(page)) != found.pages[person.user_id]:
            raise WrongPage(f"{person.name} was shown {posts}, not {found.pages[person.user_id]}")


def _pid(installation: Installation, name: str) -> int:
    pid = installation.process(name).pid
    assert pid is not None, f"{name} has ended"
    return pid


@asynccontextmanager
async def page_of(target: str, path: str = FEED) -> AsyncIterator[Ask]:
    """Asks for first pages over one gRPC connection."""
    request = feed_pb2.GetFeedRequest(page_size=PAGE).SerializeToString()
    async with grpc.aio.insecure_channel(target) as channel:
        call = channel.unary_unary(path)

        async def ask(person: Person) -> bytes:
            return bytes(await call(request, timeout=10, metadata=bearer(person.token)))

        yield ask


@asynccontextmanager
async def echo_of(answer: bytes) -> AsyncIterator[tuple[int, int]]:
    """The control in a process of its own; its process id and port."""
    port = free_port()
    command = sys.executable, "-m", "bench.feed.echo", str(port), str(len(answer))
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        assert process.stdout
        await process.stdout.readline()
        yield process.pid, port
    finally:
        process.kill()
        await process.wait()
