"""The deadline of the work under way, carried from call to call by a context variable.

gRPC does not hand a caller's deadline on to the calls its handler makes; this does. The server
sets it when a call arrives, every outgoing call (channel, store, cache, blob) asks
:func:`within` for the seconds it may spend, and a deadline can only be tightened on the way down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_TELLING_S = 0.2
_TELLING_SHARE = 0.1

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_enforced: ContextVar[float | None] = ContextVar("enforced deadline", default=None)
"""The instant at which a :func:`run` around this work cancels it, if one does."""


class DeadlineExceeded(Exception):
    """The time that the caller gave had already run out before this call was sent."""


def remaining() -> float | None:
    """Seconds left for the work under way (may be negative), or None where nobody set a limit."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()


def within(seconds: float) -> float:
    """The seconds an outgoing call may take: ``seconds``, or what is left if that is less.

    Raises :class:`DeadlineExceeded` when nothing is left, so that no work starts in vain.
    """
    left = remaining()
    if left is None:
        return seconds
    if left <= 0:
        raise DeadlineExceeded
    return min(seconds, left)


def early(seconds: float) -> float:
    """A little less than ``seconds`` that a caller waits: time to tell it what happened before it gives up."""
    return seconds - min(_TELLING_S, seconds * _TELLING_SHARE)


@contextmanager
def limit(seconds: float | None) -> Iterator[None]:
    """Run a block under a deadline ``seconds`` from now, or the one in force if that is sooner.

    The calls that the block sends are bounded by it; the block itself is not cancelled.
    """
    if seconds is None:
        yield
        return
    wanted = time.monotonic() + seconds
    current = _deadline.get()
    token = _deadline.set(wanted if current is None else min(wanted, current))
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def own(seconds: float) -> Iterator[None]:
    """Run a block under a deadline of its own, ``seconds`` from now: for a task whose work serves many callers
    and so must not end with the first one's time."""
    deadline, timer = _deadline.set(time.monotonic() + seconds), _enforced.set(None)
    try:
        yield
    finally:
        _deadline.reset(deadline)
        _enforced.reset(timer)


async def run(seconds: float | None, work: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Await ``work(*arguments)`` for at most ``seconds``; raises :class:`DeadlineExceeded` and cancels it then.

    A deadline in force that is sooner holds instead; where a ``run`` further out cancels at that
    instant already, nothing is added here.
    """
    now = time.monotonic()
    until, enforced = _deadline.get(), _enforced.get()
    if seconds is not None and (until is None or now + seconds < until):
        until = now + seconds
    if until is None or (enforced is not None and enforced <= until):
        return await work(*arguments)
    deadline, timer = _deadline.set(until), _enforced.set(until)
    try:
        return await _timed(until - now, work(*arguments))
    finally:
        _deadline.reset(deadline)
        _enforced.reset(timer)


async def bounded(work: Awaitable[T], *, telling: bool = False) -> T:
    """Await ``work`` for what is left of the deadline in force; raises :class:`DeadlineExceeded` then. ``telling``:
    a little earlier, so that there is time to say what was waited for."""
    left = remaining()
    if left is None:
        return await work
    return await _timed(early(left) if telling else left, work)


async def _timed(seconds: float, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(seconds) as timer:
            return await work
    except TimeoutError:
        if timer.expired():
            raise DeadlineExceeded from None
        raise
