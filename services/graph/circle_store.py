"""The circles' repository: one partition for each person, and the number of its latest change."""

from __future__ import annotations

from collections.abc import AsyncIterator

from mesh.ids import IdGenerator
from mesh.storage import MAX_SLICE, Bound, Mutation, Put, Store
from services.graph.circles import MUTUAL, Circle, facts_of
from services.graph.edges import Edge
from services.graph.schema import CIRCLE_VERSIONS, CIRCLES, CircleVersion

NOBODY = 0
FIRST_VERSION = 1
"""Of the circle of somebody who never had to do with anybody."""


class CircleStore:
    """Reads and writes circles. Raises what the store raises."""

    def __init__(self, store: Store, ids: IdGenerator) -> None:
        self._store, self._ids = store, ids

    async def show(self, edge: Edge) -> None:
        """Make both circles say what an edge says; only then do their versions change. May be repeated."""
        own, key = facts_of(edge.state), {"user_id": edge.target_id, "other_id": edge.user_id}
        rows: list[Mutation] = [Put(CIRCLES, {"user_id": edge.user_id, "other_id": edge.target_id, "own": own.value})]
        changed = [self._changed(edge.user_id)]
        # A row for everybody who follows somebody would be without bound.
        if own & MUTUAL or await self._store.get(CIRCLES, key):
            rows.append(Put(CIRCLES, {**key, "theirs": (own & MUTUAL).value}))
            changed.append(self._changed(edge.target_id))
        await self._store.write(rows)
        await self._store.write(changed)

    async def version(self, user_id: int) -> int:
        """The version of a person's circle."""
        row = await self._store.get(CIRCLE_VERSIONS, {"user_id": user_id})
        return CIRCLE_VERSIONS.decode(row).version if row else FIRST_VERSION

    async def read(self, user_id: int, version: int) -> Circle:
        """A person's circle; ``version`` was read before."""
        circle = Circle(version)
        async for row in self._rows(user_id):
            circle.add(*row)
        return circle

    async def complete(self) -> bool:
        """Whether circles hold what was said before there were circles."""
        return await self.version(NOBODY) != FIRST_VERSION

    async def mark_complete(self) -> None:
        """They do."""
        await self._store.write([self._changed(NOBODY)])

    async def _rows(self, user_id: int) -> AsyncIterator[tuple[int, int, int]]:
        start = None
        while True:
            rows = await self._store.slice(CIRCLES, {"user_id": user_id}, limit=MAX_SLICE, start=start)
            for row in rows:
                standing = CIRCLES.decode(row)
                yield standing.other_id, standing.own, standing.theirs
            if len(rows) < MAX_SLICE:
                return
            start = Bound((standing.other_id,), inclusive=False)

    def _changed(self, user_id: int) -> Put:
        return Put(CIRCLE_VERSIONS, CIRCLE_VERSIONS.encode(CircleVersion(user_id, self._ids.next())))
