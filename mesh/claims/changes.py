"""One change of a compare-and-set row together with the event that tells of it.

No batch can hold a compare-and-set and an outbox row, so a change goes in steps, and each may be the
last that its process takes:

1. the events that the row is about to forget are *kept*: certain for good (:meth:`Outbox.keep`);
2. an *intent* goes into the outbox;
3. the row is claimed: one compare-and-set from version n to n + 1, which notes the intent's id;
4. what is derived from the row is brought in line with it *as it stands* at the end of doing so;
5. the event is confirmed, so it is published.

What a process leaves, the sweep finishes: it asks the service whether the row names the intent's id
(``Holds``), which brings in line first, and publishes where it does.

**When a read-back decides.** A claim that was answered with ``TimedOut`` may be in the row, may never
be, and may appear later: on SQLite it waits in a thread's queue, on Cassandra in a coordinator's. So

* the row names the event: it is ours, whatever we were told;
* the row has reached the version that we wanted and names another event for it: ours can never be
  applied any more. It is withdrawn;
* the row has gone so far that it names no event for that version: the one who made it forget kept
  the event first, if it was ours. It is left to the sweep, and we look again;
* otherwise nothing is decided: it is left to the sweep, and the caller hears ``TimedOut``.

The sweep withdraws an intent only once its claim can no longer appear: claims are sent within
``CLAIM_S`` of their intent, and no engine applies one later than ``LATE_S`` after its deadline
(:mod:`mesh.storage.contract`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

import structlog

from mesh import deadline
from mesh.errors import Code, Problem
from mesh.events import Event, NewEvent, Outbox
from mesh.storage import Outcome, StorageError, TimedOut

_log = structlog.get_logger("claims")
CLAIM_S = 20.0
"""Seconds within which a claim follows its intent, or is not sent."""
ATTEMPTS = 20
"""Times a change is tried again after another came in between."""
_NO_EVENT = 0


class State(Protocol):
    """One version of a claim's row."""

    @property
    def version(self) -> int:
        """Rises by one with every change. 0: there is no row yet."""

    @property
    def event_ids(self) -> tuple[int, ...]:
        """The events that made its latest versions, the newest last; at least one where there is a row."""


S = TypeVar("S", bound=State)
R = TypeVar("R")
Read = Callable[[], Awaitable[S]]
"""The row as it stands, read linearizably."""
Write = Callable[[S], Awaitable[Outcome]]
"""The compare-and-set that makes this the row, where it was at the version before."""
Step = Callable[[S, int], S | None]
"""The state after a change by the event with this id; None where there is nothing to change. Pure: it is
called with the id 0 first. What it raises, the change raises."""
Align = Callable[[S], Awaitable[R]]
"""Brings what is derived from a row in line with it. May be repeated."""


class Claims(Generic[S]):
    """Changes rows of one table. ``announce`` makes the event that tells of a state, before and after."""

    def __init__(self, outbox: Outbox, write: Write[S], announce: Callable[[S, S], NewEvent]) -> None:
        self._outbox, self._write, self._announce = outbox, write, announce
        self._finishing: set[asyncio.Task[Any]] = set()

    async def change(self, read: Read[S], step: Step[S], align: Align[S, R], repeat: Align[S, R] | None = None) -> R:
        """Change a row; what ``align`` answers. May be repeated: where nothing is left to change, ``repeat``
        (else ``align``) is asked, since an earlier call may have died after its claim.

        Raises CONFLICT where others keep changing it, what ``step`` raises, and what the store raises:
        after ``TimedOut`` the change may have been made, or be made later.
        """
        for _ in range(ATTEMPTS):
            before = await read()
            draft = step(before, _NO_EVENT)
            if draft is None:
                return await (repeat or align)(before)
            with deadline.limit(CLAIM_S):
                event = await self._intend(before, draft)
                after = step(before, event.id) or draft
                made = await self._claim(read, after, event)
            if made:
                return await self._finish(after, event, align)
        raise Problem(Code.ABORTED, "CONFLICT", "this is being changed elsewhere; try again", retry_after_ms=200)

    async def repair(self, state: S, align: Align[S, R]) -> R:
        """Bring in line what a row's last change may have left. An intent goes first, which makes the sweep
        do so should this end halfway."""
        event = await self._outbox.intend(self._announce(state, state))
        result = await align(state)
        await self._outbox.withdraw(event)
        return result

    async def _intend(self, before: S, draft: S) -> Event:
        fact = self._announce(before, draft)
        for event_id in set(before.event_ids) - set(draft.event_ids):
            await self._outbox.keep(event_id, fact.key)
        return await self._outbox.intend(fact)

    async def _claim(self, read: Read[S], after: S, event: Event) -> bool:
        """Whether the row is now ``after``, by this event; False: look again. Raises TimedOut where that
        is not certain."""
        unknown: TimedOut | None = None
        try:
            if (await self._write(after)).applied:
                return True
        except TimedOut as error:
            unknown = error
        # Refused is not lost: on Cassandra somebody else may have completed our round.
        found = await self._read_back(read, unknown)
        if event.id in found.event_ids:
            return True
        if unknown and found.version < after.version:
            raise unknown
        if found.version - len(found.event_ids) < after.version:
            await self._outbox.withdraw(event)
        return False

    async def _read_back(self, read: Read[S], unknown: TimedOut | None) -> S:
        try:
            return await read()
        except StorageError as error:
            raise unknown or error from error

    async def _finish(self, after: S, event: Event, align: Align[S, R]) -> R:
        """Once claimed it happens whole, whether or not the caller still waits."""
        work = asyncio.create_task(self._align(after, event, align))
        self._finishing.add(work)
        work.add_done_callback(self._finished)
        return await asyncio.shield(work)

    async def _align(self, after: S, event: Event, align: Align[S, R]) -> R:
        result = await align(after)
        with contextlib.suppress(StorageError):  # It is certain already: the sweep publishes it.
            await self._outbox.confirm(event)
        return result

    def _finished(self, work: asyncio.Task[Any]) -> None:
        self._finishing.discard(work)
        if not work.cancelled() and (error := work.exception()):
            _log.debug("a claim's change is left to the sweep", error=repr(error))
