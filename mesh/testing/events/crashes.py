"""The server crashes; the publisher crashes."""

from __future__ import annotations

from dataclasses import replace

from tintype.events.v1.media_pb2 import PostChanged

from mesh.events import Event
from mesh.testing.events.world import (
    AREA,
    BRISK,
    Seen,
    World,
    lose_everything,
    post,
    published_count,
    row_of,
    until,
    until_async,
)


class Crashes:
    """Promises about a server or a publisher that crashes."""

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
        await until_async(lambda: published_count(events, 30))
        await lose_everything(world)
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
        await lose_everything(world)
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
        await lose_everything(world)
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
        await lose_everything(world)
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
        await until_async(lambda: published_count(events, 20))
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
