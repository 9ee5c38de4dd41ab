"""Stores on which processes die and answers get lost, by script or by chance: for tests of recovery."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from itertools import count, product
from typing import Any, TypeVar

from mesh.errors import Problem
from mesh.events.timing import Timing
from mesh.storage.contract import StorageError, Store, TimedOut, Unavailable
from mesh.storage.wrappers import Call, Wrapper

T = TypeVar("T")
Run = Callable[[], Awaitable[T]]
_READS = ("get", "multi_get", "slice")
_COMPARE_AND_SET = ("insert_if_absent", "update_if")
_BACKGROUND = "outbox_"
"""How the tables begin that the bus keeps beside the outbox: whatever a process does, it writes those too."""
_PATIENCE_MS = 11_000
"""After so long the sweep asks about intents for the first time."""


class Crash(Exception):
    """The process died here, as far as the code under test can tell."""


class Fault(Enum):
    """What happens at one write."""

    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "it is done, and the process dies"
    UNANSWERED = "it is done, but reported as timed out"
    LATE = "it is reported as timed out, and done later"
    """A plain write is not done at all: engines keep the order of one client's writes, so a late one
    changes nothing that was written after it."""
    LATE_BY_ONE = "it is reported as timed out, and done just before the next write"


class Then(Enum):
    """What the caller does about the fault."""

    NOTHING = "nothing"
    REPEATED = "the caller acts again"
    LANDS_AND_REPEATED = "what was late is done, and the caller acts again"


class Late:
    """Writes whose callers were told of a timeout before they were applied."""

    def __init__(self) -> None:
        self._writes: list[Run[Any]] = []

    def __call__(self, run: Run[Any]) -> TimedOut:
        self._writes.append(run)
        return TimedOut("not done yet, but reported as timed out")

    async def catch_up(self) -> None:
        """Apply them, the oldest first."""
        while self._writes:
            await self._writes.pop(0)()


class Stage:
    """Scripts one fault for all stores of a process that are wrapped in :class:`StagedStore`."""

    def __init__(self, faults: Iterable[Fault] = Fault) -> None:
        self._faults = tuple(faults)
        self.late = Late()
        self.struck = False
        """Whether the last act had a write at which the fault happened."""
        self._fault: Fault | None = None
        self._before = 0
        self._dead = False

    def scenarios(self, *faults: Fault) -> Iterator[Scenario]:
        """Every fault (or these) at every write of an act, one after the other. Play each, on rows of its own."""
        for fault, then in product(faults or self._faults, Then):
            if fault is not Fault.LATE and then is Then.LANDS_AND_REPEATED:
                continue
            for write in count():
                yield Scenario(self, fault, write, then)
                if not self.struck:
                    break

    @contextmanager
    def striking(self, fault: Fault, write: int) -> Iterator[None]:
        """Within the block the fault happens once, at the write of this number (from 0). A process that
        died stays dead to the end of the block: none of its calls reaches the store."""
        self._fault, self._before, self.struck = fault, write, False
        try:
            yield
        finally:
            self._fault, self._dead = None, False

    @property
    def _by_one(self) -> bool:
        return self.struck and self._fault is Fault.LATE_BY_ONE

    async def around(self, call: Call, run: Run[T]) -> T:
        """Run one call to a store, or do what is scripted."""
        if self._by_one and call.verb not in _READS:
            await self.late.catch_up()
        fault = self._next(call)
        if self._dead or fault is Fault.DIES_BEFORE:
            self._dead = True
            raise Unavailable("the process is dead")
        if fault in (Fault.LATE, Fault.LATE_BY_ONE):
            raise self.late(run) if call.verb in _COMPARE_AND_SET else TimedOut("not done")
        answer = await run()
        if fault is Fault.DIES_AFTER:
            self._dead = self._fault is fault  # The block may have ended meanwhile.
            raise Unavailable("the process is dead")
        if fault is Fault.UNANSWERED:
            raise TimedOut("done, but reported as timed out")
        return answer

    def _next(self, call: Call) -> Fault | None:
        if self._fault is None or self.struck or call.verb in _READS or call.table.startswith(_BACKGROUND):
            return None
        self._before -= 1
        self.struck = self._before < 0
        return self._fault if self.struck else None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault at one write, and what its caller does then."""

    stage: Stage
    fault: Fault
    write: int
    then: Then

    async def play(self, act: Callable[[], Awaitable[object]], sweep: Callable[[int], Awaitable[None]]) -> None:
        """Act under the fault, and again where the caller does. ``sweep`` lets so many ms pass and sweeps, as
        another process would. At the end nothing is late any more and every intent is settled."""
        with self.stage.striking(self.fault, self.write), suppress(Problem, StorageError):
            await act()
        await sweep(_PATIENCE_MS)
        if self.then is Then.LANDS_AND_REPEATED:
            await self.stage.late.catch_up()
        if self.then is not Then.NOTHING:
            await act()
        await self.stage.late.catch_up()
        await sweep(Timing().late_ms + 1_000)

    @property
    def repeated(self) -> bool:
        """Whether the caller acted again."""
        return self.then is not Then.NOTHING

    def __str__(self) -> str:
        return f"write {self.write}: {self.fault.value}; then {self.then.value}"


class StagedStore(Wrapper):
    """A store to which happens what a stage says."""

    def __init__(self, inner: Store, stage: Stage) -> None:
        super().__init__(inner)
        self._stage = stage

    async def _around(self, call: Call, run: Run[T]) -> T:
        return await self._stage.around(call, run)


class ChaosStore(Wrapper):
    """Passes calls on; by ``chance`` (0 to 1) the process dies before or after one, or a write is reported
    as timed out and done all the same, at once or later. Callers overtake each other at every call.
    Same seed, same dice."""

    def __init__(self, inner: Store, seed: int, chance: float = 0.0) -> None:
        super().__init__(inner)
        self.chance = chance
        self.late = Late()
        self._dice = random.Random(seed)

    async def _around(self, call: Call, run: Run[T]) -> T:
        if self._happens():
            raise Crash
        if self._dice.random() < 0.1:
            await self.late.catch_up()
        if call.verb in _COMPARE_AND_SET and self._happens():
            raise self.late(run)
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
