"""The service's side: all streams of a process, by what they watch, and a bounded queue for each.

A service tells its hub what changes. **The newest of a key wins**: of what a slow reader has not taken it gets
the newest state alone. **Items in order** wait up to a limit; a reader slower than that gets what lies before the
gap, then the end OVERFLOW, and misses nothing by resuming from its cursor. No reader costs another anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from mesh import ids
from mesh.clock import Clock

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class End(StrEnum):
    """Why a stream ends; public names, which are kept."""

    DRAINING = "DRAINING"
    """The server goes away: resume elsewhere."""
    OVERFLOW = "OVERFLOW"
    """The reader was too slow: resume."""
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a name
    """Refresh the session, then resume."""
    SESSION_ENDED = "SESSION_ENDED"
    """Log in again."""
    NOT_VISIBLE = "NOT_VISIBLE"
    """Nothing that was watched is to be seen any more."""


@dataclass(frozen=True, slots=True)
class Told(Generic[Item]):
    """One thing to tell a watcher: an ``item``, the ``end`` and why, or neither, which is a heartbeat. Whoever
    resumes from ``cursor`` misses nothing that came after it."""

    cursor: int
    item: Item | None = None
    end: End | None = None


class Stream(Generic[Key, Item]):
    """What waits for one watcher: at most ``limit`` items in order, and one for each key."""

    def __init__(self, cursor: int, limit: int) -> None:
        self.overflowed = False
        self._cursor, self._limit = cursor, limit
        self._before: list[tuple[int, Item]] = []
        self._in_order: list[tuple[int, Item]] = []
        self._newest: dict[Key, Item] = {}
        self._versions: dict[Key, int] = {}
        self._ready = asyncio.Event()

    def newest(self, key: Key, item: Item, version: int) -> None:
        """How it stands with a key, in place of what waits. An older ``version`` than one seen is left out."""
        if version >= self._versions.get(key, version):
            self._versions[key], self._newest[key] = version, item
            self._ready.set()

    def add(self, item: Item, event_id: int) -> None:
        """Queue an item in its order, or give up on this reader: the queue stays full until it is taken for the
        last time, so nothing is told beyond the gap."""
        if len(self._in_order) < self._limit:
            self._in_order.append((event_id, item))
        else:
            self.overflowed = True
        self._ready.set()

    def replay(self, items: Iterable[tuple[int, Item]]) -> None:
        """What happened since the cursor, by event id, told before all else: a bounded number, beside the limit."""
        self._before += sorted(items, key=lambda each: each[0])

    def wake(self) -> None:
        """Let the stream look around."""
        self._ready.set()

    async def wait(self, seconds: float) -> bool:
        """Whether there is something to look at, within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            return False
        self._ready.clear()
        return True

    def take(self) -> Iterator[Told[Item]]:
        """Everything that waits now: from before, in order, then the newest of each key."""
        items, newest = self._before + self._in_order, list(self._newest.values())
        self._before, self._in_order = [], []
        self._newest.clear()
        for event_id, item in items:
            self._cursor = max(self._cursor, event_id)
            yield Told(self._cursor, item)
        for item in newest:
            yield Told(self._cursor, item)

    def heartbeat(self, cursor: int = 0) -> Told[Item]:
        """Alive; everything before the cursor has been told."""
        self._cursor = max(self._cursor, cursor)
        return Told(self._cursor)

    def end(self, why: End) -> Told[Item]:
        """The last thing told."""
        return Told(self._cursor, end=why)


class Hub(Generic[Key, Item]):
    """All streams of one kind in this process. ``limit`` bounds what waits in order for one of them."""

    def __init__(self, clock: Clock, heartbeat_s: float, limit: int) -> None:
        self._clock, self._heartbeat_s, self._limit = clock, heartbeat_s, limit
        self._streams: dict[Key, set[Stream[Key, Item]]] = {}

    def watched(self, key: Key) -> bool:
        """Whether anybody watches: what nobody watches need not be read."""
        return key in self._streams

    def newest(self, key: Key, item: Item, version: int = 0) -> None:
        """Tell how it stands with a key; ``version`` says which of two is newer."""
        for stream in self._streams.get(key, ()):
            stream.newest(key, item, version)

    def add(self, key: Key, item: Item, event_id: int) -> None:
        """Tell what happened to a key, in order."""
        for stream in self._streams.get(key, ()):
            stream.add(item, event_id)

    async def watch(
        self,
        keys: Collection[Key],
        closing: asyncio.Event,
        cursor: int = 0,
        resume: Callable[[Stream[Key, Item]], Awaitable[None]] | None = None,
    ) -> AsyncGenerator[Told[Item]]:
        """A heartbeat at once, after which nothing is missed; what is told, and heartbeats, until ``closing`` is
        set (DRAINING) or the reader is too slow (OVERFLOW). ``resume`` reads what happened since ``cursor`` (0:
        from now); some of it may be told twice."""
        stream: Stream[Key, Item] = Stream(cursor or self._now(), self._limit)
        with self._subscribed(keys, stream), _waking(stream, closing):
            yield stream.heartbeat()
            if cursor and resume:
                await resume(stream)
            while not closing.is_set():
                # Read before taking: what is told after this moment is behind it.
                now, overflowed = self._now(), stream.overflowed
                for told in stream.take():
                    yield told
                if overflowed:
                    yield stream.end(End.OVERFLOW)
                    return
                if not await stream.wait(self._heartbeat_s):
                    yield stream.heartbeat(now)
            yield stream.end(End.DRAINING)

    def _now(self) -> int:
        return ids.first_id_at(self._clock.now_ms())

    @contextmanager
    def _subscribed(self, keys: Collection[Key], stream: Stream[Key, Item]) -> Iterator[None]:
        for key in keys:
            self._streams.setdefault(key, set()).add(stream)
        try:
            yield
        finally:
            for key in set(keys):
                self._streams[key].discard(stream)
                if not self._streams[key]:
                    del self._streams[key]


@contextmanager
def _waking(stream: Stream[Key, Item], closing: asyncio.Event) -> Iterator[None]:
    """Wake the stream when the server begins to close."""
    closed = asyncio.create_task(closing.wait())
    closed.add_done_callback(lambda _: stream.wake())
    try:
        yield
    finally:
        closed.cancel()
