"""Events that are announced before their claim."""

from __future__ import annotations

import pytest
from tintype.events.v1.media_pb2 import PostChanged

from mesh.events import Event
from mesh.testing.events.world import (
    AREA,
    BRISK,
    Seen,
    World,
    post,
    until,
    with_holds,
)


class Intents:
    """Promises about events that are announced before their claim."""

    async def test_a_confirmed_intent_is_delivered_once(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        events, outbox = await with_holds(world, [])
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
        events, outbox = await with_holds(world, asked, answer=True)
        await outbox.withdraw(await outbox.intend(post(1)))
        world.clock.advance(600_000)
        await events.sweep()
        await events.settle()
        assert (seen.numbers(), asked) == ([], [])

    async def test_a_crash_after_the_claim_publishes(self, world: World) -> None:
        seen = Seen()
        await world.consumer(seen)
        asked: list[int] = []
        events, outbox = await with_holds(world, asked, answer=True)
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
        events, outbox = await with_holds(world, asked, answer=False)
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
        events, outbox = await with_holds(world, [], answer=False)
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
