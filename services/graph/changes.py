"""Changing an edge by the protocol of :mod:`mesh.claims`, and putting right what a crash left.

Everything derived (lists, counts, the other side of a block) is brought in line with the edge *as it
stands*, by whoever passes: the change itself, its repetition, or the sweep of intents. Bringing in
line ends by looking whether the edge has moved meanwhile, so the last writer always leaves what is
true.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mesh.claims import Claims
from mesh.errors import Code, Problem
from mesh.events import NewEvent, Outbox
from services.graph.circles import Circles
from services.graph.edges import Edge, Transition, severed
from services.graph.relations import Relations
from services.graph.store import KINDS, Counter, Counting, GraphStore

_MAX_TRIES = 20

Announce = Callable[[Edge, Edge], NewEvent]
"""The event that tells of an edge before and after a change."""

Align = Callable[[int, int], Awaitable[Edge]]
"""Brings what is derived from an edge in line with it."""


class Changes:
    """Changes edges exactly once, however often and by however many it is asked."""

    def __init__(
        self,
        store: GraphStore,
        counter: Counter,
        circles: Circles,
        relations: Relations,
        outbox: Outbox,
        announce: Announce,
    ) -> None:
        self._store = store
        self._counter = counter
        self._circles = circles
        self._relations = relations
        self._claims: Claims[Edge] = Claims(outbox, store.claim, announce)

    async def change(self, user_id: int, target_id: int, transition: Transition) -> Edge:
        """Apply a transition to an edge; the edge that now holds. What ``transition`` raises, this raises.

        Once it returns, lists, counts and relations show the change. May be repeated.
        """
        return await self._change(user_id, target_id, transition, self.bring_in_line)

    async def _change(self, user_id: int, target_id: int, transition: Transition, align: Align) -> Edge:
        async def read() -> Edge:
            return await self._store.edge(user_id, target_id)

        def step(old: Edge, event_id: int) -> Edge | None:
            state = transition(old.state)
            return None if state == old.state else old.changed(state, event_id)

        async def aligned(_: Edge) -> Edge:
            return await align(user_id, target_id)

        async def repeat(old: Edge) -> Edge:
            # What is derived from it may still miss (a crash, a change under way).
            shown = await self._store.projected_version(old) if old.version else 0
            return old if shown == old.version else await self._claims.repair(old, aligned)

        return await self._claims.change(read, step, aligned, repeat)

    async def settle(self, user_id: int, target_id: int, event_id: int) -> bool:
        """Whether the change that an intent announced was made; what it left undone is done then."""
        edge = await self.bring_in_line(user_id, target_id)
        return event_id in edge.event_ids

    async def bring_in_line(self, user_id: int, target_id: int) -> Edge:
        """Make all that is derived from an edge say what the edge says. May be repeated."""
        await self._separate(await self._store.edge(user_id, target_id))
        return await self._derive(user_id, target_id)

    async def _derive(self, user_id: int, target_id: int) -> Edge:
        """Write lists, counts and relations of an edge as it stands at the end of writing them."""
        edge = await self._store.edge(user_id, target_id)
        for _ in range(_MAX_TRIES):
            if not edge.version:
                return edge
            await self._count(edge)
            await self._circles.show(edge)
            await self._store.project(edge)  # last: it notes the version that everything derived shows
            self._relations.forget(user_id, target_id)
            latest = await self._store.edge(user_id, target_id)
            if latest.version == edge.version:
                return edge
            edge = latest
        raise _too_busy()

    async def _count(self, edge: Edge) -> None:
        """Return once both counts include what the edge says.

        The edge's own marks cannot tell that there is nothing to do: a fold may have taken it in and not
        have marked it yet. Only the count knows.
        """
        if edge.ever_followed:
            claims = [Counting(kind, *edge.key) for kind in KINDS]
            await asyncio.gather(*(self._counter.include(claim.subject, claim) for claim in claims))

    async def _separate(self, edge: Edge) -> None:
        """Nothing friendly crosses a block: sever what does, on whichever side.

        Block and follow each write their own edge first and look at the other's after, so of two
        that cross at least one sees the other.
        """
        if edge.state.blocking:
            await self._change(edge.target_id, edge.user_id, severed, self._derive)
        elif severed(edge.state) != edge.state:
            back = await self._store.edge(edge.target_id, edge.user_id)
            if back.state.blocking:
                await self._change(edge.user_id, edge.target_id, severed, self._derive)


def _too_busy() -> Problem:
    return Problem(Code.ABORTED, "CONFLICT", "this relation is changing too fast; try again", retry_after_ms=200)
