"""Whom a reader follows, remembered for at most two seconds."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

STALE_S = 2.0
"""How old an answer may be; a change that this process hears of drops it at once."""
_MOST_IDS = 4_000_000
"""Ids remembered in all: some hundred megabytes."""

Follows = Callable[[int], Awaitable[frozenset[int]]]
"""Asks the graph service whom a person follows."""


class Following:
    """A small memory in front of the graph service."""

    def __init__(self, ask: Follows, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._monotonic = ask, monotonic
        self._known: OrderedDict[int, tuple[float, frozenset[int]]] = OrderedDict()
        self._size = 0

    async def of(self, reader_id: int) -> frozenset[int]:
        """Whom a reader follows, and the reader: own posts are in one's home. Raises Problem."""
        known = self._known.get(reader_id)
        # The age counts from before the question: the answer may be as old as that.
        asked = self._monotonic()
        if known and asked - known[0] < STALE_S:
            return known[1]
        following = await self._ask(reader_id) | {reader_id}
        self.forget(reader_id)
        self._known[reader_id] = (asked, following)
        self._size += len(following)
        while self._size > _MOST_IDS:
            self.forget(next(iter(self._known)))
        return following

    def forget(self, reader_id: int) -> None:
        """Whom this reader follows has changed."""
        known = self._known.pop(reader_id, None)
        if known:
            self._size -= len(known[1])
