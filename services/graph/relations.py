"""Relations of pairs, as answers about people show them, kept for a moment.

Every process keeps what it read for at most two seconds, forgets at once what it changes itself, and forgets
what others change as soon as their events arrive. No shared cache is asked, so nothing depends on one: with
Redis away, a change elsewhere shows after those two seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from mesh.memory import Memory
from services.graph.edges import Key, Relation
from services.graph.store import GraphStore


class Relations:
    """Reads relations in batches. ``remembered``: pairs kept at most (about 200 bytes each)."""

    def __init__(
        self, store: GraphStore, max_age_s: float, remembered: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._memory: Memory[Key, Relation] = Memory(self._load, max_age_s, remembered, monotonic=monotonic)

    async def of(self, viewer_id: int, user_ids: Sequence[int]) -> list[Relation]:
        """How the viewer stands to each of these people, in the order asked."""
        found = await self._memory.read([(viewer_id, user_id) for user_id in user_ids])
        return [found[viewer_id, user_id] for user_id in user_ids]

    def forget(self, user_id: int, target_id: int) -> None:
        """The edge between these two has changed, in whichever direction."""
        self._memory.forget((user_id, target_id), (target_id, user_id))

    async def _load(self, keys: list[Key]) -> Mapping[Key, Relation]:
        found: dict[Key, Relation] = {}
        for viewer_id, pairs in groupby(sorted(keys), key=lambda key: key[0]):
            relations = await self._store.relations(viewer_id, [user_id for _, user_id in pairs])
            found.update(((viewer_id, relation.user_id), relation) for relation in relations)
        return found
