"""What a process says of itself: whether it serves, and what it does without just now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import structlog

from mesh.app.neighbours import Neighbours

_log = structlog.get_logger("process")
_TIMEOUT_S = 3.0

Probe: TypeAlias = Callable[[], Awaitable[str]]
"""Answers "" when well, else why not."""


class Health:
    """Asks every probe. A cache, a blob store, the bus or another service that is away, and events that wait, are
    said and no reason to stop serving: much works without them, and every process would stop at once."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self.probes: dict[str, Probe] = {}
        """Parts without which the process does not serve."""
        self.dependencies: dict[str, Probe] = {}
        """Parts without which it serves what it can."""
        self.unwell: Mapping[str, str] = {}
        self.degraded: Mapping[str, str] = {}

    async def look(self) -> bool:
        """Whether the process can serve. May be asked at any rate."""
        unwell, degraded, away = await asyncio.gather(
            _failing(self.probes), _failing(self.dependencies), self._neighbours.look()
        )
        degraded.update(away)
        if unwell.keys() != self.unwell.keys() or degraded.keys() != self.degraded.keys():
            _log.warning("health changed", unwell=unwell or "nothing", degraded=degraded or "nothing")
        self.unwell, self.degraded = unwell, degraded
        return not unwell


def reason(health: Callable[[], Awaitable[Any]]) -> Probe:
    """A store's own health as a probe."""

    async def probe() -> str:
        found = await health()
        return "" if found.ready else found.reason or "not ready"

    return probe


async def _failing(probes: Mapping[str, Probe]) -> dict[str, str]:
    """What fails, and why."""
    answers = await asyncio.gather(*map(_ask, probes.values()))
    return {name: why for name, why in zip(probes, answers, strict=True) if why}


async def _ask(probe: Probe) -> str:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await probe()
    except TimeoutError:
        return f"no answer within {_TIMEOUT_S:g} s"
    except Exception as error:  # a probe that fails is the answer
        return repr(error)
