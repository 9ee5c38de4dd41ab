"""The edge's side: a stream goes on for as long as its reader may have it, and no account has too many."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from mesh.auth.caller import Caller
from mesh.clock import Clock
from mesh.errors import Code, Problem, exhausted
from mesh.live.hub import End
from mesh.rpc.checks import SessionCheck

Message = TypeVar("Message")
Read = TypeVar("Read", contravariant=True)
Shown = TypeVar("Shown", covariant=True)
RECHECK_S = 0.8
"""How often a stream's right is asked about. With facts up to a second old, one that is lost ends it within two
seconds."""


class View(Protocol[Read, Shown]):
    """What a surface makes of one stream."""

    async def recheck(self) -> tuple[Sequence[Shown], bool]:
        """Ask the law again: what to tell of that which was lost, and whether anything is left to watch."""

    async def show(self, message: Read) -> Shown | None:
        """A message as the public sees it, or None where this reader may not."""

    def end(self, why: End) -> Shown:
        """The last message, with the cursor of the one before it."""


class Guard:
    """Runs the streams of this process. ``check_session`` raises UNAUTHENTICATED for a session that was ended;
    ``per_account`` streams may be open at a time."""

    def __init__(
        self,
        clock: Clock,
        check_session: SessionCheck,
        per_account: int,
        every_s: float = RECHECK_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._check_session = clock, check_session
        self._per_account, self._every_s, self._monotonic = per_account, every_s, monotonic
        self._open: Counter[int] = Counter()

    async def run(
        self, caller: Caller, upstream: AsyncGenerator[Message], view: View[Message, Shown]
    ) -> AsyncGenerator[Shown]:
        """What the view shows of a stream that a service began. Token, session and law are asked about every
        ``every_s`` seconds, and before the next message where that is later; then a stream that lost its right
        ends, saying why. Raises STREAM_LIMIT; what a recheck raises ends the stream as well."""
        due = self._monotonic() + self._every_s
        with self._place(caller.user_id):
            async with contextlib.aclosing(_ticking(upstream, lambda: due - self._monotonic())) as messages:
                async for message in messages:
                    if self._monotonic() >= due or message is None:
                        due = self._monotonic() + self._every_s
                        why = await self._not_admitted(caller)
                        lost, left = ((), True) if why else await view.recheck()
                        for each in lost:
                            yield each
                        if why or not left:
                            yield view.end(why or End.NOT_VISIBLE)
                            return
                    if message is not None and (shown := await view.show(message)) is not None:
                        yield shown

    @contextlib.contextmanager
    def _place(self, account_id: int) -> Iterator[None]:
        if self._open[account_id] >= self._per_account:
            told = f"{self._per_account} streams of this account are open: end one before you begin another"
            raise exhausted("STREAM_LIMIT", told)
        self._open[account_id] += 1
        try:
            yield
        finally:
            self._open[account_id] -= 1
            if not self._open[account_id]:
                del self._open[account_id]

    async def _not_admitted(self, caller: Caller) -> End | None:
        """Why this caller would not be let in now. The token comes first: without it nothing can be asked."""
        if caller.expire_time_ms <= self._clock.now_ms():
            return End.TOKEN_EXPIRED
        try:
            if asking := self._check_session(caller):
                await asking
        except Problem as problem:
            if problem.code is not Code.UNAUTHENTICATED:
                raise
            return End.SESSION_ENDED
        return None


async def _ticking(stream: AsyncGenerator[Message], left: Callable[[], float]) -> AsyncGenerator[Message | None]:
    """The stream's messages, and None whenever none came for the seconds that are ``left``."""
    waiting: asyncio.Task[Message] | None = None

    async def step() -> Message:
        return await anext(stream)

    try:
        while True:
            waiting = waiting or asyncio.create_task(step())
            done, _ = await asyncio.wait([waiting], timeout=max(0.0, left()))
            if not done:
                yield None
                continue
            finished, waiting = waiting, None
            try:
                message = finished.result()
            except StopAsyncIteration:
                return
            yield message
    finally:
        if waiting:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await stream.aclose()
