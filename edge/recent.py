"""What was read a moment ago: a bounded table of values that are forgotten after a fixed age."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Values by key, each for ``max_age_s`` seconds; that a key has no value is remembered as well.

    At most ``size`` entries: the oldest go first. Not for threads.
    """

    def __init__(self, max_age_s: float, size: int) -> None:
        self._max_age_s = max_age_s
        self._size = size
        self._entries: dict[Key, tuple[float, Value | None]] = {}

    def among(self, keys: Iterable[Key]) -> tuple[dict[Key, Value], list[Key]]:
        """The values that are known, and the keys about which nothing is known."""
        now = time.monotonic()
        entries = self._entries
        found: dict[Key, Value] = {}
        missing: list[Key] = []
        for key in keys:
            entry = entries.get(key)
            if entry is None or entry[0] < now:
                missing.append(key)
            elif entry[1] is not None:
                found[key] = entry[1]
        return found, missing

    def remember(self, keys: Iterable[Key], values: Mapping[Key, Value]) -> None:
        """These keys were just read: those without a value have none."""
        until = time.monotonic() + self._max_age_s
        for key in keys:
            self._entries.pop(key, None)  # so that the table stays in the order of age
            self._entries[key] = (until, values.get(key))
        while len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]

    def pop(self, key: Key) -> None:
        """Forget one key."""
        self._entries.pop(key, None)
