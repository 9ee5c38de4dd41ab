"""Circles: how one person stands to everybody, as the visibility law and the timeline need it.

Every process remembers the circles that it was asked for. Every two seconds it asks for the number of a
circle's latest change, one small read, and reads the circle again only where that has changed; what this
process changes itself, and what it hears that others changed, it forgets at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from enum import IntFlag
from typing import Protocol

from mesh.errors import unavailable
from mesh.memory import Memory
from services.graph.edges import Edge, State

WHOLE_S = 30.0
"""How old a circle may be whose version is the same: a change whose last write failed shows by then."""


class Fact(IntFlag):
    """What somebody says of another."""

    FOLLOWING = 1
    REQUESTED = 2
    BLOCKING = 4
    MUTING = 8
    CLOSE_FRIEND = 16


MUTUAL = Fact.BLOCKING | Fact.CLOSE_FRIEND
"""What is in the circle of whom it is said of as well."""


def facts_of(state: State) -> Fact:
    """The facts of an edge."""
    held = (fact for fact in Fact if getattr(state, (fact.name or "").lower()))
    return Fact(sum(held))


class Circle:
    """Ids of others by what this person says of them (``own``), and by what they say of this person."""

    def __init__(self, version: int) -> None:
        self.version, self.size = version, 1
        self.read_s = 0.0
        self.own: dict[Fact, list[int]] = {fact: [] for fact in Fact}
        self.theirs: dict[Fact, list[int]] = {fact: [] for fact in MUTUAL}
        self._own = [(fact.value, ids) for fact, ids in self.own.items()]
        self._theirs = [(fact.value, ids) for fact, ids in self.theirs.items()]

    def add(self, other_id: int, own: int, theirs: int) -> None:
        """Take one other person in."""
        for facts, lists in ((own, self._own), (theirs, self._theirs)):
            for fact, ids in lists:
                if facts & fact:
                    ids.append(other_id)
                    self.size += 1


class Repository(Protocol):
    """Where circles are kept (:class:`services.graph.circle_store.CircleStore`)."""

    async def show(self, edge: Edge) -> None: ...
    async def version(self, user_id: int) -> int: ...
    async def read(self, user_id: int, version: int) -> Circle: ...
    async def complete(self) -> bool: ...


class Circles:
    """Reads circles. ``remembered``: ids kept at most (about 40 bytes each)."""

    def __init__(
        self, store: Repository, max_age_s: float, remembered: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._monotonic = store, monotonic
        self._memory: Memory[int, Circle] = Memory(self._load, max_age_s, remembered, lambda each: each.size, monotonic)
        self._complete = False

    async def of(self, user_id: int) -> Circle:
        """A person's circle. Raises DEPENDENCY_UNAVAILABLE while older relations are still being taken in."""
        if not self._complete:
            self._complete = await self._store.complete()
            if not self._complete:
                raise unavailable("graph", "relations from before an upgrade are being taken in; try again shortly")
        circle = await self._memory.one(user_id)
        assert circle
        return circle

    async def show(self, edge: Edge) -> None:
        """Make circles say what an edge says. May be repeated."""
        await self._store.show(edge)
        self.forget(*edge.key)

    def forget(self, *user_ids: int) -> None:
        """What these people say of each other has changed."""
        self._memory.forget(*user_ids)

    async def _load(self, user_ids: list[int]) -> Mapping[int, Circle]:
        return dict(zip(user_ids, await asyncio.gather(*map(self._read, user_ids)), strict=True))

    async def _read(self, user_id: int) -> Circle:
        known, version = self._memory.last(user_id), await self._store.version(user_id)
        now = self._monotonic()
        if known and known.version == version and now - known.read_s < WHOLE_S:
            return known
        circle = await self._store.read(user_id, version)
        circle.read_s = now
        return circle
