"""Exact counts: claims folded into a tally, each state of each claim once, under retries, crashes and many writers.

A tally and the claims it counts are rows of their own, and no write spans two compare-and-set rows. So a
tally's row holds its value together with the last batch of claims that the value includes, and moves by
*folds*:

1. read the tally, and note its batch on the claims: what was counted of each, and in which fold;
2. read the claims that wait; keep those that hold and are not counted, or the reverse;
3. write the value with their differences, the next fold's number and this batch, **if the fold's number
   is still the one read**;
4. note this batch on its claims.

*Invariant*: the value is the number of claims whose counted state is true, where a claim's counted state is
what the tally's batch says of it, else what its row says. Step 3 is one compare-and-set, so value and batch
change together or not at all. Between 1 and 3 no claim's counted state changes unless another fold succeeds,
and then 3 fails. Steps 1 and 4 write what the invariant says already; each expects the mark that its batch
found, so a straggler marks nothing twice. Replay changes nothing.

Claims that arrive for a subject while one fold is under way go together into the next one, so a subject that
everybody counts for costs one write per batch, not one per claim.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from mesh import deadline
from mesh.errors import Code, Problem
from mesh.storage import TimedOut

MAX_BATCH = 128
"""Claims one fold takes in."""
_ATTEMPTS = 12
_FOLD_SECONDS = 5.0
_REMEMBERED = 10_000
S = TypeVar("S", bound=Hashable)
Subject = TypeVar("Subject", bound=Hashable, contravariant=True)
C = TypeVar("C", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Standing(Generic[C]):
    """How a claim stands: whether it holds, and what its row says was counted of it, as of which mark."""

    claim: C
    holds: bool
    counted: bool
    mark: int


@dataclass(frozen=True, slots=True)
class Entry(Generic[C]):
    """A claim as one fold took it in; its mark before and after."""

    claim: C
    holds: bool
    before: int
    after: int


class Tally(Protocol[C]):
    """A count with the number of its last fold and what that took in."""

    @property
    def fold(self) -> int:
        """0: nothing was ever counted."""

    @property
    def entries(self) -> Sequence[Entry[C]]:
        """The batch of the last fold."""

    def folded(self, entries: Sequence[Entry[C]]) -> Any:
        """The tally after one more fold, of these."""


T = TypeVar("T", bound=Tally[Any])


class Book(Protocol[Subject, C, T]):
    """The rows of one kind of count. Raises what the store raises."""

    async def tally(self, subject: Subject, /) -> T:
        """The count of a subject, read linearizably."""

    async def standings(self, claims: Sequence[C], /) -> Sequence[Standing[C]]:
        """How claims stand; those without a row may be left out."""

    async def write_tally(self, tally: T, /) -> bool:
        """Make this the count, where the fold before was the last one; whether it is."""

    async def mark_counted(self, entry: Entry[C], /) -> None:
        """Note on a claim's row what was counted; nothing where its mark is not the one before."""


class Contended(Problem):
    """Other processes changed the tally at every attempt. Nothing is lost: a later fold takes the claim in."""

    def __init__(self, subject: object) -> None:
        super().__init__(Code.ABORTED, "CONFLICT", "too many changes at once; try again", retry_after_ms=200)
        self.subject = subject


class ExactCounter(Generic[S, C, T]):
    """Folds claims into tallies, one fold at a time for each subject of this process."""

    def __init__(self, book: Book[S, C, T]) -> None:
        self._book = book
        self._waiting: dict[S, dict[C, asyncio.Future[T]]] = {}
        self._noted: OrderedDict[S, int] = OrderedDict()
        self._folding: dict[S, asyncio.Task[None]] = {}

    async def include(self, subject: S, claim: C) -> T:
        """The tally with the claim's present state in it. May be repeated. Raises :class:`Contended`
        and what the store raises; then the claim may or may not be included, and repeating settles it."""
        waiting = self._waiting.setdefault(subject, {})
        if claim not in waiting:
            waiting[claim] = asyncio.get_running_loop().create_future()
            waiting[claim].add_done_callback(_retrieve)
        result = asyncio.shield(waiting[claim])
        if subject not in self._folding:
            # A context of its own: the fold serves many callers, and the deadline of none of them.
            task = asyncio.create_task(self._fold_all(subject), context=contextvars.Context())
            self._folding[subject] = task
        return await deadline.bounded(result)

    async def settle(self) -> None:
        """Wait until no fold is under way."""
        while self._folding:
            await asyncio.gather(*self._folding.values())

    async def _fold_all(self, subject: S) -> None:
        try:
            while waiting := self._waiting.pop(subject, None):
                for first in range(0, len(waiting), MAX_BATCH):
                    await self._answer(subject, dict(list(waiting.items())[first : first + MAX_BATCH]))
        finally:
            del self._folding[subject]

    async def _answer(self, subject: S, waiting: dict[C, asyncio.Future[T]]) -> None:
        try:
            with deadline.limit(_FOLD_SECONDS):
                tally = await self._fold(subject, list(waiting))
        except Exception as error:  # whatever it is, those who wait are told
            for future in waiting.values():
                future.set_exception(error)
        else:
            for future in waiting.values():
                future.set_result(tally)

    async def _fold(self, subject: S, claims: Sequence[C]) -> T:
        for attempt in range(_ATTEMPTS):
            tally = await self._book.tally(subject)
            await self._note(subject, tally)
            found = await self._book.standings(claims)
            entries = [Entry(s.claim, s.holds, s.mark, tally.fold + 1) for s in found if s.holds != s.counted]
            if not entries:
                return tally
            folded: T = tally.folded(entries)
            if await self._try(folded):
                await self._note(subject, folded)
                return folded
            await asyncio.sleep(random.uniform(0, 0.01 * (attempt + 1)))
        raise Contended(subject)

    async def _try(self, folded: T) -> bool:
        try:
            return await self._book.write_tally(folded)
        except TimedOut:
            return False  # The next round reads what came of it; what comes later finds another fold.

    async def _note(self, subject: S, tally: T) -> None:
        """Note the last batch on its claims, unless this process knows that it was done."""
        if self._noted.get(subject, 0) < tally.fold:
            entries = tally.entries
            marks = {s.claim: s.mark for s in await self._book.standings([entry.claim for entry in entries])}
            behind = [entry for entry in entries if marks.get(entry.claim) == entry.before]
            await asyncio.gather(*(self._book.mark_counted(entry) for entry in behind))
            self._remember(subject, tally.fold)

    def _remember(self, subject: S, fold: int) -> None:
        self._noted[subject] = fold
        self._noted.move_to_end(subject)
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Those who waited may be gone: their fold's error is nobody's then."""
    if not future.cancelled():
        future.exception()
