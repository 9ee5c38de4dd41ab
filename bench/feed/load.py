"""The two ways of asking: as fast as 32 calls in flight allow, and at a pace; what either cost and how long it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import psutil

from bench.world import Person

IN_FLIGHT = 32
Ask = Callable[[Person], Awaitable[bytes]]


class BadAnswer(Exception):
    """An answer that is no page."""


@dataclass
class Asked:
    """One series of one round: answers, milliseconds of each, seconds of all, CPU seconds of each process; and the
    calls that failed, in the server's words."""

    answers: list[tuple[Person, bytes]] = field(default_factory=list)
    """Empty once they are checked."""
    times_ms: list[float] = field(default_factory=list)
    took_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    async def ask(self, call: Ask, person: Person, since: float) -> None:
        """One call; its time counts from ``since``. Answers are kept: they are checked when no clock runs."""
        try:
            answer = await call(person)
        except (grpc.aio.AioRpcError, OSError, EOFError, BadAnswer) as error:
            self.failures.append(error.details() if isinstance(error, grpc.aio.AioRpcError) else repr(error))
            return
        self.times_ms.append((time.perf_counter() - since) * 1000)
        self.answers.append((person, answer))

    def cpu_us(self, name: str) -> float:
        """CPU microseconds of a process for each call."""
        return self.cpu_s[name] / len(self.times_ms) * 1e6

    @property
    def per_second(self) -> float:
        """Calls a second."""
        return len(self.times_ms) / self.took_s

    def quantile_ms(self, share: float) -> float:
        """The time within which this share of the calls was answered."""
        return sorted(self.times_ms)[min(len(self.times_ms) - 1, int(share * len(self.times_ms)))]


async def flat_out(call: Ask, turns: Iterator[Person], pids: Mapping[str, int], seconds: float = 600.0) -> Asked:
    """Ask for the persons in turn, 32 calls in flight, until they or the time run out."""
    asked, until = Asked(), time.perf_counter() + seconds

    async def worker() -> None:
        while (now := time.perf_counter()) < until and (person := next(turns, None)):
            await asked.ask(call, person, now)

    with _accounted(asked, pids):
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return asked


async def paced(call: Ask, turns: Iterator[Person], pids: Mapping[str, int], seconds: float, rate: float) -> Asked:
    """Ask ``rate`` times a second; a late answer does not delay the next call, unless 32 are late: then the server
    sets the pace. Times count from when a call was due."""
    asked, gate = Asked(), asyncio.Semaphore(IN_FLIGHT)

    async def one(person: Person, since: float) -> None:
        try:
            await asked.ask(call, person, since)
        finally:
            gate.release()

    with _accounted(asked, pids):
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await gate.acquire()
                group.create_task(one(next(turns), due))
    return asked


def cpu_seconds(pid: int) -> float:
    """CPU time, user's and system's, that a process has taken with all its threads."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@contextmanager
def _accounted(asked: Asked, pids: Mapping[str, int]) -> Iterator[None]:
    """Write down what the block took of the clock and of each process."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    began = time.perf_counter()
    yield
    asked.took_s = time.perf_counter() - began
    asked.cpu_s = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
