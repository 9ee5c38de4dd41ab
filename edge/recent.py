"""What was read a moment ago: a bounded table of values that are forgotten after a fixed age."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Value]):
    """What is known of a key, None being nothing, until an instant of the monotonic clock."""

    value: Value | None
    until: float


class Recent(Generic[Key, Value]):
    """Values by key, each for ``max_age_s`` seconds; that a key has no value is remembered as well.

    At most ``size`` entries: the oldest go first. Not for threads.
    """

    def __init__(self, max_age_s: float, size: int) -> None:
        self._max_age_s = max_age_s
        self._size = size
        self._entries: dict[Key, Entry[Value]] = {}

    async def read(
        self, keys: Iterable[Key], load: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]]
    ) -> dict[Key, Entry[Value]]:
        """An entry for every key; ``load`` is asked for those of which nothing is known."""
        now = time.monotonic()
        found: dict[Key, Entry[Value]] = {}
        missing: list[Key] = []
        for key in keys:
            entry = self._entries.get(key)
            if entry is None or entry.until <= now:
                missing.append(key)
            else:
                found[key] = entry
        if missing:
            # The age counts from before the question: the answer may be as old as that.
            found |= self._remember(missing, await load(missing), now + self._max_age_s)
        return found

    def get(self, key: Key) -> Entry[Value] | None:
        """What is known of one key, or None where it has to be asked for."""
        entry = self._entries.get(key)
        return entry if entry is not None and entry.until > time.monotonic() else None

    async def one(self, key: Key, load: Callable[[Key], Awaitable[Value | None]]) -> Value | None:
        """The value of one key, or None."""

        async def load_one(_: list[Key]) -> dict[Key, Value]:
            value = await load(key)
            return {} if value is None else {key: value}

        return (await self.read([key], load_one))[key].value

    def forget(self, key: Key) -> None:
        """What is known of a key no longer holds."""
        self._entries.pop(key, None)

    def _remember(self, keys: list[Key], values: Mapping[Key, Value], until: float) -> dict[Key, Entry[Value]]:
        entries = {key: Entry(values.get(key), until) for key in keys}
        for key, entry in entries.items():
            self._entries.pop(key, None)  # so that the table stays in the order of age
            self._entries[key] = entry
        while len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]
        return entries
