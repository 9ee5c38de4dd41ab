"""Queue age: how long the oldest event waits that this process's consumers have not handled."""

from __future__ import annotations

import time

from mesh.clock import Clock
from mesh.events.bus.contract import BusError
from mesh.events.events import Events

_LOOK_EVERY_S = 5.0


class QueueAge:
    """A health probe over the groups that this process belongs to, whichever process of a group lags."""

    def __init__(self, events: Events, clock: Clock, max_age_s: float) -> None:
        self._events, self._clock = events, clock
        self._max_age_s = max_age_s
        self._groups: set[tuple[str, str]] = set()
        self._looked = time.monotonic()
        self._reached_ms = clock.now_ms()
        self._found = ""

    def watch(self, area: str, group: str) -> None:
        """Count this group's events of an area."""
        self._groups.add((area, group))

    async def probe(self) -> str:
        """ "" or which group is too far behind. May be asked at any rate: it looks every five seconds."""
        now = time.monotonic()
        if self._groups and now - self._looked >= _LOOK_EVERY_S:
            self._looked = now
            self._found = await self._look()
        return self._found

    async def _look(self) -> str:
        """A bus that is away for a moment is no news; one that stays away makes queues old as well."""
        try:
            lags = await self._events.lag({area for area, _ in self._groups})
        except BusError:
            away = (self._clock.now_ms() - self._reached_ms) / 1000
            return f"the bus cannot be reached for {away:.0f} s" if away > self._max_age_s else ""
        self._reached_ms = self._clock.now_ms()
        ours = [lag for lag in lags if (lag.area, lag.group) in self._groups]
        oldest = max(ours, key=lambda lag: lag.oldest_age_ms, default=None)
        if oldest is None or oldest.oldest_age_ms <= self._max_age_s * 1000:
            return ""
        age = oldest.oldest_age_ms / 1000
        return f"{oldest.group} has an event of {oldest.area} unhandled for {age:.0f} s (`tintype events` shows more)"
