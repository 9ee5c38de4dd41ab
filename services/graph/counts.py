"""Exact counts of followers and followings, under retries, crashes and many writers.

A count and the edges it counts are rows of their own, and no write spans two compare-and-set rows.
So a count moves in steps: one compare-and-set adds the difference of up to ``_BATCH`` edges and
names them in ``pending``; then each edge is marked as taken in by that step. Whoever takes the next
step finishes the marks of the one before first, so a crash between the two loses nothing and counts
nothing twice; the tick that each mark expects keeps a straggler from marking an edge again.

The waiting edges of one count go in one step, so a person whom thousands follow at once costs a
step per round trip, not a step per follower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mesh.errors import Code, Problem
from services.graph.edges import Edge
from services.graph.store import KINDS, Count, GraphStore, Pending

_BATCH = 100
_MAX_STEPS = 50


class Counts:
    """Brings counts in line with edges."""

    def __init__(self, store: GraphStore) -> None:
        self._store = store
        self._waiting: dict[tuple[int, str], dict[object, int]] = {}
        self._locks: dict[tuple[int, str], asyncio.Lock] = {}

    async def settle(self, edge: Edge) -> None:
        """Return once both counts include what the edge says. May be repeated.

        The edge's own marks cannot tell that there is nothing to do: a step may have taken it in
        and not have marked it yet. Only the count knows.
        """
        if edge.ever_followed:
            await asyncio.gather(*(self._include(kind, edge) for kind in KINDS))

    async def _include(self, kind: str, edge: Edge) -> None:
        owner, other = (edge.target_id, edge.user_id) if kind == "followers" else edge.key
        key, ticket = (owner, kind), object()
        waiting = self._waiting.setdefault(key, {})
        waiting[ticket] = other
        try:
            async with self._locks.setdefault(key, asyncio.Lock()):
                if ticket in waiting:  # else whoever held the lock before took it along
                    batch = {ticket: other, **dict(list(waiting.items())[:_BATCH])}
                    await self._fold(key, sorted(set(batch.values())))
                    for done in batch:
                        waiting.pop(done, None)
        finally:
            waiting.pop(ticket, None)
            if not waiting and self._waiting.get(key) is waiting:
                self._waiting.pop(key)
                self._locks.pop(key, None)

    async def _fold(self, key: tuple[int, str], others: Sequence[int]) -> None:
        """Step until the count includes all of these edges as they stand."""
        for _ in range(_MAX_STEPS):
            count = await self._store.count(*key)
            if await self._finish(count):
                continue
            pending = await self._difference(count, others)
            if not pending:
                return
            value = count.value + sum(1 if each.included else -1 for each in pending)
            await self._store.step(count, value, pending)
        raise Problem(Code.ABORTED, "CONFLICT", "too many changes at once; try again", retry_after_ms=200)

    async def _finish(self, count: Count) -> bool:
        """Mark what the latest step took in; True where anything was left to mark."""
        edges = await self._store.edges([count.edge_key(each.other_id) for each in count.pending])
        left = [
            each
            for each, edge in zip(count.pending, edges, strict=True)
            if edge.counted[count.kind].tick == each.previous_tick
        ]
        await asyncio.gather(*(self._store.mark_counted(count, each) for each in left))
        return bool(left)

    async def _difference(self, count: Count, others: Sequence[int]) -> list[Pending]:
        edges = await self._store.edges([count.edge_key(other) for other in others])
        marks = [
            (other, edge.state.following, edge.counted[count.kind]) for other, edge in zip(others, edges, strict=True)
        ]
        return [Pending(other, following, mark.tick) for other, following, mark in marks if following != mark.included]
