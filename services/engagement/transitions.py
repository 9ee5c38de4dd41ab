"""One change of a compare-and-set claim together with its event: intent, claim, then the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mesh.events import Event, NewEvent, Outbox
from mesh.storage import Outcome, Row, TimedOut

ATTEMPTS = 5
"""Times a change is tried again after another device of the same person came in between."""


async def attempt(
    outbox: Outbox,
    fact: NewEvent,
    claim: Callable[[int], Awaitable[Outcome]],
    holder: Callable[[], Awaitable[int | None]],
) -> Event | None:
    """Announce ``fact`` and claim it: the event to confirm, or None where another change came first.

    ``claim`` takes the event's id into the row; ``holder`` reads it back. Where the outcome is unknown
    the intent stays, for the sweep to settle, and :class:`TimedOut` is raised.
    """
    intent = await outbox.intend(fact)
    try:
        outcome = await claim(intent.id)
    except TimedOut:
        if await holder() != intent.id:
            raise
        return intent
    if outcome.applied or _holds(outcome.current, intent.id):
        return intent
    await outbox.withdraw(intent)
    return None


def _holds(row: Row | None, event_id: int) -> bool:
    return row is not None and row["event_id"] == event_id
