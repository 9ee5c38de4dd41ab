"""What was read a moment ago: one bounded memory of facts, for everything that remembers any.

A fact is read by key, in batches, and known for a fixed age; that a key has no value is known too. Three
promises make that safe to build on:

* **Nothing is older than its age.** The age counts from before the question, because the answer may be
  as old as that.
* **One load at a time for each key.** Whoever asks for a key that is being loaded waits for that load.
* **Forgetting wins.** A value whose load was under way when its key was forgotten is handed to those who
  asked before, and kept for nobody; whoever asks afterwards has it loaded anew.

Not for threads. Nothing here depends on a message arriving: one that is lost is made up for by the age.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from mesh import deadline
from mesh.errors import no_answer

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Load = Callable[[list[Key]], Awaitable[Mapping[Key, Value]]]
"""Reads the values of these keys; a key that is left out has none."""
Loading = asyncio.Task[Mapping[Key, Value]]
"""A load under way."""
LOAD_S = 5.0
"""How long a load may take: it serves many callers, and the deadline of none of them."""


class _Entry(NamedTuple, Generic[Value]):
    value: Value | None
    until: float
    weight: int


class Memory(Generic[Key, Value]):
    """Values by key, each for ``max_age_s`` seconds, the oldest going first where there is no more room.

    ``size`` bounds the sum of what ``weigh`` says of each value (1 where it is not given). ``load`` is called
    in a task of its own, with the context of whoever asked first but for the deadline. ``asked`` names what it asks,
    for the Problem DEADLINE_EXCEEDED of those whose time runs out while they wait.
    """

    def __init__(
        self,
        load: Load[Key, Value],
        max_age_s: float,
        size: int,
        weigh: Callable[[Value], int] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        asked: str = "storage",
    ) -> None:
        self._load, self._max_age_s, self._size = load, max_age_s, size
        self._weigh, self._monotonic, self.asked = weigh, monotonic, asked
        self._entries: dict[Key, _Entry[Value]] = {}
        self._loading: dict[Key, Loading[Key, Value]] = {}
        self._weight = 0

    async def read(self, keys: Iterable[Key]) -> dict[Key, Value]:
        """The values of these keys, those without one left out. Raises what ``load`` raises."""
        found, missing = self.recall(keys)
        if missing:
            found.update(await self.load(missing))
        return found

    async def one(self, key: Key) -> Value | None:
        """The value of one key, or None. Raises what ``load`` raises."""
        entry = self._entries.get(key)
        if entry is not None and entry.until > self._monotonic():
            return entry.value
        return (await self.load([key])).get(key)

    def recall(self, keys: Iterable[Key]) -> tuple[dict[Key, Value], list[Key]]:
        """What is known of these keys without asking, and those that would have to be asked for."""
        now, entries = self._monotonic(), self._entries
        found: dict[Key, Value] = {}
        missing: list[Key] = []
        for key in dict.fromkeys(keys):
            entry = entries.get(key)
            if entry is None or entry.until <= now:
                missing.append(key)
            elif entry.value is not None:
                found[key] = entry.value
        return found, missing

    def last(self, key: Key) -> Value | None:
        """What was known last, however old, unless it was forgotten: for asking whether it has changed."""
        entry = self._entries.get(key)
        return entry.value if entry else None

    async def load(self, keys: Sequence[Key]) -> dict[Key, Value]:
        """Have these keys loaded, or wait for the loads that are under way; their values."""
        begun = self.begin(keys)
        try:
            return await deadline.bounded(collect(keys, begun), telling=True)
        except deadline.DeadlineExceeded:
            raise no_answer(self.asked) from None

    def begin(self, keys: Sequence[Key]) -> set[Loading[Key, Value]]:
        """The loads that bring these keys, begun here where none was under way."""
        loads = {task for key in keys if (task := self._loading.get(key))}
        if mine := [key for key in keys if key not in self._loading]:
            task = asyncio.create_task(self._loaded(mine, self._monotonic() + self._max_age_s))
            task.add_done_callback(_retrieve)
            self._loading.update(dict.fromkeys(mine, task))
            loads.add(task)
        return loads

    def forget(self, *keys: Key) -> None:
        """What is known of these keys no longer holds, nor does what is being loaded of them."""
        for key in keys:
            self._drop(key)
            self._loading.pop(key, None)

    async def _loaded(self, keys: list[Key], until: float) -> Mapping[Key, Value]:
        task = asyncio.current_task()
        try:
            with deadline.own(LOAD_S):
                values = await self._load(keys)
            for key in keys:
                if self._loading.get(key) is task:
                    self._keep(key, values.get(key), until)
            return values
        finally:
            for key in keys:
                if self._loading.get(key) is task:
                    del self._loading[key]

    def _keep(self, key: Key, value: Value | None, until: float) -> None:
        self._drop(key)  # so that the table stays in the order of age
        weight = self._weigh(value) if self._weigh and value is not None else 1
        self._entries[key] = _Entry(value, until, weight)
        self._weight += weight
        while self._weight > self._size:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry:
            self._weight -= entry.weight


async def collect(keys: Iterable[Key], loads: Iterable[Loading[Key, Value]]) -> dict[Key, Value]:
    """The values that loads under way bring of these keys. Who stops waiting stops no load."""
    found: dict[Key, Value] = {}
    for task in loads:
        loaded = await asyncio.shield(task)
        found.update((key, loaded[key]) for key in keys if key in loaded)
    return found


async def read_together(*wanted: tuple[Memory[Any, Any], Collection[Any]]) -> list[dict[Any, Any]]:
    """Keys of several memories, what has to be loaded side by side; the values of each, in the order given."""
    found = [memory.recall(keys) for memory, keys in wanted]
    loads = [
        (values, missing, memory, memory.begin(missing))
        for (memory, _), (values, missing) in zip(wanted, found, strict=True)
        if missing
    ]
    for values, missing, memory, begun in loads:
        try:
            values.update(await deadline.bounded(collect(missing, begun), telling=True))
        except deadline.DeadlineExceeded:
            raise no_answer(memory.asked) from None
    return [values for values, _ in found]


def _retrieve(task: asyncio.Task[Mapping[Key, Value]]) -> None:
    """Those who waited may be gone: their load's error is nobody's then."""
    if not task.cancelled():
        task.exception()
