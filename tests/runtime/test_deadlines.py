"""A caller's deadline holds for all that is done on its behalf."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mesh import deadline
from mesh.errors import Code, Problem
from mesh.rpc.call import Call
from tests.runtime.trial_service import AskRequest, AskResponse, Door, until

LONG = 30.0
ROUNDED = 1.05
"""gRPC rounds a deadline up, by less than this, to the few digits that it sends."""


class Stuck:
    """A handler that never answers, and what becomes of it."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def answer(self, request: Any, call: Call) -> AskResponse:
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return AskResponse()

    async def stream(self, request: Any, call: Call) -> AsyncIterator[AskResponse]:
        yield AskResponse(text="first")
        await self.answer(request, call)


async def expired(waiting: Any) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(Problem) as caught:
            await waiting
    assert (caught.value.code, caught.value.reason) == (Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


async def test_call_ends_at_the_callers_deadline_and_its_work_is_cancelled(door: Door) -> None:
    stuck = Stuck()
    door.trial.answer = stuck.answer
    await expired(door.stub.Ask(AskRequest(), timeout=0.1))
    await asyncio.wait_for(stuck.cancelled.wait(), 5)


async def test_call_without_a_deadline_ends_at_the_rules(door: Door) -> None:
    stuck = Stuck()
    door.trial.answer = stuck.answer
    await expired(door.stub.Brief(AskRequest()))
    await asyncio.wait_for(stuck.cancelled.wait(), 5)


@pytest.mark.parametrize("method", ["Watch", "BriefWatch"])
async def test_stream_ends_at_its_deadline_and_its_work_is_cancelled(door: Door, method: str) -> None:
    stuck = Stuck()
    door.trial.stream = stuck.stream
    timeout = {"timeout": 0.1} if method == "Watch" else {}
    messages = getattr(door.stub, method)(AskRequest(), **timeout)
    assert (await anext(messages)).text == "first"
    await expired(anext(messages))
    await asyncio.wait_for(stuck.cancelled.wait(), 5)


async def test_handler_sees_what_is_left_of_the_callers_time(door: Door) -> None:
    left: list[float | None] = []

    async def answer(request: Any, call: Call) -> AskResponse:
        left.append(deadline.remaining())
        return AskResponse()

    door.trial.answer = answer
    await door.stub.Ask(AskRequest(), timeout=LONG)
    assert left[0] is not None
    assert 0 < left[0] <= LONG * ROUNDED


async def test_calls_of_a_handler_take_what_is_left_and_never_more(door: Door) -> None:
    left: dict[str, float | None] = {}

    async def answer(request: Any, call: Call) -> AskResponse:
        left[request.text] = deadline.remaining()
        if request.text == "outer":
            await door.stub.Ask(AskRequest(text="looser"), timeout=LONG * 10)
            await door.stub.Ask(AskRequest(text="tighter"), timeout=LONG / 10)
            left["after"] = deadline.remaining()
        return AskResponse()

    door.trial.answer = answer
    await door.stub.Ask(AskRequest(text="outer"), timeout=LONG)
    outer, looser, tighter, after = (left[name] or 0.0 for name in ("outer", "looser", "tighter", "after"))
    assert LONG / 10 * ROUNDED < looser <= outer * ROUNDED
    assert tighter <= LONG / 10 * ROUNDED
    assert tighter < after <= outer


async def test_inner_call_that_hangs_ends_with_the_outer_deadline(door: Door) -> None:
    stuck = Stuck()

    async def answer(request: Any, call: Call) -> AskResponse:
        if request.text == "inner":
            return await stuck.answer(request, call)
        return await door.stub.Ask(AskRequest(text="inner"), timeout=LONG)  # type: ignore[no-any-return]

    door.trial.answer = answer
    await expired(door.stub.Ask(AskRequest(text="outer"), timeout=0.3))
    await asyncio.wait_for(stuck.cancelled.wait(), 5)


async def test_hanging_call_ends_under_a_limit_that_cancels_nothing_itself(door: Door) -> None:
    stuck = Stuck()
    door.trial.answer = stuck.answer
    with deadline.limit(0.1):
        await expired(door.stub.Ask(AskRequest(), timeout=LONG))
    await asyncio.wait_for(stuck.cancelled.wait(), 5)


async def test_nothing_is_sent_when_no_time_is_left(door: Door) -> None:
    with deadline.limit(-1):
        await expired(door.stub.Ask(AskRequest()))
        await expired(anext(door.stub.Watch(AskRequest())))
    await expired(door.stub.Ask(AskRequest(), timeout=0))
    assert door.trial.calls == 0


async def test_caller_that_goes_away_takes_the_work_along(door: Door) -> None:
    stuck = Stuck()
    door.trial.answer = stuck.answer
    caller = asyncio.create_task(door.stub.Ask(AskRequest(), timeout=LONG))
    await asyncio.wait_for(stuck.began.wait(), 5)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await asyncio.wait_for(stuck.cancelled.wait(), 5)


# --- the clock of one task


async def test_limit_only_tightens() -> None:
    with deadline.limit(LONG):
        with deadline.limit(LONG * 10):
            assert deadline.within(LONG * 100) <= LONG
        with deadline.limit(1.0):
            assert deadline.within(LONG) <= 1.0
        assert 1.0 < deadline.within(LONG) <= LONG
    assert deadline.remaining() is None
    assert deadline.within(LONG) == LONG


async def test_run_ends_at_a_sooner_limit_around_it() -> None:
    async with asyncio.timeout(10):
        with deadline.limit(0.05), pytest.raises(deadline.DeadlineExceeded):
            await deadline.run(LONG, asyncio.Event().wait)


async def test_error_of_the_work_passes_through() -> None:
    async def fails() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await deadline.run(LONG, fails)
    with deadline.limit(LONG), pytest.raises(TimeoutError, match="mine"):
        await deadline.bounded(fails())


async def test_deadline_that_has_passed_starts_nothing() -> None:
    with deadline.limit(0), pytest.raises(deadline.DeadlineExceeded):
        deadline.within(LONG)


async def test_work_that_ends_in_time_is_left_alone() -> None:
    async def work(value: int) -> int:
        return value

    assert await deadline.run(LONG, work, 5) == 5
    assert await deadline.run(None, work, 6) == 6
    await until(lambda: deadline.remaining() is None)
