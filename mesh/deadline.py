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

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


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


@contextmanager
def limit(seconds: float | None) -> Iterator[None]:
    """Run a block under a deadline ``seconds`` from now, or the one in force if that is sooner."""
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


async def run(seconds: float | None, work: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Await ``work(*arguments)`` for at most ``seconds``; raises :class:`DeadlineExceeded` and cancels it then.

    Where the deadline in force is sooner, whoever set that one keeps it, and nothing is added here.
    """
    left = remaining()
    if seconds is None or (left is not None and left <= seconds):
        return await work(*arguments)
    token = _deadline.set(time.monotonic() + seconds)
    try:
        async with asyncio.timeout(seconds) as timer:
            return await work(*arguments)
    except TimeoutError:
        if timer.expired():
            raise DeadlineExceeded from None
        raise
    finally:
        _deadline.reset(token)


async def bounded(work: Awaitable[T]) -> T:
    """Await ``work`` for what is left of the deadline in force; raises :class:`DeadlineExceeded` then."""
    left = remaining()
    if left is None:
        return await work
    try:
        async with asyncio.timeout(left) as timer:
            return await work
    except TimeoutError:
        if timer.expired():
            raise DeadlineExceeded from None
        raise
