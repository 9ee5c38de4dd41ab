"""Dead letters when the server loses everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mesh.errors import unavailable
from mesh.events.bus import Bus, stream_of
from mesh.events.dead_letter_table import DEAD_LETTERS
from mesh.events.errors import BusNotReady
from mesh.events.events import Events
from mesh.storage import Row, TableSpec, Unavailable
from mesh.testing.events.world import (
    AREA,
    BRISK,
    SWEPT_BY_HAND,
    Failing,
    World,
    by_id,
    crash,
    dead_letter,
    lose_everything,
    post,
    settle,
    until,
)


class DeadLettersOutliveTheBus:
    """Promises about dead letters when the server loses everything."""

    @pytest.mark.parametrize("running", [False, True])
    async def test_dead_letters_survive_the_loss_of_everything(self, world: World, running: bool) -> None:
        handler = Failing()
        consumer = await world.consumer(handler)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(number, key=number) for number in range(5)])
        await settle(events, consumer)
        letters = await consumer.dead_letters(AREA, "timeline")
        assert len(letters) == 5
        await self._pass_over(world, events)
        await (world.server.flush() if running else lose_everything(world))
        await settle(events, consumer)
        assert by_id(await consumer.dead_letters(AREA, "timeline")) == by_id(letters)
        assert handler.tries == 5 * BRISK.tries
        handler.error = None
        assert await consumer.replay(*(letter.id for letter in letters[1:])) == 4
        assert await consumer.discard(letters[0].id) == 1
        await settle(events, consumer)
        assert {event.id for event in handler.events} == {letter.event_id for letter in letters[1:]}
        assert await consumer.dead_letters(AREA, "timeline") == []

    async def test_dead_letters_survive_one_loss_after_another(self, world: World) -> None:
        consumer = await world.consumer(Failing(error=lambda: ValueError("\0 and \ud800")))
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        letters = await consumer.dead_letters(AREA, "timeline")
        await self._pass_over(world, events)
        for _ in range(3):
            await world.server.flush()
            await settle(events, consumer)
        assert await consumer.dead_letters(AREA, "timeline") == letters
        assert len(letters) == 1

    async def test_a_discarded_dead_letter_does_not_come_back(self, world: World) -> None:
        consumer = await world.consumer(Failing())
        events, outbox = await world.publisher()
        await outbox.commit([], [post(number, key=number) for number in range(4)])
        await settle(events, consumer)
        await self._pass_over(world, events)
        discarded, *kept = await consumer.dead_letters(AREA, "timeline")
        assert await consumer.discard(discarded.id) == 1
        await events.sweep()
        await lose_everything(world)
        await settle(events, consumer)
        assert by_id(await consumer.dead_letters(AREA, "timeline")) == by_id(kept)

    async def test_a_dead_letter_whose_replay_succeeded_does_not_come_back(self, world: World) -> None:
        handler = Failing()
        consumer = await world.consumer(handler)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(number, key=number) for number in range(4)])
        await settle(events, consumer)
        await self._pass_over(world, events)
        replayed, *kept = await consumer.dead_letters(AREA, "timeline")
        handler.error = None
        assert await consumer.replay(replayed.id) == 1
        await settle(events, consumer)
        await events.sweep()
        await lose_everything(world)
        await settle(events, consumer)
        assert by_id(await consumer.dead_letters(AREA, "timeline")) == by_id(kept)
        assert [event.id for event in handler.events] == [replayed.event_id]

    @pytest.mark.parametrize("checkpoint_before", [False, True])
    async def test_an_event_that_is_lost_during_its_replay_is_a_dead_letter_again(
        self, world: World, checkpoint_before: bool
    ) -> None:
        handler = Failing(error=lambda: unavailable("graph"))
        consumer = await world.consumer(handler)
        events, outbox = await world.publisher(SWEPT_BY_HAND)
        await outbox.commit([], [post(1)])
        await until(lambda: handler.tries > 2)
        await self._pass_over(world, events)
        handler.error = RuntimeError
        await settle(events, consumer)
        if checkpoint_before:
            await events.sweep()
        [letter] = await consumer.dead_letters(AREA, "timeline")
        handler.error = lambda: unavailable("graph")
        tries = handler.tries
        assert await consumer.replay(letter.id) == 1
        await until(lambda: handler.tries > tries + 2)
        assert await consumer.dead_letters(AREA, "timeline") == []
        assert (await consumer.replay(letter.id), await consumer.discard(letter.id)) == (0, 0)
        await self._pass_over(world, events)
        await consumer.abort()
        await lose_everything(world)
        handler.error = None
        consumer = await world.consumer(handler)
        await events.sweep()
        await settle(events, consumer)
        assert (await consumer.dead_letters(AREA, "timeline"), handler.events) == ([letter], [])
        assert await consumer.replay(letter.id) == 1
        await settle(events, consumer)
        assert handler.numbers() == [1]

    async def test_a_replay_that_fails_again_is_one_dead_letter(self, world: World) -> None:
        consumer = await world.consumer(Failing())
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        [before] = await consumer.dead_letters(AREA, "timeline")
        assert await consumer.replay(before.id) == 1
        await settle(events, consumer)
        [after] = await consumer.dead_letters(AREA, "timeline")
        assert (after.event_id, after.id == before.id) == (before.event_id, False)
        await self._pass_over(world, events)
        await lose_everything(world)
        await settle(events, consumer)
        assert await consumer.dead_letters(AREA, "timeline") == [after]

    async def test_an_event_given_up_after_the_last_checkpoint_is_not_lost(self, world: World) -> None:
        handler = Failing(error=lambda: unavailable("graph"))
        consumer = await world.consumer(handler)
        events, outbox = await world.publisher(SWEPT_BY_HAND)
        [event] = await outbox.commit([], [post(1)])
        await until(lambda: handler.tries > 2)
        await self._pass_over(world, events)
        handler.error = RuntimeError
        await settle(events, consumer)
        assert len(await consumer.dead_letters(AREA, "timeline")) == 1
        await lose_everything(world)
        await events.sweep()
        await settle(events, consumer)
        assert [letter.event_id for letter in await consumer.dead_letters(AREA, "timeline")] == [event.id]

    async def test_no_position_passes_over_a_dead_letter_that_the_store_does_not_hold(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put = world.store.put

        async def refuse(table: TableSpec, row: Row, ttl: timedelta | None = None) -> None:
            if table is DEAD_LETTERS:
                raise Unavailable("no room")
            await put(table, row, ttl)

        consumer = await world.consumer(Failing())
        events, outbox = await world.publisher(SWEPT_BY_HAND)
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        letters = await consumer.dead_letters(AREA, "timeline")
        with monkeypatch.context() as patch:
            patch.setattr(world.store, "put", refuse)
            with pytest.raises(Unavailable):
                await self._pass_over(world, events)
        await lose_everything(world)
        await events.sweep()
        await settle(events, consumer)
        found = await consumer.dead_letters(AREA, "timeline")
        assert [letter.event_id for letter in found] == [letter.event_id for letter in letters]

    async def test_an_event_that_is_given_up_again_after_the_loss_is_one_dead_letter(self, world: World) -> None:
        handler = Failing()
        consumer = await world.consumer(handler)
        events, outbox = await world.publisher()
        [event] = await outbox.commit([], [post(1)])
        await settle(events, consumer)
        await events.sweep()
        await lose_everything(world)
        await until(lambda: handler.tries == 2 * BRISK.tries)
        await settle(events, consumer)
        assert [letter.event_id for letter in await consumer.dead_letters(AREA, "timeline")] == [event.id]

    async def test_a_rebuild_that_is_begun_again_puts_each_dead_letter_back_once(self, world: World) -> None:
        stream, bus = stream_of(AREA, 0), Bus(world.server.url, BRISK)
        letters = [dead_letter(number) for number in range(1, 6)]
        assert await bus.begin_rebuild(stream, "builder", ["timeline"])
        await bus.dead.restore(stream, "timeline", "builder", letters[:3])
        await crash(world)
        with pytest.raises(BusNotReady):
            await bus.dead.restore(stream, "timeline", "builder", letters[3:])
        assert await bus.begin_rebuild(stream, "builder", ["timeline"])
        await bus.dead.restore(stream, "timeline", "builder", letters)
        await bus.finish_rebuild(stream, "builder")
        assert await bus.dead.newest(stream, "timeline", 10) == letters[::-1]
        await bus.close()

    async def test_the_newest_dead_letters_are_kept_up_to_the_bound(self, world: World) -> None:
        timing = replace(BRISK, dead_letters=3)
        consumer = await world.consumer(Failing(), timing=timing, shards=1)
        events, outbox = await world.publisher(timing, shards=1)
        committed = [(await outbox.commit([], [post(number)]))[0] for number in range(8)]
        await settle(events, consumer)
        await self._pass_over(world, events)
        letters = await consumer.dead_letters(AREA, "timeline")
        await lose_everything(world)
        await settle(events, consumer)
        assert await consumer.dead_letters(AREA, "timeline") == letters
        assert {letter.event_id for letter in letters} == {event.id for event in committed[-3:]}

    async def test_the_dead_letters_of_a_group_that_was_removed_are_forgotten(self, world: World) -> None:
        consumer = await world.consumer(Failing())
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        await self._pass_over(world, events)
        await consumer.stop()
        await events.remove_group(AREA, "timeline")
        assert await events.dead_letters(AREA, "timeline") == []
        for relay in outbox.relays:
            assert [page async for page in outbox.tables.dead_letters.walk(relay.shard, "timeline")] == []
        await lose_everything(world)
        await world.group("timeline")
        await events.sweep()
        assert await events.dead_letters(AREA, "timeline") == []

    async def _pass_over(self, world: World, events: Events) -> None:
        """Let checkpoints pass until the groups' positions are behind everything published so far."""
        for _ in range(3):
            world.clock.advance(300_000)
            await events.sweep()
