"""Works on jobs that are due, a bounded number at a time, owners by turns."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from mesh.clock import Clock
from mesh.ids import IdGenerator
from mesh.jobs.contract import MAX_TRIES, Job, Next, State, Step, Work
from mesh.jobs.tables import Jobs
from mesh.storage import StorageError, TimedOut

_log = structlog.get_logger("jobs")
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 5_000, 600_000
_CANDIDATES = 200
_ERROR_CHARS = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process takes on: jobs in all, and of one owner; how long a lease holds without a sign of life; how
    often it looks for what is due."""

    at_once: int = 4
    per_owner: int = 1
    lease_s: float = 30
    look_every_s: float = 1


class Runner:
    """One process's share of a service's jobs. ``works``: who does each kind; other kinds are left alone."""

    def __init__(
        self, jobs: Jobs, works: Mapping[str, Work], clock: Clock, ids: IdGenerator, limits: Limits | None = None
    ) -> None:
        self._jobs, self._works, self._clock, self._ids = jobs, works, clock, ids
        self._limits = limits or Limits()
        self._running: dict[asyncio.Task[None], Job] = {}

    async def run(self) -> None:
        """Work for the life of the process. What is under way when it stops comes again once its lease is over."""
        pause = self._limits.look_every_s
        try:
            while True:
                with suppress(StorageError):  # the store's health says it
                    await self.look()
                if self._running:
                    await asyncio.wait(self._running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(pause)
        finally:
            for task in self._running:
                task.cancel()

    async def look(self) -> None:
        """Take up what is due and there is room for. A job goes back after every step, behind those due longer."""
        found: list[Job] = []
        if len(self._running) < self._limits.at_once:
            async for job in self._jobs.due(self._clock.now_ms(), 2 * self._limits.per_owner):
                if job.kind in self._works:
                    found.append(job)
                if len(found) == _CANDIDATES:
                    break
        for job in sorted(found, key=lambda job: job.due_ms):
            mine = Counter(running.owner_id for running in self._running.values())
            if len(self._running) < self._limits.at_once and mine[job.owner_id] < self._limits.per_owner:
                await self._take(job)

    async def settle(self) -> None:
        """Work until nothing is due: for tests."""
        while await self._looked():
            await asyncio.wait(self._running)

    async def _looked(self) -> bool:
        await self.look()
        return bool(self._running)

    async def _take(self, job: Job) -> None:
        wanted = replace(job, holder=self._ids.next(), due_ms=self._lease_end())
        try:
            taken = await self._jobs.change(job, wanted, self._clock.now_ms())
        except TimedOut:
            now = await self._jobs.job(job.job_id)
            taken = now if now and now.holder == wanted.holder else None
        if taken:
            task = asyncio.create_task(self._work(taken), name=f"job {job.job_id}")
            self._running[task] = taken
            task.add_done_callback(self._running.pop)

    async def _work(self, job: Job) -> None:
        held = _Held(job, asyncio.Lock())
        step = asyncio.create_task(self._step(job))
        keeping = asyncio.create_task(self._keep(held, step))
        try:
            await asyncio.wait([step])
        finally:
            keeping.cancel()
            step.cancel()
            await asyncio.wait([step, keeping])
        if not step.cancelled():
            with suppress(StorageError):  # then it comes again
                async with held.lock:
                    await self._jobs.change(held.job, self._after(held.job, step.result()), self._clock.now_ms())

    async def _step(self, job: Job) -> Step | Exception:
        try:
            return await self._works[job.kind](job)
        except Exception as error:  # whatever a work raises is a failure of its step
            _log.warning("a step failed", job_id=job.job_id, kind=job.kind, error=repr(error))
            return error

    async def _keep(self, held: _Held, step: asyncio.Task[Step | Exception]) -> None:
        """Renew the lease while the step is under way; where it was lost, or the job cancelled, end the step."""
        while self._clock.now_ms() < held.job.due_ms:
            await asyncio.sleep(self._limits.lease_s / 3)
            with suppress(StorageError):  # there are two more chances
                async with held.lock:
                    renewed = replace(held.job, due_ms=self._lease_end())
                    kept = await self._jobs.change(held.job, renewed, self._clock.now_ms())
                    kept = kept or await self._same(held.job)
                    if kept is None:
                        break
                    held.job = kept
        step.cancel()

    async def _same(self, job: Job) -> Job | None:
        """The job as it stands, if this process still holds it: an answer may have been lost."""
        now = await self._jobs.job(job.job_id)
        return now if now and now.state is State.OPEN and now.holder == job.holder else None

    def _lease_end(self) -> int:
        return self._clock.now_ms() + int(self._limits.lease_s * 1000)

    def _after(self, job: Job, step: Step | Exception) -> Job:
        """The job after a step: given back, finished, or to be tried again."""
        now = self._clock.now_ms()
        free = replace(job, holder=0, tries=0, error="")
        if isinstance(step, Exception):
            tries = job.tries + 1
            pause = min(_FIRST_PAUSE_MS * 2**job.tries, _LONGEST_PAUSE_MS)
            state = State.FAILED if tries >= MAX_TRIES else State.OPEN
            return replace(free, tries=tries, error=repr(step)[:_ERROR_CHARS], due_ms=now + pause, state=state)
        if isinstance(step, Next):
            return replace(free, cursor=step.cursor, done=step.done, total=step.total, due_ms=now + step.after_ms)
        if job.every_ms:
            at = job.at_ms + ((now - job.at_ms) // job.every_ms + 1) * job.every_ms
            return replace(free, cursor="", done=0, total=0, at_ms=at, due_ms=at)
        return replace(free, state=State.DONE, done=max(job.done, job.total))


@dataclass(slots=True)
class _Held:
    """A job as its holder last wrote it, by one writer at a time."""

    job: Job
    lock: asyncio.Lock
