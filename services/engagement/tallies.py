"""Exact counts: claims folded into a tally, each state of each claim once.

A tally's row holds its value together with the last batch of claims that the value includes. Before
a batch is taken in, the batch before is noted on its claims (`counted`, `counted_version`), so what a
tally includes of a claim can always be read: from the claim, or from the last batch. Both writes
compare and set, so a fold that was interrupted, repeated, or overtaken by another process changes
nothing twice. README.md has the whole argument.

Claims that arrive for a subject while one fold is under way go together into the next one, so a
viral post costs one write per batch, not one per like.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from mesh import deadline
from mesh.storage import TimedOut
from services.engagement.model import Claim, Entry, Kind, Standing, Tally, pack, unpack
from services.engagement.store import ClaimStore

MAX_BATCH = 128
"""Claims one fold takes in."""
_ATTEMPTS = 12
_FOLD_SECONDS = 5.0
_REMEMBERED = 10_000


class Contended(Exception):
    """Other processes changed the tally at every attempt. Nothing is lost: the event folds it later."""


class Tallies:
    """Folds claims into tallies, one fold at a time for each subject of this process."""

    def __init__(self, store: ClaimStore) -> None:
        self._store = store
        self._waiting: dict[int, dict[Claim, asyncio.Future[Tally]]] = {}
        self._noted: OrderedDict[int, int] = OrderedDict()
        self._folding: dict[int, asyncio.Task[None]] = {}

    async def include(self, subject_id: int, claim: Claim) -> Tally:
        """The tally with the claim's present state in it. May be repeated. Raises :class:`Contended`
        and what the store raises; then the claim may or may not be included, and repeating settles it."""
        waiting = self._waiting.setdefault(subject_id, {})
        if claim not in waiting:
            waiting[claim] = asyncio.get_running_loop().create_future()
            waiting[claim].add_done_callback(_retrieve)
        result = asyncio.shield(waiting[claim])
        if subject_id not in self._folding:
            # A context of its own: the fold serves many callers, and the deadline of none of them.
            task = asyncio.create_task(self._fold_all(subject_id), context=contextvars.Context())
            self._folding[subject_id] = task
        return await deadline.bounded(result)

    async def settle(self) -> None:
        """Wait until no fold is under way."""
        while self._folding:
            await asyncio.gather(*self._folding.values())

    async def _fold_all(self, subject_id: int) -> None:
        try:
            while waiting := self._waiting.pop(subject_id, None):
                for first in range(0, len(waiting), MAX_BATCH):
                    await self._answer(subject_id, dict(list(waiting.items())[first : first + MAX_BATCH]))
        finally:
            del self._folding[subject_id]

    async def _answer(self, subject_id: int, waiting: dict[Claim, asyncio.Future[Tally]]) -> None:
        try:
            with deadline.limit(_FOLD_SECONDS):
                tally = await self._fold(subject_id, list(waiting))
        except Exception as error:  # whatever it is, those who wait are told
            for future in waiting.values():
                future.set_exception(error)
        else:
            for future in waiting.values():
                future.set_result(tally)

    async def _fold(self, subject_id: int, claims: Sequence[Claim]) -> Tally:
        for attempt in range(_ATTEMPTS):
            tally = await self._store.tally(subject_id)
            await self._note(tally)
            entries = [_entry(standing) for standing in await self._store.standings(claims) if _uncounted(standing)]
            if not entries:
                return tally
            folded = _with(tally, entries)
            if await self._try(folded):
                await self._note(folded)
                return folded
            await asyncio.sleep(random.uniform(0, 0.01 * (attempt + 1)))
        raise Contended(f"tally {subject_id}: changed by other processes {_ATTEMPTS} times in a row")

    async def _try(self, folded: Tally) -> bool:
        try:
            return await self._store.fold(folded)
        except TimedOut:
            return False  # The next round reads what came of it.

    async def _note(self, tally: Tally) -> None:
        """Note the last batch on its claims, unless this process knows that it was done."""
        if tally.fold and self._noted.get(tally.subject_id, 0) < tally.fold:
            entries = unpack(tally.batch)
            counted = {s.claim: s.counted_version for s in await self._store.standings([e.claim for e in entries])}
            behind = [entry for entry in entries if counted.get(entry.claim) == entry.from_version]
            await asyncio.gather(*(self._store.mark_counted(entry) for entry in behind))
            self._remember(tally)

    def _remember(self, tally: Tally) -> None:
        self._noted[tally.subject_id] = tally.fold
        self._noted.move_to_end(tally.subject_id)
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)


def _uncounted(standing: Standing) -> bool:
    return standing.holds != standing.counted


def _entry(standing: Standing) -> Entry:
    return Entry(standing.claim, standing.holds, standing.counted_version, standing.version)


def _with(tally: Tally, entries: Sequence[Entry]) -> Tally:
    likes, comments = tally.likes, tally.comments
    for entry in entries:
        change = 1 if entry.holds else -1
        if entry.claim.kind is Kind.LIKE:
            likes += change
        else:
            comments += change
    return replace(
        tally,
        likes=likes,
        comments=comments,
        peak_likes=max(likes, tally.peak_likes),
        peak_comments=max(comments, tally.peak_comments),
        fold=tally.fold + 1,
        batch=pack(entries),
    )


def _retrieve(future: asyncio.Future[Tally]) -> None:
    """Those who waited may be gone: their fold's error is nobody's then."""
    if not future.cancelled():
        future.exception()
