"""The events of one process: its outboxes, its consumers, its live tails, and how they stand."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.message import Message
from opentelemetry import trace

from mesh.clock import Clock
from mesh.config import EventsSection
from mesh.events.background import Background
from mesh.events.bus import open_bus
from mesh.events.bus.contract import BusError, ShardState, Stream, shard_of
from mesh.events.consumers import ShardConsumer
from mesh.events.contract import Handlers, Holds
from mesh.events.dead_letters import DeadLetter, DeadLetters, parse
from mesh.events.dispatch import Dispatch
from mesh.events.outbox import ServiceOutbox
from mesh.events.relay import ShardRelay
from mesh.events.sweep import Sweep
from mesh.events.tables import OUTBOX_TABLES, OutboxTables
from mesh.events.tails import ShardTail
from mesh.events.timing import Timing
from mesh.events.tracing import HandlerSpans
from mesh.ids import IdGenerator, time_ms
from mesh.storage import StorageError, Store

__all__ = ["OUTBOX_TABLES", "Events", "Lag"]

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_READY_S = 2.0
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Lag:
    """How far one group is behind on one shard of an area."""

    area: str
    group: str
    shard: int
    lag: int
    """Events it has not been given yet."""
    pending: int
    """Events it holds and has not handled, those in retry included."""
    oldest_age_ms: int
    """Age of the oldest event it has not handled; 0 where there is none."""


class Events:
    """Everything a process does with events. Wire first (outbox, subscribe, tail), then start.

    ``url`` names the bus (:func:`mesh.events.bus.open_bus`). Needs a running event loop from ``start`` on. The bus
    may be away at any time, from the first moment on: events are committed all the same and delivered once it is back.

    ``tracer`` records what handlers do; None: the process's own, where tracing was set up before.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        ids: IdGenerator,
        section: EventsSection,
        timing: Timing | None = None,
        tracer: trace.Tracer | None = None,
    ) -> None:
        self._clock, self._ids, self._section, self._tracer = clock, ids, section, tracer
        self._bus = open_bus(url, timing or Timing())
        self._tasks = Background()
        self._outboxes: dict[str, ServiceOutbox] = {}
        self._sweeps: list[Sweep] = []
        self._consumers: dict[tuple[str, str], list[ShardConsumer]] = {}
        self._tails: list[ShardTail] = []
        self._tailed: set[str] = set()
        self._started = False
        self._stores: dict[str, Store] = {}

    def outbox(self, area: str, store: Store, holds: Mapping[type[Message], Holds] | None = None) -> ServiceOutbox:
        """The outgoing events of a service, kept in its store, which has the OUTBOX_TABLES.

        ``holds`` settles the intents of each message type that the service passes to ``intend``, as does
        ``Outbox.settle_by`` afterwards.
        Raises ValueError for an area that has an outbox in this process already.
        """
        _require_name("area", area)
        if area in self._outboxes:
            raise ValueError(f"area {area!r} has an outbox in this process already")
        retention = timedelta(hours=self._section.retention_hours)
        tables = OutboxTables(store, self._clock, self._ids, retention)
        relays = [
            ShardRelay(area, shard, self._bus, tables, self._clock, self._tasks)
            for shard in range(self._section.shards)
        ]
        outbox = self._outboxes[area] = ServiceOutbox(area, tables, relays, {}, self._ids)
        for message_type, settle in (holds or {}).items():
            outbox.settle_by(message_type, settle)
        for relay in relays:
            self._add_sweep(Sweep(outbox, relay, self._bus, self._clock), relay.stream)
        return outbox

    def subscribe(self, group: str, area: str, handlers: Handlers, store: Store, concurrency: int = 8) -> None:
        """Handle an area's events, each in one process of the group at a time, in order per key.

        ``store`` is the group's own, which has the OUTBOX_TABLES: it keeps what the group gives up. ``concurrency``
        bounds the handlers that run at once for one shard. A group that is new gets
        what the bus still holds. Raises ValueError for a group that consumes this area already.
        """
        _require_name("group", group)
        _require_name("area", area)
        if (group, area) in self._consumers:
            raise ValueError(f"group {group!r} is subscribed to {area!r} already: pass all handlers at once")
        self.know(group, store)
        dispatch, spans = Dispatch(area, handlers), HandlerSpans(area, group, self._tracer)
        letters = self._letters(area, group)
        consumers = [
            ShardConsumer(self._bus, self._clock, group, dispatch, shard, letters, concurrency, spans)
            for shard in range(self._section.shards)
        ]
        self._consumers[group, area] = consumers
        if self._started:
            for consumer in consumers:
                consumer.start()

    def know(self, group: str, store: Store) -> None:
        """The store of a group whose dead letters are to be shown or delivered again here."""
        self._stores[group] = store

    def tail(self, area: str, handlers: Handlers) -> None:
        """See every event of an area that is published from now on, in this process, at least once
        while the bus is there; a handler that fails is not tried again."""
        _require_name("area", area)
        tails = [ShardTail(self._bus, Dispatch(area, handlers), shard) for shard in range(self._section.shards)]
        self._tails += tails
        self._tailed.add(area)
        if self._started:
            for tail in tails:
                tail.start()

    async def start(self) -> None:
        """Begin to consume and to sweep. Waits for a bus that is away no longer than two seconds."""
        self._started = True
        parts: list[ShardTail | ShardConsumer] = [*self._tails, *self._all_consumers()]
        for part in parts:
            part.start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_S):
                await asyncio.gather(*(part.ready() for part in parts))
        for sweep in self._sweeps:
            self._tasks.spawn(sweep.run(), "outbox sweep")

    async def stop(self, grace_s: float = 10.0) -> None:
        """Take nothing new, finish within the grace what has begun, publish what waits. May be repeated."""
        self._started = False
        await asyncio.gather(*(consumer.stop(grace_s) for consumer in self._all_consumers()))
        await asyncio.gather(*(tail.stop() for tail in self._tails))
        with contextlib.suppress(TimeoutError, StorageError, BusError):
            async with asyncio.timeout(min(grace_s, 2.0)):
                await self._hand_over()
        await self._tasks.cancel()
        await self._bus.close()

    async def settle(self, timeout_s: float = 30.0) -> None:
        """Wait until every outbox row is on the bus and everything on it is handled or dead-lettered.

        Looks at the groups that this process subscribes and those that another live process does.
        Raises TimeoutError with what was left. For tests and seeding.
        """
        unsettled: list[str] = ["nothing was looked at"]
        try:
            async with asyncio.timeout(timeout_s):
                await self._publish_all()
                before: object = None
                while True:
                    unsettled, seen = await self._look()
                    # Twice the same means that at the instant in between everything was settled.
                    if not unsettled and seen == before:
                        return
                    before = None if unsettled else seen
                    await asyncio.sleep(_POLL_S if unsettled else 0)
        except TimeoutError:
            raise TimeoutError(f"not settled within {timeout_s:g} s: {'; '.join(unsettled[:5])}") from None

    async def lag(self, areas: Iterable[str] = ()) -> list[Lag]:
        """How far every group is behind on every shard of these areas (none named: those that this
        process knows). Raises BusError."""
        now = self._clock.now_ms()
        found: list[Lag] = []
        for area in sorted(set(areas) or self._areas()):
            for shard, state in enumerate(await self._states(area)):
                for group in state.groups:
                    age = max(0, now - time_ms(group.oldest_event_id)) if group.oldest_event_id else 0
                    found.append(Lag(area, group.name, shard, state.lag(group), group.pending, age))
        return found

    async def dead_letters(self, area: str, group: str, limit: int = 100) -> list[DeadLetter]:
        """What the group gave up, the newest events first, at most ``limit``. A letter that is delivered again stays
        until its event has been handled; so may one of an event that is delivered again after a loss of the bus."""
        return await self._letters(area, group).newest(limit)

    async def replay(self, *letter_ids: str) -> int:
        """Deliver dead letters to their group again, behind newer events of their key; how many were there.
        One that fails again stays, with its new error. Raises BusError, or what the group's store raises."""
        count = 0
        for area, group, event_id in map(parse, letter_ids):
            letter = await self._letters(area, group).get(event_id)
            if letter is not None:
                stream = Stream(area, shard_of(letter.key, self._section.shards))
                await self._bus.replay(stream, letter, group)
                count += 1
        return count

    async def discard(self, *letter_ids: str) -> int:
        """Drop dead letters for good; how many were there. One that was delivered again just before may return."""
        count = 0
        for area, group, event_id in map(parse, letter_ids):
            letters = self._letters(area, group)
            if await letters.get(event_id) is not None:
                await letters.delete(event_id)
                count += 1
        return count

    async def remove_group(self, area: str, group: str) -> None:
        """Forget a group whose service is gone for good, and its dead letters where its store is known here: it no
        longer holds back trimming. Run it in a process that has the area's outbox, or the group returns when the bus
        is rebuilt."""
        for shard in range(self._section.shards):
            await self._bus.remove_group(Stream(area, shard), group)
            if area in self._outboxes:
                await self._outboxes[area].tables.forget_group(shard, group)
        if group in self._stores:
            await self._letters(area, group).forget()

    async def sweep(self) -> None:
        """One round of every sweep, now. For tests; they run by themselves once started."""
        for sweep in self._sweeps:
            await sweep.round()

    async def abort(self) -> None:
        """End as a crash would: nothing finished, nothing given back. For tests of what comes after."""
        self._started = False
        consumers = (consumer.abort() for consumer in self._all_consumers())
        await asyncio.gather(self._tasks.cancel(), *consumers, *(tail.stop() for tail in self._tails))
        await self._bus.close()

    def _letters(self, area: str, group: str) -> DeadLetters:
        if group not in self._stores:
            raise ValueError(f"there is no group {group!r}: choose from {', '.join(sorted(self._stores)) or 'none'}")
        return DeadLetters(self._stores[group], area, group, self._bus.timing.dead_letters)

    def _add_sweep(self, sweep: Sweep, stream: Stream) -> None:
        self._sweeps.append(sweep)
        if self._started:
            self._tasks.spawn(sweep.run(), f"sweep {stream}")

    def _all_consumers(self) -> list[ShardConsumer]:
        return [consumer for consumers in self._consumers.values() for consumer in consumers]

    def _relays(self) -> list[ShardRelay]:
        return [relay for outbox in self._outboxes.values() for relay in outbox.relays]

    def _areas(self) -> set[str]:
        return {*self._outboxes, *(area for _, area in self._consumers), *self._tailed}

    async def _states(self, area: str) -> list[ShardState]:
        shards = range(self._section.shards)
        return await asyncio.gather(*(self._bus.state(Stream(area, shard)) for shard in shards))

    async def _publish_all(self) -> None:
        """Publish what the outboxes hold, however long the bus is away."""
        while not all(relay.idle for relay in self._relays()):  # noqa: ASYNC110 - bounded by the caller
            await asyncio.sleep(_POLL_S)
        for sweep in self._sweeps:
            while True:
                try:
                    await sweep.publish_all()
                    break
                except (BusError, StorageError):
                    await asyncio.sleep(_POLL_S)

    async def _look(self) -> tuple[list[str], object]:
        """What is not settled, and a picture that differs if anything moved since."""
        unsettled = [f"{relay.stream} has events to publish" for relay in self._relays() if not relay.idle]
        picture: list[object] = [relay.accepted for relay in self._relays()]
        try:
            for area in sorted(self._areas()):
                for shard, state in enumerate(await self._states(area)):
                    unsettled += self._unsettled(area, shard, state)
                    picture.append((area, shard, state.last, state.condition))
        except BusError as error:
            unsettled.append(f"the bus cannot be reached: {error!r}")
        return unsettled, picture

    def _unsettled(self, area: str, shard: int, state: ShardState) -> list[str]:
        stream = Stream(area, shard)
        unopened = state.length == 0 and area not in self._outboxes
        found = [] if state.condition == "ok" or unopened else [f"{stream} is {state.condition}"]
        names = {group for group, consumed in self._consumers if consumed == area}
        found += [f"{stream} has no group {name} yet" for name in names - {group.name for group in state.groups}]
        for group in state.groups:
            if (group.alive or group.name in names) and (group.pending or state.lag(group)):
                found.append(f"{group.name} lags {state.lag(group)} and holds {group.pending} of {stream}")
        tails = [tail for tail in self._tails if tail.stream == stream]
        return found + [f"a tail of {stream} lags" for tail in tails if state.length and tail.seen < state.last]

    async def _hand_over(self) -> None:
        """Leave nothing in memory that another process would have to wait for."""
        while not all(relay.idle for relay in self._relays()):  # noqa: ASYNC110 - bounded by the caller, at the end
            await asyncio.sleep(_POLL_S)
        for relay in self._relays():
            await relay.flush_marks()
        for sweep in self._sweeps:
            await sweep.stop()


def _require_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{what} {name!r}: use lower-case letters, digits, - and _, at most 64 characters")
