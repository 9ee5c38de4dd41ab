"""The same crashes on both engines: a suite is a class, its engine's test file says where the tables are."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import pytest

from mesh.clock import FakeClock
from mesh.config import EventsSection
from mesh.events.events import Events
from mesh.ids import IdGenerator
from mesh.testing.chaos import Fault, Stage
from stack.redis import RedisServer

_worlds = itertools.count()
Sweep = Callable[[int], Awaitable[None]]


@pytest.fixture
def clock() -> FakeClock:
    """Time, moved by hand. It starts where real ids would be made."""
    return FakeClock(1_800_000_000_000)


@pytest.fixture
def faults() -> Iterable[Fault]:
    """What may happen at a write."""
    return Fault


@pytest.fixture
def stage(faults: Iterable[Fault]) -> Stage:
    """What happens to the stores of this test."""
    return Stage(faults)


@pytest.fixture
def service() -> str:
    """A name for tables of this test's own."""
    return f"crashes_{next(_worlds)}"


@pytest.fixture
async def events(own_redis: RedisServer, clock: FakeClock) -> AsyncIterator[Events]:
    """The bus of one process, to be wired and started."""
    events = Events(own_redis.url, clock, IdGenerator(clock), EventsSection(shards=1))
    yield events
    await events.stop()


@pytest.fixture
def sweep(events: Events, clock: FakeClock) -> Sweep:
    """Lets so many ms pass, sweeps, and waits until every event has arrived."""

    async def sweep(ms: int) -> None:
        clock.advance(ms)
        await events.sweep()
        await events.settle()

    return sweep
