"""Posts as they are sent, for a moment: never older than that, and never older than what this process knows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import LRUCache

FRESH_S = 2.0
"""How old a post may be where nobody told this process that it changed."""
Value = TypeVar("Value")


class PostCache(Generic[Value]):
    """The newest version known of the last ``size`` posts."""

    def __init__(self, size: int, now: Callable[[], float] = time.monotonic) -> None:
        self._entries: LRUCache[int, tuple[int, Value | None, float]] = LRUCache(size)
        self._now = now

    def now(self) -> float:
        """The moment to give to :meth:`put`, taken before the read."""
        return self._now()

    def get(self, post_id: int) -> Value | None:
        """What was kept, while it is fresh."""
        entry = self._entries.get(post_id)
        return entry[1] if entry and self._now() < entry[2] else None

    def put(self, post_id: int, version: int, value: Value, read_at: float) -> None:
        """Keep what was read, unless a newer version has been heard of meanwhile."""
        entry = self._entries.get(post_id)
        if entry is None or entry[0] <= version:
            self._entries[post_id] = version, value, read_at + FRESH_S

    def changed(self, post_id: int, version: int) -> None:
        """There is a newer version: forget what came before, and do not take it back."""
        entry = self._entries.get(post_id)
        if entry is None or entry[0] < version:
            self._entries[post_id] = version, None, 0.0
