"""A store on which processes die and answers get lost by chance, from a seed: for tests of recovery."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mesh.storage.contract import Store, TimedOut
from mesh.storage.wrappers import Call, Wrapper

T = TypeVar("T")
_READS = ("get", "multi_get", "slice")


class Crash(Exception):
    """The process died here, as far as the code under test can tell."""


class ChaosStore(Wrapper):
    """Passes calls on; by ``chance`` (0 to 1) the process dies before or after one, or a write is
    done and reported as timed out. Callers overtake each other at every call. Same seed, same dice."""

    def __init__(self, inner: Store, seed: int, chance: float = 0.0) -> None:
        super().__init__(inner)
        self.chance = chance
        self._dice = random.Random(seed)

    async def _around(self, call: Call, run: Callable[[], Awaitable[T]]) -> T:
        if self._happens():
            raise Crash
        answer = await run()
        for _ in range(self._dice.randrange(3)):
            await asyncio.sleep(0)
        if self._happens():
            raise Crash
        if call.verb not in _READS and self._happens():
            raise TimedOut("done, but reported as timed out")
        return answer

    def _happens(self) -> bool:
        return self._dice.random() < self.chance
