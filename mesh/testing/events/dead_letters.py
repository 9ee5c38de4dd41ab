"""Dead letters outlive the bus, and no failure of the store loses or doubles one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mesh.errors import unavailable
from mesh.events import Event
from mesh.events.dead_letters import DEAD_LETTERS
from mesh.events.events import Events
from mesh.storage import Key, Row, TableSpec, TimedOut, Unavailable
from mesh.testing.events.world import (
    AREA,
    BRISK,
    SWEPT_BY_HAND,
    Failing,
    Seen,
    World,
    lose_everything,
    pending_count,
    post,
    settle,
    until,
    until_async,
)

_LEASED = replace(BRISK, lease_s=30.0)
"""A consumer that is never taken for dead, so that a letter tells why the last try failed."""


class DeadLettersOutliveTheBus:
    """Promises about dead letters when the server loses everything or the store fails."""

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
        assert await consumer.dead_letters(AREA, "timeline") == letters
        assert handler.tries == 5 * BRISK.tries
        handler.error = None
        assert await consumer.replay(*(letter.id for letter in letters[1:])) == 4
        assert await consumer.discard(letters[0].id) == 1
        await settle(events, consumer)
        assert {event.id for event in handler.events} == {letter.event_id for letter in letters[1:]}
        assert await consumer.dead_letters(AREA, "timeline") == []

    async def test_an_error_that_no_store_could_keep_is_kept_as_text(self, world: World) -> None:
        consumer = await world.consumer(Failing(error=lambda: ValueError("\0 and \ud800")), timing=_LEASED)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        [letter] = await consumer.dead_letters(AREA, "timeline")
        assert ascii(letter.error) == ascii("ValueError: \ufffd and ?")

    async def test_what_was_discarded_or_handled_does_not_come_back(self, world: World) -> None:
        handler = Failing()
        consumer = await world.consumer(handler)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(number, key=number) for number in range(4)])
        await settle(events, consumer)
        await self._pass_over(world, events)
        discarded, replayed, *kept = await consumer.dead_letters(AREA, "timeline")
        handler.error = None
        assert (await consumer.discard(discarded.id), await consumer.replay(replayed.id)) == (1, 1)
        await settle(events, consumer)
        await lose_everything(world)
        await settle(events, consumer)
        assert await consumer.dead_letters(AREA, "timeline") == kept
        assert {event.id for event in handler.events} == {replayed.event_id}

    async def test_an_event_that_is_lost_during_its_replay_is_still_a_dead_letter(self, world: World) -> None:
        handler = Failing()
        consumer = await world.consumer(handler)
        events, outbox = await world.publisher(SWEPT_BY_HAND)
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        await self._pass_over(world, events)
        [letter] = await consumer.dead_letters(AREA, "timeline")
        handler.error = lambda: unavailable("graph")
        assert await consumer.replay(letter.id) == 1
        await until(lambda: handler.tries > BRISK.tries + 2)
        await consumer.abort()
        await lose_everything(world)
        handler.error = None
        consumer = await world.consumer(handler)
        await events.sweep()
        await settle(events, consumer)
        assert (await consumer.dead_letters(AREA, "timeline"), handler.events) == ([letter], [])
        assert await consumer.replay(letter.id) == 1
        await settle(events, consumer)
        assert (await consumer.dead_letters(AREA, "timeline"), handler.numbers()) == ([], [1])

    async def test_a_replay_that_fails_again_is_one_dead_letter(self, world: World) -> None:
        handler = Failing()
        consumer = await world.consumer(handler, timing=_LEASED)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        [before] = await consumer.dead_letters(AREA, "timeline")
        handler.error = lambda: ValueError("another reason")
        assert await consumer.replay(before.id) == 1
        await settle(events, consumer)
        assert await consumer.dead_letters(AREA, "timeline") == [replace(before, error="ValueError: another reason")]

    async def test_a_replayed_dead_letter_is_kept_out_of_tails(self, world: World) -> None:
        handler, followed = Failing(), Seen()
        consumer = await world.consumer(handler)
        events, outbox = await world.publisher()
        events.tail(AREA, {type(post(1).message): followed})
        await outbox.commit([], [post(0)])
        await until(lambda: bool(followed.events))
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        handler.error = None
        letters = await consumer.dead_letters(AREA, "timeline")
        assert await consumer.replay(*(letter.id for letter in letters)) == len(letters)
        await settle(events, consumer)
        await outbox.commit([], [post(2)])
        await settle(events, consumer)
        assert {*handler.numbers()} == {0, 1, 2}
        assert followed.numbers() == [0, 1, 2]

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

    @pytest.mark.parametrize("error", [Unavailable("no room"), TimedOut("no answer")])
    async def test_an_event_is_held_until_the_store_has_its_letter_and_other_keys_go_on(
        self, world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        put, refused, seen = world.store.put, list[Row](), Seen()

        async def refuse(table: TableSpec, row: Row, ttl: timedelta | None = None) -> None:
            if table is DEAD_LETTERS:
                if isinstance(error, TimedOut):
                    await put(table, row, ttl)
                refused.append(row)
                raise error
            await put(table, row, ttl)

        async def handler(event: Event) -> None:
            if event.key == 1:
                raise RuntimeError("broken")
            await seen(event)

        consumer = await world.consumer(handler, timing=_LEASED, shards=1)
        events, outbox = await world.publisher(shards=1)
        with monkeypatch.context() as patch:
            patch.setattr(world.store, "put", refuse)
            [event] = await outbox.commit([], [post(1, key=1)])
            await until(lambda: bool(refused))
            await outbox.commit([], [post(2, key=2)])
            await until(lambda: seen.numbers() == [2])
            await until_async(lambda: pending_count(consumer, 1))
        await settle(events, consumer)
        assert [letter.event_id for letter in await consumer.dead_letters(AREA, "timeline")] == [event.id]

    async def test_a_replayed_event_is_held_until_its_letter_is_gone(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handler, refused = Failing(), list[Key]()

        async def refuse(table: TableSpec, key: Key) -> None:
            refused.append(key)
            raise Unavailable("no room")

        consumer = await world.consumer(handler)
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        [letter] = await consumer.dead_letters(AREA, "timeline")
        handler.error = None
        with monkeypatch.context() as patch:
            patch.setattr(world.store, "delete", refuse)
            await consumer.replay(letter.id)
            await until(lambda: len(refused) > 1)
            await consumer.abort()
        successor = await world.consumer(handler)
        await until_async(lambda: self._none_left(successor))
        assert set(handler.numbers()) == {1}

    async def test_the_newest_dead_letters_are_kept_up_to_the_bound(self, world: World) -> None:
        timing = replace(BRISK, dead_letters=3)
        consumer = await world.consumer(Failing(), timing=timing, shards=1)
        events, outbox = await world.publisher(timing, shards=1)
        committed = [(await outbox.commit([], [post(number)]))[0] for number in range(8)]
        await settle(events, consumer)
        letters = await consumer.dead_letters(AREA, "timeline")
        assert [letter.event_id for letter in letters] == [event.id for event in reversed(committed[-3:])]
        assert await consumer.dead_letters(AREA, "timeline", 2) == letters[:2]

    async def test_the_dead_letters_of_a_group_that_was_removed_are_forgotten(self, world: World) -> None:
        consumer = await world.consumer(Failing())
        events, outbox = await world.publisher()
        await outbox.commit([], [post(1)])
        await settle(events, consumer)
        await consumer.stop()
        with pytest.raises(ValueError, match="there is no group 'timeline'"):
            await events.dead_letters(AREA, "timeline")
        events.know("timeline", world.store)
        await events.remove_group(AREA, "timeline")
        assert await events.dead_letters(AREA, "timeline") == []

    async def _pass_over(self, world: World, events: Events) -> None:
        """Let checkpoints pass until the groups' positions are behind everything published so far."""
        for _ in range(3):
            world.clock.advance(300_000)
            await events.sweep()

    async def _none_left(self, events: Events) -> bool:
        return not await events.dead_letters(AREA, "timeline")
