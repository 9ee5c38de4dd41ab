"""Relations as a viewer sees them: read with every page of a feed, so kept for a moment.

Every process keeps what it read for at most ``ttl_ms`` (two seconds), forgets at once what it
changes itself, and forgets what others change as soon as their events arrive. No shared cache is
asked, so nothing depends on one: with Redis away, a change elsewhere shows after ``ttl_ms``.
"""

from __future__ import annotations

from collections.abc import Sequence

from cachetools import LRUCache

from mesh.clock import Clock
from services.graph.edges import Key, Relation
from services.graph.store import GraphStore


class Relations:
    """Reads relations in batches. ``remembered``: pairs kept at most (about 200 bytes each)."""

    def __init__(self, store: GraphStore, clock: Clock, ttl_ms: int, remembered: int) -> None:
        self._store = store
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._kept: LRUCache[Key, tuple[int, Relation]] = LRUCache(remembered)
        self._reading: dict[object, set[Key]] = {}
        """What each read under way must not keep, because it changed meanwhile."""

    async def of(self, viewer_id: int, user_ids: Sequence[int]) -> list[Relation]:
        """How the viewer stands to each of these people, in the order asked."""
        now = self._clock.now_ms()
        found = {user_id: kept for user_id in user_ids if (kept := self._fresh((viewer_id, user_id), now))}
        missing = list(dict.fromkeys(user_id for user_id in user_ids if user_id not in found))
        if missing:
            found.update(await self._read(viewer_id, missing, now))
        return [found[user_id] for user_id in user_ids]

    def forget(self, user_id: int, target_id: int) -> None:
        """The edge between these two has changed, in whichever direction."""
        for key in ((user_id, target_id), (target_id, user_id)):
            self._kept.pop(key, None)
            for changed in self._reading.values():
                changed.add(key)

    def _fresh(self, key: Key, now: int) -> Relation | None:
        kept = self._kept.get(key)
        return kept[1] if kept and 0 <= now - kept[0] < self._ttl_ms else None

    async def _read(self, viewer_id: int, user_ids: Sequence[int], now: int) -> dict[int, Relation]:
        changed: set[Key] = set()
        self._reading[changed_by := object()] = changed
        try:
            relations = await self._store.relations(viewer_id, user_ids)
        finally:
            del self._reading[changed_by]
        for relation in relations:
            key = (viewer_id, relation.user_id)
            if key not in changed:
                self._kept[key] = (now, relation)
        return {relation.user_id: relation for relation in relations}
