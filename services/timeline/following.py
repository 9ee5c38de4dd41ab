"""Whom a reader follows, remembered for at most two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from mesh.memory import Memory

STALE_S = 2.0
"""How old an answer may be; a change that this process hears of drops it at once."""
_MOST_IDS = 4_000_000
"""Ids remembered in all: some hundred megabytes."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Whom a reader follows, and the reader: own posts are in one's home. ``version`` changes with it."""

    version: int
    user_ids: frozenset[int]


Ask = Callable[[int, Followed | None], Awaitable[Followed]]
"""Asks the graph service whom a person follows, given what it said before. Raises Problem."""


class Following:
    """A small memory in front of the graph service."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._memory: Memory[int, Followed] = Memory(
            self._load, STALE_S, _MOST_IDS, lambda each: len(each.user_ids), asked="graph"
        )

    async def of(self, reader_id: int) -> frozenset[int]:
        """Whom a reader follows, and the reader. Raises Problem."""
        followed = await self._memory.one(reader_id)
        assert followed
        return followed.user_ids

    def forget(self, reader_id: int) -> None:
        """Whom this reader follows has changed."""
        self._memory.forget(reader_id)

    async def _load(self, reader_ids: list[int]) -> Mapping[int, Followed]:
        asked = (self._ask(reader_id, self._memory.last(reader_id)) for reader_id in reader_ids)
        return dict(zip(reader_ids, await asyncio.gather(*asked), strict=True))
