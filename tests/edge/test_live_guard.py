"""A stream goes on for as long as its reader may have it: the guard asks again, whatever happens on the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing

import pytest

from edge.facts.facts import MAX_AGE_S
from mesh.auth.caller import Caller
from mesh.clock import FakeClock
from mesh.errors import Code, Problem, unauthenticated, unavailable
from mesh.live import RECHECK_S, End, Guard

BOUND_S = 10
LIFE_MS = 900_000


class Edge:
    """A guard, and everything that it asks: time, sessions and the law, moved by hand."""

    def __init__(self, every_s: float = 60, per_account: int = 3) -> None:
        self.clock, self.now = FakeClock(), 1000.0
        self.asked, self.visible = 0, True
        self.session: Problem | None = None
        self.closed = 0
        self.guard = Guard(self.clock, self.check, per_account, every_s, lambda: self.now)
        self.expire_ms = self.clock.now_ms() + LIFE_MS

    def check(self, caller: Caller) -> Awaitable[None] | None:
        async def ask() -> None:
            if self.session:
                raise self.session

        return ask()

    async def recheck(self) -> tuple[Sequence[str], bool]:
        self.asked += 1
        return ((), True) if self.visible else (["lost"], False)

    async def show(self, message: str) -> str | None:
        return None if message == "not for this reader" else message

    def end(self, why: End) -> str:
        return f"end: {why}"

    def caller(self, user_id: int = 1) -> Caller:
        return Caller(user_id, 7, frozenset(), frozenset(), self.expire_ms, "")

    def run(self, upstream: AsyncGenerator[str], user_id: int = 1) -> AsyncGenerator[str]:
        return self.guard.run(self.caller(user_id), upstream, self)

    async def numbers(self, many: int = 5) -> AsyncGenerator[str]:
        """A busy stream."""
        try:
            for number in range(many):
                yield str(number)
        finally:
            self.closed += 1

    async def silence(self, before: Sequence[str] = ()) -> AsyncGenerator[str]:
        """A stream of which nothing comes but, where nobody ends it, a message too late."""
        try:
            for message in before:
                yield message
            await asyncio.sleep(1)
            yield "too late"
        finally:
            self.closed += 1


async def all_of(stream: AsyncGenerator[str]) -> list[str]:
    async with asyncio.timeout(BOUND_S), aclosing(stream):
        return [message async for message in stream]


def test_a_right_that_is_lost_ends_a_stream_within_two_seconds() -> None:
    assert RECHECK_S + MAX_AGE_S < 2


async def test_a_stream_is_passed_on_as_the_view_shows_it() -> None:
    edge = Edge()

    async def upstream() -> AsyncGenerator[str]:
        for message in ("one", "not for this reader", "two"):
            yield message

    assert await all_of(edge.run(upstream())) == ["one", "two"]
    assert edge.asked == 0


async def test_a_silent_stream_that_loses_its_right_ends() -> None:
    edge = Edge(every_s=0)
    edge.visible = False
    assert await all_of(edge.run(edge.silence())) == ["lost", "end: NOT_VISIBLE"]
    assert edge.closed == 1


async def test_a_busy_stream_that_loses_its_right_ends_before_the_next_message() -> None:
    edge = Edge()
    stream = edge.run(edge.numbers())
    assert [await anext(stream), await anext(stream)] == ["0", "1"]
    edge.now, edge.visible = edge.now + 60, False
    assert await all_of(stream) == ["lost", "end: NOT_VISIBLE"]
    assert edge.closed == 1


async def test_a_message_does_not_put_off_the_next_recheck() -> None:
    edge = Edge()
    stream = edge.run(edge.silence(before=["first"]))
    assert await anext(stream) == "first"
    edge.now, edge.visible = edge.now + 59.99, False
    assert await all_of(stream) == ["lost", "end: NOT_VISIBLE"]


async def test_a_right_that_holds_is_asked_about_again_and_again() -> None:
    edge = Edge()
    stream = edge.run(edge.numbers())
    for asked in range(5):
        assert await anext(stream) == str(asked)
        assert edge.asked == asked
        edge.now += 60


async def test_a_stream_ends_with_its_token_and_nothing_is_asked_in_its_name() -> None:
    edge = Edge()
    stream = edge.run(edge.numbers())
    edge.clock.advance(LIFE_MS - 1)
    edge.now += 60
    assert [await anext(stream), await anext(stream)] == ["0", "1"]
    edge.clock.advance(1)
    edge.now += 60
    asked = edge.asked
    assert await all_of(stream) == ["end: TOKEN_EXPIRED"]
    assert edge.asked == asked


async def test_a_stream_ends_with_its_session() -> None:
    edge = Edge(every_s=0)
    edge.session = unauthenticated("SESSION_REVOKED", "ended")
    assert await all_of(edge.run(edge.silence())) == ["end: SESSION_ENDED"]


async def test_a_stream_whose_right_cannot_be_asked_about_ends() -> None:
    edge = Edge(every_s=0)
    edge.session = unavailable("accounts")
    with pytest.raises(Problem) as problem:
        await all_of(edge.run(edge.silence()))
    assert problem.value.code is Code.UNAVAILABLE
    assert edge.closed == 1


async def test_an_account_has_so_many_streams_and_no_more() -> None:
    edge = Edge(per_account=2)
    streams = [edge.run(edge.silence(before=["open"])) for _ in range(2)]
    assert [await anext(stream) for stream in streams] == ["open", "open"]
    with pytest.raises(Problem) as problem:
        await anext(edge.run(edge.numbers()))
    assert (problem.value.code, problem.value.reason) == (Code.RESOURCE_EXHAUSTED, "STREAM_LIMIT")
    assert "2 streams" in problem.value.message
    assert await all_of(edge.run(edge.numbers(1), user_id=2)) == ["0"]
    await streams.pop().aclose()
    assert await all_of(edge.run(edge.numbers(1))) == ["0"]
    await streams.pop().aclose()
    assert edge.closed == 4
