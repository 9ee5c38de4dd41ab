"""Counts of what happens too often to be worth a write each: impressions, views.

**What may be lost**: adding is an increment in memory, and sums are written every ``every_s`` seconds. A
process that is killed loses what it counted since: at most ``every_s`` seconds, and what a write under way
held. So does a write whose outcome is not known: it is not repeated, since a count that is a little low is
better here than one that can grow by itself. Nothing is ever counted twice. What must be exact is a claim
for each that counts, and a count that includes each claim once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from mesh.personal import Personal
from mesh.storage import Key, StorageError, Store, Table, Unavailable, WriteMode, table

_log = structlog.get_logger("counting")
_ATTEMPTS = 20
_WRITES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Sum:
    """What was counted of a subject, by all processes."""

    subject_id: int
    value: int


def lossy_table(name: str, personal: Personal) -> Table[Sum]:
    """A table of such counts, for a service's schema."""
    return table(name, Sum, partition=("subject_id",), mode=WriteMode.COMPARE_AND_SET, personal=personal)


class LossyCounter:
    """Counts one kind of thing. ``most`` subjects are held in memory between two writes; while there are more,
    those that are new are not counted."""

    def __init__(self, store: Store, sums: Table[Sum], every_s: float = 10.0, most: int = 100_000) -> None:
        self._store, self._sums, self._every_s, self._most = store, sums, every_s, most
        self._counted: Counter[int] = Counter()

    def add(self, subject_id: int, count: int = 1) -> None:
        """Count. Never waits, never fails."""
        if subject_id in self._counted or len(self._counted) < self._most:
            self._counted[subject_id] += count

    async def of(self, subject_ids: Sequence[int]) -> list[int]:
        """The counts in the order asked; what other processes have not written yet is missing."""
        rows = await self._store.multi_get(self._sums, [{"subject_id": each} for each in subject_ids])
        sums = [self._sums.decode(row).value if row else 0 for row in rows]
        return [value + self._counted[each] for each, value in zip(subject_ids, sums, strict=True)]

    async def run(self) -> None:
        """Write for the life of the process."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.flush()

    async def flush(self) -> None:
        """Write what was counted. Where the store is away, it is kept for the next time."""
        counted, self._counted = self._counted, Counter()
        free = asyncio.Semaphore(_WRITES_AT_ONCE)

        async def write(subject_id: int, count: int) -> None:
            async with free:
                if not await self._write(subject_id, count):
                    self.add(subject_id, count)

        await asyncio.gather(*(write(*each) for each in counted.items()))

    async def _write(self, subject_id: int, count: int) -> bool:
        """Whether this is counted, or lost; False: it is certain that it is not."""
        key: Key = {"subject_id": subject_id}
        try:
            for _ in range(_ATTEMPTS):
                if await self._added(key, count):
                    return True
        except StorageError as error:
            _log.warning("a count is not written", table=self._sums.name, count=count, error=repr(error))
            return not isinstance(error, Unavailable)
        return False

    async def _added(self, key: Key, count: int) -> bool:
        row = await self._store.get(self._sums, key)
        if row is None:
            return (await self._store.insert_if_absent(self._sums, {**key, "value": count})).applied
        before = self._sums.decode(row).value
        changes = {"value": before + count}
        return (await self._store.update_if(self._sums, key, changes, {"value": before})).applied
