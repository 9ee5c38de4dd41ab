"""Keeps a shard's dead letters in the outbox's store as well: the bus may be lost, and events that a
group gave up lie before its position, so nothing would republish them.

The table follows the bus, which keeps a letter that is replayed until its event has been handled. A
letter that was replayed just before the loss may so come back, but none is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from mesh.events.bus import Bus, ShardState, parse_position
from mesh.events.dead_letter_table import DeadLetterTable

_T = TypeVar("_T")
_PAGE = 100
_AT_ONCE = 16
"""Writes to the store that run side by side."""


class DeadLetterMirror:
    """One shard's mirror, held by the process that sweeps the shard."""

    def __init__(self, shard: int, stream: str, bus: Bus, table: DeadLetterTable) -> None:
        self._shard, self._stream, self._bus, self._table = shard, stream, bus, table
        self._kept: dict[str, set[str]] = {}
        """For each group the ids of the letters in the table."""
        self._one = asyncio.Lock()
        self._seen: dict[str, tuple[str, str]] = {}
        """For each group the epoch, and what the bus told of its dead letters when they were last compared."""

    async def begin(self) -> None:
        """Forget what is known of the table: another process may have written it meanwhile."""
        async with self._one:
            self._kept.clear()
            self._seen.clear()

    async def follow(self, state: ShardState) -> None:
        """Make the table hold every dead letter that ``state`` counts, and no other. Asks nothing where
        none came or went.

        Raises BUS_ERRORS, also where the shard is no longer in the epoch of ``state``, or what the
        store raises: no position of ``state`` may be saved then, or a dead letter could be passed over.
        """
        async with self._one:
            for group in state.groups:
                seen = (state.epoch, group.dead)
                if self._seen.get(group.name) != seen:
                    await self._compare(group.name, state.epoch)
                    self._seen[group.name] = seen
            for name in self._seen.keys() - {group.name for group in state.groups}:
                del self._seen[name], self._kept[name]

    async def _compare(self, group: str, epoch: str) -> None:
        if group not in self._kept:
            self._kept[group] = {letter.id async for page in self._table.walk(self._shard, group) for letter in page}
        there = await self._bus.dead.ids(self._stream, group, epoch)
        await self._put(group, there - self._kept[group])
        await self._delete(group, self._kept[group] - there)

    async def _put(self, group: str, new: set[str]) -> None:
        first = min(new, key=parse_position, default="")
        while first:
            page = await self._bus.dead.since(self._stream, group, first, _PAGE)
            for some in _slices([letter for letter in page if letter.id in new]):
                await _all(self._table.put(self._shard, group, letter) for letter in some)
                self._kept[group].update(letter.id for letter in some)
            first = f"({page[-1].id}" if len(page) == _PAGE else ""

    async def _delete(self, group: str, gone: set[str]) -> None:
        for some in _slices(sorted(gone)):
            await _all(self._table.delete(self._shard, group, letter) for letter in some)
            self._kept[group].difference_update(some)


async def _all(writes: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Until all have ended: none may take effect after we have gone on. Raises the first error."""
    for error in await asyncio.gather(*writes, return_exceptions=True):
        if error is not None:
            raise error


def _slices(items: list[_T]) -> Iterator[list[_T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
