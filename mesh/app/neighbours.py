"""How the processes are that this one calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from mesh.rpc.channels import Channels

_EVERY_S = 5.0
_AWAY_EVERY_S = 1.0


class Neighbours:
    """One look at each address that this process calls, however many services it finds there: every five seconds,
    and every second while one of them is away. So the looks of a whole mesh grow with who calls whom, and a process
    that nobody calls is asked by nobody."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._looked = float("-inf")
        self._away: Mapping[str, str] = {}

    async def look(self) -> Mapping[str, str]:
        """Why an area cannot be used just now, for each that cannot. May be asked at any rate."""
        now = time.monotonic()
        if now - self._looked >= (_AWAY_EVERY_S if self._away else _EVERY_S):
            self._looked = now
            self._away = await self._ask()
        return self._away

    async def _ask(self) -> dict[str, str]:
        called = self._channels.called
        answers = await asyncio.gather(*map(self._channels.health, called))
        found = zip(called.values(), answers, strict=True)
        return {area: why for areas, why in found if why for area in sorted(areas)}
