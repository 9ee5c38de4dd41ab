"""The world of the bus tests: a server that they may hurt, processes on it, and what their handlers saw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer
from tintype.events.v1.media_pb2 import PostChanged

from mesh.clock import FakeClock
from mesh.config import EventsSection
from mesh.events import Event, NewEvent
from mesh.events.events import Events
from mesh.events.outbox import ServiceOutbox
from mesh.events.row import OutboxRow, State, type_name
from mesh.events.timing import Timing
from mesh.ids import IdGenerator
from mesh.storage import Store

BRISK = Timing(
    lease_s=0.6,
    block_s=0.3,
    retry_s=(0.02, 0.02, 0.02, 0.02),
    away_s=(0.01, 0.05),
    sweep_every_s=0.05,
    checkpoint_every_s=0.0,
    mark_every_s=0.02,
)
"""The real thing, in a hurry."""
SWEPT_BY_HAND = replace(BRISK, sweep_every_s=3600)
WAIT_S = 20.0
AREA = "media"
Condition = Callable[[], bool]


class BusServer(Protocol):
    """The server under the bus, which the tests crash."""

    url: str

    async def kill(self) -> None:
        """End it as a crash would; its data stays."""

    async def start(self) -> None:
        """Start it again on what is left of its data."""

    def wipe(self) -> None:
        """Destroy its data while it is down."""

    async def flush(self) -> None:
        """Destroy its data while it runs."""


@dataclass
class Seen:
    """Events that a handler was given, in order."""

    events: list[Event] = field(default_factory=list)

    async def __call__(self, event: Event) -> None:
        self.events.append(event)

    def numbers(self, key: int | None = None) -> list[int]:
        """The versions of the posts seen, of one key or all."""
        return [event.message.version for event in self.events if key in (None, event.key)]


@dataclass
class Failing(Seen):
    """A handler that fails with this; while there is none it handles what it is given."""

    error: Callable[[], Exception] | None = lambda: RuntimeError("broken")
    tries: int = 0

    async def __call__(self, event: Event) -> None:
        self.tries += 1
        if self.error is not None:
            raise self.error()
        await super().__call__(event)


async def until(condition: Condition) -> None:
    """Wait, bounded, until something holds."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - any state of the system, not one event
            await asyncio.sleep(0.005)


def post(version: int, key: int = 1) -> NewEvent:
    return NewEvent(PostChanged(post_id=key, version=version), key)


class World:
    """One service's store, one clock, and any number of processes on one bus."""

    def __init__(self, server: BusServer, store: Store, clock: FakeClock) -> None:
        self.server, self.store, self.clock = server, store, clock
        self._processes: list[Events] = []

    def process(self, timing: Timing = BRISK, shards: int = 2, tracer: Tracer | None = None) -> Events:
        """Another process, not started."""
        ids = IdGenerator(self.clock, len(self._processes))
        section = EventsSection(shards=shards, retention_hours=72)
        events = Events(self.server.url, self.clock, ids, section, timing, tracer)
        self._processes.append(events)
        return events

    async def publisher(self, timing: Timing = BRISK, shards: int = 2) -> tuple[Events, ServiceOutbox]:
        """A started process with the outbox and no consumers."""
        events = self.process(timing, shards)
        outbox = events.outbox(AREA, self.store)
        await events.start()
        return events, outbox

    async def consumer(self, handler: Any, group: str = "timeline", timing: Timing = BRISK, shards: int = 2) -> Events:
        """A started process that handles posts."""
        events = self.process(timing, shards)
        events.subscribe(group, AREA, {PostChanged: handler}, self.store)
        await events.start()
        return events

    async def group(self, name: str, timing: Timing = BRISK, shards: int = 2) -> None:
        """A group that exists and has no process now."""
        events = await self.consumer(Seen(), name, timing, shards)
        await until_async(lambda: _has_group(events, name, shards))
        await events.stop(1)

    async def close(self) -> None:
        await asyncio.gather(*(events.stop(0.2) for events in self._processes))
        await self.store.close()


async def until_async(condition: Callable[[], Any]) -> None:
    """Wait, bounded, until a coroutine answers true."""
    async with asyncio.timeout(WAIT_S):
        while not await condition():  # noqa: ASYNC110 - any state of the system, not one event
            await asyncio.sleep(0.005)


async def _has_group(events: Events, name: str, shards: int) -> bool:
    return len([lag for lag in await events.lag() if lag.group == name]) == shards


async def with_holds(world: World, asked: list[int], answer: bool = False) -> tuple[Events, ServiceOutbox]:
    async def holds(event: Event) -> bool:
        asked.append(event.id)
        return answer

    events = world.process()
    outbox = events.outbox(AREA, world.store, {PostChanged: holds})
    await events.start()
    return events, outbox


async def crash(world: World) -> None:
    await world.server.kill()
    await world.server.start()


async def lose_everything(world: World) -> None:
    await world.server.kill()
    world.server.wipe()
    await world.server.start()


def row_of(outbox: ServiceOutbox, event: Event) -> OutboxRow:
    """The row under which a commit keeps this event."""
    shard = outbox.shard_of(event.key)
    payload = event.message.SerializeToString()
    return OutboxRow(event.id, shard, type_name(type(event.message)), event.key, payload, State.COMMITTED)


async def settle(*processes: Events) -> None:
    """Each waits for its own groups, even where these are not back yet after a loss."""
    for process in processes:
        await process.settle()


def recorder() -> tuple[Tracer, InMemorySpanExporter]:
    """A tracer, and where its finished spans are found."""
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider.get_tracer("test"), spans


async def published_count(events: Events, count: int) -> bool:
    return sum(lag.lag for lag in await events.lag()) >= count


async def pending_count(events: Events, count: int) -> bool:
    return sum(lag.pending for lag in await events.lag()) == count


async def shorter_than(outbox: ServiceOutbox, length: int) -> bool:
    states = [await relay.state() for relay in outbox.relays]
    return all(0 < state.length <= length for state in states)
