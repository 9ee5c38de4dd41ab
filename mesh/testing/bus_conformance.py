"""What the event bus promises. A test class supplies a ``server`` fixture, and nothing more."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pytest
from tintype.events.v1.engagement_pb2 import LikeChanged
from tintype.events.v1.media_pb2 import PostChanged

from mesh.clock import FakeClock
from mesh.config import EventsSection
from mesh.errors import unavailable
from mesh.events import Event, NewEvent
from mesh.events.bus import Bus, LeaseLost, stream_of
from mesh.events.events import OUTBOX_TABLES, Events
from mesh.events.outbox import ServiceOutbox
from mesh.events.row import OutboxRow, State, type_name
from mesh.events.timing import Timing
from mesh.ids import IdGenerator
from mesh.storage import ContractViolation, Put, Store, open_store

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


@dataclass
class Seen:
    """Events that a handler was given, in order."""

    events: list[Event] = field(default_factory=list)

    async def __call__(self, event: Event) -> None:
        self.events.append(event)

    def numbers(self, key: int | None = None) -> list[int]:
        """The versions of the posts seen, of one key or all."""
        return [event.message.version for event in self.events if key in (None, event.key)]


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

    def process(self, timing: Timing = BRISK, shards: int = 2) -> Events:
        """Another process, not started."""
        ids = IdGenerator(self.clock, len(self._processes))
        events = Events(self.server.url, self.clock, ids, EventsSection(shards=shards, retention_hours=72), timing)
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
        events.subscribe(group, AREA, {PostChanged: handler})
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


class BusConformance:
    """Subclass it and give it a fixture ``server``: a running, empty :class:`BusServer` of its own."""

    @pytest.fixture
    async def world(self, server: BusServer) -> AsyncIterator[World]:
        clock = FakeClock(1_800_000_000_000)
        store = await open_store("sqlite::memory:", AREA, clock)
        await store.create(OUTBOX_TABLES)
        world = World(server, store, clock)
        yield world
        await world.close()

    # Delivery

    async def test_every_group_gets_every_event(self, world: World) -> None:
        timeline, search = Seen(), Seen()
        await world.consumer(timeline, "timeline")
        await world.consumer(search, "search")
        events, outbox = await world.publisher()
        for number in range(40):
            await outbox.commit([], [post(number, key=number)])
        await events.settle()
        assert sorted(timeline.numbers()) == sorted(search.numbers()) == list(range(40))

    async def test_an_event_arrives_as_it_was_committed(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        [committed] = await outbox.commit([], [post(7, key=5)])
        await events.settle()
        [event] = seen.events
        assert replace(event, position="") == committed
        assert event.position

    async def test_positions_sort_in_the_order_of_delivery(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        for number in range(120):
            await outbox.commit([], [post(number)])
        await events.settle()
        positions = [event.position for event in seen.events]
        assert positions == sorted(set(positions))

    async def test_events_of_a_key_arrive_in_order(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        for number in range(300):
            await outbox.commit([], [post(number, key=number % 7)])
        await events.settle()
        for key in range(7):
            assert seen.numbers(key) == list(range(key, 300, 7))

    async def test_events_of_a_key_arrive_in_order_when_handlers_fail(self, world: World) -> None:
        seen, failed = Seen(), set[int]()

        async def failing_once(event: Event) -> None:
            if event.message.version % 5 == 0 and event.id not in failed:
                failed.add(event.id)
                raise RuntimeError("not this time")
            await seen(event)

        await world.consumer(failing_once)
        events, outbox = await world.publisher()
        for number in range(60):
            await outbox.commit([], [post(number, key=number % 3)])
        await events.settle()
        for key in range(3):
            assert seen.numbers(key) == list(range(key, 60, 3))

    async def test_events_of_other_types_are_passed_over(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        await outbox.commit([], [NewEvent(LikeChanged(post_id=1), 1), post(1)])
        await events.settle()
        assert seen.numbers() == [1]

    async def test_a_repeated_publication_is_delivered_once(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        [committed] = await outbox.commit([], [post(1)])
        await events.settle()
        row = row_of(outbox, committed)
        await outbox.relays[row.shard].append([row, row])
        await outbox.relays[row.shard].append([row])
        await events.settle()
        assert seen.numbers() == [1]

    async def test_an_event_whose_write_is_refused_is_not_published(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        row = row_of(outbox, Event(1, 1, PostChanged(), AREA))
        broken = Put(outbox.tables.put(row).table, {"shard": 0})
        with pytest.raises(ContractViolation):
            await outbox.commit([broken], [post(1)])
        await events.settle()
        assert seen.numbers() == []

    # Retries and dead letters

    async def test_a_handler_is_tried_five_times(self, world: World) -> None:
        tries, seen = defaultdict[int, int](int), Seen()

        async def fifth_time_lucky(event: Event) -> None:
            tries[event.id] += 1
            if tries[event.id] < 5:
                raise RuntimeError("not yet")
            await seen(event)

        consumer = await world.consumer(fifth_time_lucky)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await events.settle()
        assert seen.numbers() == [1]
        assert await consumer.dead_letters(AREA, "timeline") == []

    async def test_an_event_that_fails_five_times_becomes_a_dead_letter(self, world: World) -> None:
        tries, seen = list[int](), Seen()

        async def poisoned(event: Event) -> None:
            if event.message.version == 1:
                tries.append(event.id)
                raise ValueError("this post is cursed")
            await seen(event)

        consumer = await world.consumer(poisoned)
        events, outbox = await world.publisher()
        [cursed] = await outbox.commit([], [post(1)])
        await outbox.commit([], [post(2)])
        await events.settle()
        [letter] = await consumer.dead_letters(AREA, "timeline")
        assert (letter.event_id, letter.key, letter.tries) == (cursed.id, 1, 5)
        assert letter.error == "ValueError: this post is cursed"
        assert tries == [cursed.id] * 5
        assert seen.numbers() == [2]

    async def test_a_failing_event_holds_up_no_other_key(self, world: World) -> None:
        order: list[str] = []
        other_handled = asyncio.Event()

        async def handler(event: Event) -> None:
            if event.key == 2:
                order.append("other key")
                other_handled.set()
                return
            order.append("try")
            if order.count("try") == 5:
                await other_handled.wait()
            raise RuntimeError("poisoned")

        await world.consumer(handler, shards=1)
        events, outbox = await world.publisher(shards=1)
        await outbox.commit([], [post(1, key=1)])
        await until(lambda: "try" in order)
        await outbox.commit([], [post(2, key=2)])
        await events.settle()
        assert order.count("other key") == 1

    async def test_an_event_whose_handler_lacks_another_service_waits_for_it(self, world: World) -> None:
        away, seen = True, Seen()

        async def handler(event: Event) -> None:
            await seen(event)
            if away:
                raise unavailable("graph")

        _, outbox = await world.publisher()
        consumer = await world.consumer(handler)
        await outbox.commit([], [post(1)])
        await until(lambda: len(seen.events) > 3 * BRISK.tries)
        assert await consumer.dead_letters(AREA, "timeline") == []
        away = False
        await consumer.settle()
        assert set(seen.numbers()) == {1}
        assert await consumer.dead_letters(AREA, "timeline") == []

    async def test_a_dead_letter_is_replayed_to_its_group_alone(self, world: World) -> None:
        broken, timeline, search = [True], Seen(), Seen()

        async def handler(event: Event) -> None:
            if broken[0]:
                raise RuntimeError("broken")
            await timeline(event)

        consumer = await world.consumer(handler, "timeline")
        await world.consumer(search, "search")
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await events.settle()
        broken[0] = False
        [letter] = await consumer.dead_letters(AREA, "timeline")
        assert await consumer.replay(letter.id) == 1
        await events.settle()
        assert timeline.numbers() == search.numbers() == [1]
        assert await consumer.dead_letters(AREA, "timeline") == []
        assert await consumer.replay(letter.id) == 0

    async def test_a_dead_letter_can_be_discarded(self, world: World) -> None:
        async def handler(event: Event) -> None:
            raise RuntimeError("broken")

        consumer = await world.consumer(handler)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await events.settle()
        [letter] = await consumer.dead_letters(AREA, "timeline")
        assert await consumer.discard(letter.id) == 1
        assert await consumer.dead_letters(AREA, "timeline") == []

    # Processes that share a group

    async def test_an_event_is_handled_by_one_process_of_a_group(self, world: World) -> None:
        first, second = Seen(), Seen()
        await world.consumer(first)
        await world.consumer(second)
        events, outbox = await world.publisher()
        for number in range(50):
            await outbox.commit([], [post(number, key=number)])
        await events.settle()
        assert sorted(first.numbers() + second.numbers()) == list(range(50))

    async def test_order_holds_when_another_process_takes_over(self, world: World) -> None:
        seen = Seen()
        leaving = await world.consumer(seen)
        await world.consumer(seen)
        events, outbox = await world.publisher()
        for number in range(200):
            await outbox.commit([], [post(number, key=number % 4)])
            if number == 100:
                await leaving.stop(5)
        await events.settle()
        for key in range(4):
            assert seen.numbers(key) == list(range(key, 200, 4))

    async def test_what_a_crashed_process_held_is_delivered_to_another(self, world: World) -> None:
        begun = asyncio.Event()

        async def never_ends(event: Event) -> None:
            begun.set()
            await asyncio.Event().wait()

        dying, seen = await world.consumer(never_ends), Seen()
        events, outbox = await world.publisher()
        for number in range(20):
            await outbox.commit([], [post(number)])
        await begun.wait()
        await dying.abort()
        await world.consumer(seen)
        await events.settle()
        assert seen.numbers() == list(range(20))

    async def test_an_event_that_kills_its_process_becomes_a_dead_letter(self, world: World) -> None:
        deadly_tries, seen = list[int](), Seen()

        async def deadly(event: Event) -> None:
            if event.message.version == 13:
                deadly_tries.append(event.id)
                await asyncio.Event().wait()
            await seen(event)

        events, outbox = await world.publisher(shards=1)
        for number in (12, 13, 14):
            await outbox.commit([], [post(number, key=number)])
        for deaths in range(1, 7):
            dying = await world.consumer(deadly, shards=1)
            await until(lambda deaths=deaths: len(deadly_tries) >= deaths)  # type: ignore[misc]
            await dying.abort()
        survivor = await world.consumer(deadly, shards=1)
        await events.settle()
        [letter] = await survivor.dead_letters(AREA, "timeline")
        assert letter.event_id == deadly_tries[0]
        assert set(seen.numbers()) == {12, 14}

    async def test_a_process_without_the_lease_is_given_nothing(self, world: World) -> None:
        stream = stream_of(AREA, 0)
        owner, other = Bus(world.server.url, BRISK), Bus(world.server.url, BRISK)
        await owner.create_group(stream, "timeline")
        assert await owner.lease(stream, "timeline")
        assert not await other.lease(stream, "timeline")
        with pytest.raises(LeaseLost):
            await other.read(stream, "timeline", 1)
        assert await owner.read(stream, "timeline", 1) == []
        await owner.release(stream, "timeline")
        assert await other.lease(stream, "timeline")
        with pytest.raises(LeaseLost):
            await owner.read(stream, "timeline", 1)
        await asyncio.gather(owner.close(), other.close())

    # The server crashes

    async def test_nothing_is_lost_when_the_server_crashes_and_keeps_its_data(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        for number in range(60):
            if number == 20:
                await world.server.kill()
            if number == 40:
                await world.server.start()
            await outbox.commit([], [post(number, key=number % 5)])
        await events.settle()
        assert set(seen.numbers()) == set(range(60))

    async def test_nothing_is_lost_when_the_server_loses_everything(self, world: World) -> None:
        await world.group("timeline")
        events, outbox = await world.publisher()
        for number in range(30):
            await outbox.commit([], [post(number, key=number % 5)])
        await until_async(lambda: _published(events, 30))
        await self._lose_everything(world)
        for number in range(30, 60):
            await outbox.commit([], [post(number, key=number % 5)])
        seen = Seen()
        await world.consumer(seen)
        await events.settle()
        for key in range(5):
            assert seen.numbers(key) == list(range(key, 60, 5))

    async def test_a_group_without_a_process_loses_nothing_when_the_server_does(self, world: World) -> None:
        timing = replace(BRISK, kept=0)
        await world.group("search")
        fast, slow = Seen(), Seen()
        await world.consumer(fast, "timeline", timing)
        events, outbox = await world.publisher(timing)
        await outbox.commit([], [post(number, key=number) for number in range(20)])
        await until(lambda: len(fast.events) == 20)
        for _ in range(3):
            world.clock.advance(300_000)
            await events.sweep()
        await self._lose_everything(world)
        await outbox.commit([], [post(20)])
        await until(lambda: 20 in fast.numbers())
        await events.sweep()
        await world.consumer(slow, "search", timing)
        await events.settle()
        assert set(slow.numbers()) == set(range(21))

    async def test_a_lost_bus_is_rebuilt_from_where_the_groups_stood(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(number, key=number) for number in range(10)])
        await events.settle()
        world.clock.advance(300_000)
        await events.sweep()
        await outbox.commit([], [post(number, key=number) for number in range(10, 20)])
        await events.settle()
        await self._lose_everything(world)
        await until(lambda: seen.numbers().count(19) == 2)
        await events.settle()
        counts = [seen.numbers().count(number) for number in range(20)]
        assert counts == [1] * 10 + [2] * 10

    async def test_positions_rise_across_the_loss_of_the_server(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await events.settle()
        await self._lose_everything(world)
        await outbox.commit([], [post(2)])
        await events.settle()
        assert max(event.position for event in seen.events if event.message.version == 1) < seen.events[-1].position
        assert seen.events[0].position < seen.events[-1].position

    async def test_a_process_starts_and_commits_while_the_server_is_away(self, world: World) -> None:
        await world.server.kill()
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        assert seen.numbers() == []
        await world.server.start()
        await events.settle()
        assert seen.numbers() == [1]

    async def test_what_does_not_fit_into_memory_while_the_server_is_away_follows_in_order(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen, shards=1)
        events, outbox = await world.publisher(replace(BRISK, queue=10), shards=1)
        await outbox.commit([], [post(0)])
        await events.settle()
        await world.server.kill()
        for number in range(1, 80):
            await outbox.commit([], [post(number)])
        await world.server.start()
        for number in range(80, 100):
            await outbox.commit([], [post(number)])
        await events.settle()
        assert list(dict.fromkeys(seen.numbers())) == list(range(100))

    async def test_a_bus_that_is_full_makes_events_wait_in_the_outbox(self, world: World) -> None:
        timing = replace(BRISK, backlog=20, batch=5, queue=10, kept=0)
        await world.group("timeline", timing, shards=1)
        events, outbox = await world.publisher(timing, shards=1)
        for number in range(100):
            await outbox.commit([], [post(number)])
        await until_async(lambda: _published(events, 20))
        assert sum(lag.lag for lag in await events.lag()) <= 25
        seen = Seen()
        await world.consumer(seen, timing=timing, shards=1)
        await events.settle()
        assert seen.numbers() == list(range(100))

    # The publisher crashes

    async def test_a_crash_between_write_and_publication_delays_an_event_only(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        await events.settle()
        committed = Event(outbox.ids.next(), 1, PostChanged(version=1), AREA)
        await world.store.write([outbox.tables.put(row_of(outbox, committed))])
        world.clock.advance(BRISK.young_ms + 1)
        await until(lambda: seen.numbers() == [1])

    async def test_a_row_that_appears_late_is_published(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await world.publisher()
        late = Event(outbox.ids.next(), 1, PostChanged(version=1), AREA)
        world.clock.advance(BRISK.late_ms // 2)
        await events.sweep()
        await world.store.write([outbox.tables.put(row_of(outbox, late))])
        await events.sweep()
        world.clock.advance(BRISK.late_ms)
        await until(lambda: seen.numbers() == [1])

    async def test_a_published_event_is_not_swept_again(self, world: World) -> None:
        seen = Seen()
        timing = replace(BRISK, remembered=0)
        await world.consumer(seen, timing=timing)
        events, outbox = await world.publisher(timing)
        await events.settle()
        await outbox.commit([], [post(1)])
        await events.settle()
        world.clock.advance(600_000)
        await events.sweep()
        await events.settle()
        assert seen.numbers() == [1]

    # Intents

    async def test_a_confirmed_intent_is_delivered_once(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await self._with_holds(world, [])
        intent = await outbox.intend(post(1))
        await events.settle()
        assert seen.numbers() == []
        await outbox.confirm(intent)
        await outbox.confirm(intent)
        await events.settle()
        assert seen.numbers() == [1]

    async def test_a_withdrawn_intent_is_never_delivered(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        asked: list[int] = []
        events, outbox = await self._with_holds(world, asked, answer=True)
        await outbox.withdraw(await outbox.intend(post(1)))
        world.clock.advance(600_000)
        await events.sweep()
        await events.settle()
        assert (seen.numbers(), asked) == ([], [])

    async def test_a_crash_after_the_claim_publishes(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        asked: list[int] = []
        events, outbox = await self._with_holds(world, asked, answer=True)
        intent = await outbox.intend(post(1))
        world.clock.advance(BRISK.intent_ms - 1)
        await events.sweep()
        assert asked == []
        world.clock.advance(2)
        await until(lambda: seen.numbers() == [1])
        assert set(asked) == {intent.id}

    async def test_a_crash_before_the_claim_publishes_nothing(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        asked: list[int] = []
        events, outbox = await self._with_holds(world, asked, answer=False)
        intent = await outbox.intend(post(1))
        world.clock.advance(BRISK.intent_ms + 1)
        await until(lambda: asked == [intent.id])
        world.clock.advance(600_000)
        await events.sweep()
        await events.settle()
        assert seen.numbers() == []

    async def test_an_intent_that_cannot_be_settled_yet_is_asked_about_again(self, world: World) -> None:
        seen, answers = Seen(), [RuntimeError("the store is away"), RuntimeError("still away")]
        await world.consumer(seen)

        async def holds(event: Event) -> bool:
            if answers:
                raise answers.pop()
            return True

        events = world.process()
        outbox = events.outbox(AREA, world.store, {PostChanged: holds})
        await events.start()
        await outbox.intend(post(1))
        world.clock.advance(BRISK.late_ms * 2)
        await until(lambda: seen.numbers() == [1])

    async def test_an_intent_that_nobody_could_settle_is_refused(self, world: World) -> None:
        _, outbox = await world.publisher()
        with pytest.raises(ValueError, match="no Holds for PostChanged"):
            await outbox.intend(post(1))

    async def test_a_confirmation_survives_a_crash_while_the_server_is_away(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await self._with_holds(world, [], answer=False)
        await outbox.commit([], [post(0)])
        await events.settle()
        await world.server.kill()
        await outbox.commit([], [post(1)])
        await until(lambda: not all(relay.flowing for relay in outbox.relays))
        await outbox.confirm(await outbox.intend(post(2)))
        await events.abort()
        await world.server.start()
        successor, _ = await world.publisher()
        world.clock.advance(BRISK.intent_ms + 1)
        await successor.settle()
        await until(lambda: {1, 2} <= set(seen.numbers()))

    # Trimming

    async def test_trimming_keeps_what_a_group_has_not_handled(self, world: World) -> None:
        timing = replace(BRISK, kept=0)
        await world.group("search", timing)
        fast, slow = Seen(), Seen()
        await world.consumer(fast, "timeline", timing)
        events, outbox = await world.publisher(timing)
        for number in range(100):
            await outbox.commit([], [post(number, key=number % 5)])
        await until(lambda: len(fast.events) == 100)
        await events.sweep()
        await world.consumer(slow, "search", timing)
        await events.settle()
        assert sorted(slow.numbers()) == list(range(100))

    async def test_what_every_group_has_handled_is_trimmed(self, world: World) -> None:
        timing, seen = replace(BRISK, kept=5), Seen()
        await world.consumer(seen, timing=timing, shards=1)
        events, outbox = await world.publisher(timing, shards=1)
        for number in range(100):
            await outbox.commit([], [post(number)])
        await events.settle()
        await until_async(lambda: _shorter(outbox, 7))

    async def test_without_any_group_the_bus_stays_small(self, world: World) -> None:
        timing = replace(BRISK, kept=5)
        _, outbox = await world.publisher(timing, shards=1)
        for number in range(100):
            await outbox.commit([], [post(number)])
        await until_async(lambda: _shorter(outbox, 7))

    # Live tails

    async def test_every_tail_sees_every_new_event_and_no_old_one(self, world: World) -> None:
        events, outbox = await world.publisher()
        await outbox.commit([], [post(0)])
        await events.settle()
        tails = [Seen(), Seen()]
        processes = [world.process(), world.process()]
        for process, seen in zip(processes, tails, strict=True):
            process.tail(AREA, {PostChanged: seen})
            await process.start()
        for number in range(1, 30):
            await outbox.commit([], [post(number)])
        for process in processes:
            await process.settle()
        await events.settle()
        await until(lambda: all(seen.numbers() == list(range(1, 30)) for seen in tails))

    @pytest.mark.parametrize("wiped", [False, True])
    async def test_a_tail_goes_on_after_the_server_crashes(self, world: World, wiped: bool) -> None:
        seen = Seen()
        process = world.process()
        process.tail(AREA, {PostChanged: seen})
        await process.start()
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await until(lambda: 1 in seen.numbers())
        await (self._lose_everything(world) if wiped else self._crash(world))
        await outbox.commit([], [post(2)])
        await events.settle()
        await until(lambda: 2 in seen.numbers())

    async def test_a_tail_survives_a_handler_that_fails(self, world: World) -> None:
        seen = Seen()

        async def handler(event: Event) -> None:
            if event.message.version == 1:
                raise RuntimeError("broken")
            await seen(event)

        process = world.process()
        process.tail(AREA, {PostChanged: handler})
        outbox = process.outbox(AREA, world.store)
        await process.start()
        await outbox.commit([], [post(1)])
        await outbox.commit([], [post(2)])
        await process.settle()
        assert seen.numbers() == [2]

    # Settling and lag

    async def test_settle_waits_for_events_that_handlers_publish(self, world: World) -> None:
        process, seen = world.process(), Seen()
        likes_store = await open_store("sqlite::memory:", "likes", world.clock)
        await likes_store.create(OUTBOX_TABLES)
        posts = process.outbox(AREA, world.store)
        likes = process.outbox("likes", likes_store)

        async def answer(event: Event) -> None:
            await likes.commit([], [NewEvent(LikeChanged(post_id=event.key), event.key)])

        async def settle_down(event: Event) -> None:
            if event.message.post_id < 20:
                await posts.commit([], [post(0, key=event.key + 1)])
            await seen(event)

        process.subscribe("engagement", AREA, {PostChanged: answer})
        process.subscribe("media", "likes", {LikeChanged: settle_down})
        await process.start()
        await posts.commit([], [post(0, key=0)])
        await process.settle()
        assert [event.key for event in seen.events] == list(range(21))
        await likes_store.close()

    async def test_settle_names_what_does_not_settle(self, world: World) -> None:
        async def never_ends(event: Event) -> None:
            await asyncio.Event().wait()

        await world.consumer(never_ends)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        with pytest.raises(TimeoutError, match="timeline lags 0 and holds 1"):
            await events.settle(0.5)

    async def test_lag_counts_what_a_group_has_not_been_given(self, world: World) -> None:
        await world.group("timeline", shards=1)
        events, outbox = await world.publisher(shards=1)
        for number in range(5):
            await outbox.commit([], [post(number)])
        await until_async(lambda: _published(events, 5))
        world.clock.advance(1234)
        [lag] = await events.lag()
        assert (lag.area, lag.group, lag.shard) == (AREA, "timeline", 0)
        assert (lag.lag, lag.pending, lag.oldest_age_ms) == (5, 0, 1234)

    async def test_lag_counts_what_is_being_handled_as_pending(self, world: World) -> None:
        release = asyncio.Event()

        async def held(event: Event) -> None:
            await release.wait()

        await world.consumer(held, shards=1)
        events, outbox = await world.publisher(shards=1)
        for number in range(3):
            await outbox.commit([], [post(number)])
        await until_async(lambda: _pending(events, 3))
        world.clock.advance(700)
        [lag] = await events.lag()
        assert (lag.lag, lag.pending, lag.oldest_age_ms) == (0, 3, 700)
        release.set()
        await events.settle()
        [lag] = await events.lag()
        assert (lag.lag, lag.pending, lag.oldest_age_ms) == (0, 0, 0)

    async def _with_holds(self, world: World, asked: list[int], answer: bool = False) -> tuple[Events, ServiceOutbox]:
        async def holds(event: Event) -> bool:
            asked.append(event.id)
            return answer

        events = world.process()
        outbox = events.outbox(AREA, world.store, {PostChanged: holds})
        await events.start()
        return events, outbox

    async def _crash(self, world: World) -> None:
        await world.server.kill()
        await world.server.start()

    async def _lose_everything(self, world: World) -> None:
        await world.server.kill()
        world.server.wipe()
        await world.server.start()


def row_of(outbox: ServiceOutbox, event: Event) -> OutboxRow:
    """The row under which a commit keeps this event."""
    shard = outbox.shard_of(event.key)
    payload = event.message.SerializeToString()
    return OutboxRow(event.id, shard, type_name(type(event.message)), event.key, payload, State.COMMITTED)


async def _published(events: Events, count: int) -> bool:
    return sum(lag.lag for lag in await events.lag()) >= count


async def _pending(events: Events, count: int) -> bool:
    return sum(lag.pending for lag in await events.lag()) == count


async def _shorter(outbox: ServiceOutbox, length: int) -> bool:
    states = [await relay.state() for relay in outbox.relays]
    return all(0 < state.length <= length for state in states)
