"""What jobs promise on every storage engine. An engine's test supplies ``url`` and nothing more."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from mesh.clock import FakeClock, SystemClock
from mesh.ids import IdGenerator
from mesh.jobs import JOB_TABLES, Done, Job, Jobs, Limits, Next, Runner, State, Step
from mesh.jobs.contract import MAX_TRIES
from mesh.storage import Store, open_store
from mesh.storage.wrappers import Faulty

_LEASE_MS = 30_000
_EPOCH_MS = 1_800_000_000_000
_NUMBERS = itertools.count()
# What a second process runs: it takes up what is due and says so; "hang" never ends.
_OTHER_PROCESS = """
import asyncio, sys
from mesh.clock import FakeClock
from mesh.ids import IdGenerator
from mesh.jobs import *
from mesh.storage import open_store

async def main(url, kind, now, mode, node):
    clock = FakeClock(int(now))
    store = await open_store(url, "jobs", clock)
    await store.create(JOB_TABLES)

    async def work(job):
        if mode == "hang" and job.cursor == "one":
            print(job.job_id, flush=True)
            await asyncio.Event().wait()
        return Next("one") if not job.cursor else Done()

    await Runner(Jobs(store), {kind: work}, clock, IdGenerator(clock, int(node)), Limits(per_owner=4)).settle()
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.asyncio(loop_scope="class")
class JobsConformance:
    """The promises of mesh.jobs.contract, one by one. Each test has a kind of job and a day of its own."""

    @pytest_asyncio.fixture(scope="class", loop_scope="class")
    @classmethod
    async def store(cls, url: str) -> AsyncIterator[Faulty]:
        """A store with the tables of jobs."""
        store = Faulty(await open_store(url, "jobs", SystemClock()))
        await store.create(JOB_TABLES)
        yield store
        await store.close()

    @pytest_asyncio.fixture(loop_scope="class")
    async def world(self, store: Faulty) -> World:
        """Jobs in that store, and one process that works on them."""
        return World(store)

    async def test_a_job_goes_step_by_step_with_its_progress(self, world: World) -> None:
        seen: list[tuple[str, int]] = []

        async def work(job: Job) -> Step:
            seen.append((job.cursor, job.done))
            return Done() if job.cursor == "b" else Next({"": "a", "a": "b"}[job.cursor], done=job.done + 1, total=3)

        job = await world.submit()
        await world.runner(work).settle()
        assert seen == [("", 0), ("a", 1), ("b", 2)]
        assert await world.ended(job) == (State.DONE, 3)

    async def test_the_same_job_submitted_again_is_the_same(self, world: World) -> None:
        steps = Steps()
        job = await world.submit()
        assert (await world.jobs.submit(job, world.now)).job_id == job.job_id
        await world.runner(steps).settle()
        assert (await world.jobs.submit(job, world.now)).state is State.DONE
        await world.runner(steps).settle()
        assert steps.count == {job.job_id: 1}

    async def test_nothing_runs_before_its_time_and_everything_after(self, world: World) -> None:
        steps = Steps()
        later = await world.submit(at_ms=world.now + 3_600_000)
        await world.runner(steps).settle()
        assert steps.count == {}
        world.clock.advance(3_600_000)
        await world.runner(steps).settle()
        assert steps.count == {later.job_id: 1}
        with pytest.raises(ValueError, match="a year"):
            await world.submit(at_ms=world.now + 400 * 86_400_000)

    async def test_what_comes_every_so_often_comes_at_its_times(self, world: World) -> None:
        steps = Steps()
        job = await world.submit(at_ms=world.now, every_ms=600_000)
        for _ in range(3):
            await world.runner(steps).settle()
            world.clock.advance(600_000)
        await world.runner(steps).settle()
        assert steps.count == {job.job_id: 4}
        world.clock.advance(6_000_000)
        await world.runner(steps).settle()
        assert steps.count == {job.job_id: 5}, "times that were missed are not made up for"
        await world.jobs.cancel(job.job_id, world.now)

    async def test_a_step_that_fails_comes_again_after_a_pause_and_the_job_fails_in_the_end(self, world: World) -> None:
        steps = Steps(error=RuntimeError("no disk"))
        job = await world.submit()
        for tries in range(1, MAX_TRIES + 1):
            await world.runner(steps).settle()
            assert steps.count == {job.job_id: tries}
            world.clock.advance(600_000)
        assert await world.ended(job) == (State.FAILED, 0)
        found = await world.jobs.job(job.job_id)
        assert found
        assert "no disk" in found.error

    async def test_owners_take_turns_and_no_process_takes_on_too_much(self, world: World) -> None:
        order: list[int] = []
        running: Counter[int] = Counter()
        most: Counter[int] = Counter()

        async def work(job: Job) -> Step:
            order.append(job.owner_id)
            running.update({0: 1, job.owner_id: 1})
            most.update({owner: max(0, running[owner] - most[owner]) for owner in (0, job.owner_id)})
            await asyncio.sleep(0)
            running.subtract({0: 1, job.owner_id: 1})
            return Done()

        for owner in (1, 1, 1, 1, 1, 1, 2, 3):
            await world.submit(owner_id=owner)
        await world.runner(work, Limits(at_once=2, per_owner=1)).settle()
        assert sorted(order) == [1, 1, 1, 1, 1, 1, 2, 3]
        assert {2, 3} <= set(order[:4]), "who has few does not wait for who has many"
        assert most[0] <= 2
        assert max(most[owner] for owner in (1, 2, 3)) == 1

    async def test_an_owner_with_hundreds_holds_nobody_back(self, world: World) -> None:
        order: list[int] = []

        async def work(job: Job) -> Step:
            order.append(job.owner_id)
            return Done()

        await asyncio.gather(*(world.submit(owner_id=1) for _ in range(150)))
        await world.submit(owner_id=2)
        await world.runner(work, Limits(at_once=2)).settle()
        assert order.index(2) < 4
        assert len(order) == 151

    async def test_a_cancelled_job_does_no_further_step(self, world: World) -> None:
        steps = Steps()
        job = await world.submit()
        assert await world.jobs.cancel(job.job_id, world.now)
        await world.runner(steps).settle()
        assert steps.count == {}
        assert await world.ended(job) == (State.CANCELLED, 0)
        assert await world.jobs.cancel(1, world.now) is None

    async def test_a_step_under_way_is_told_that_it_was_cancelled(self, world: World) -> None:
        began, told = asyncio.Event(), asyncio.Event()

        async def work(job: Job) -> Step:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                told.set()
            return Done()

        job = await world.submit()
        runner = world.runner(work, Limits(lease_s=0.1))
        await runner.look()
        await began.wait()
        await world.jobs.cancel(job.job_id, world.now)
        await told.wait()
        await runner.settle()
        assert await world.ended(job) == (State.CANCELLED, 0)

    async def test_a_killed_process_loses_its_lease_and_another_goes_on_from_the_cursor(
        self, world: World, url: str
    ) -> None:
        job = await world.submit()
        process = await _start(url, world, "hang", 2)
        assert process.stdout
        assert int(await process.stdout.readline()) == job.job_id
        process.kill()
        await process.wait()
        cursors: list[str] = []

        async def work(job: Job) -> Step:
            cursors.append(job.cursor)
            return Done()

        await world.runner(work).settle()
        assert cursors == [], "the lease still holds"
        world.clock.advance(_LEASE_MS)
        await world.runner(work).settle()
        assert cursors == ["one"]
        assert await world.ended(job) == (State.DONE, 0)

    async def test_two_processes_share_the_jobs(self, world: World, url: str) -> None:
        submitted = [await world.submit(owner_id=number % 3) for number in range(12)]
        processes = [await _start(url, world, "work", node) for node in (2, 3)]
        assert [await process.wait() for process in processes] == [0, 0]
        world.clock.advance(_LEASE_MS)
        await world.runner(Steps()).settle()
        assert [await world.ended(job) for job in submitted] == [(State.DONE, 0)] * 12

    async def test_lost_answers_cost_a_repetition_and_no_job(self, world: World, store: Faulty) -> None:
        steps = Steps()
        job = await world.submit()
        store.lose_answer("update_if", "jobs", times=2)
        await world.runner(steps).settle()
        world.clock.advance(_LEASE_MS)
        await world.runner(steps).settle()
        assert await world.ended(job) == (State.DONE, 0)
        assert steps.count[job.job_id] in (1, 2)

    async def test_jobs_of_a_day_are_listed_newest_first(self, world: World) -> None:
        submitted = [await world.submit() for _ in range(3)]
        listed = await world.jobs.of_day(world.now, 10)
        assert [job.job_id for job in listed] == [job.job_id for job in reversed(submitted)]


class Steps:
    """A work of one step that counts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.count: Counter[int] = Counter()
        self._error = error

    async def __call__(self, job: Job) -> Step:
        self.count[job.job_id] += 1
        if self._error:
            raise self._error
        return Done()


class World:
    """A store's jobs at a time that tests move."""

    def __init__(self, store: Store) -> None:
        number = next(_NUMBERS)
        self.kind = f"work{number}"
        self.clock = FakeClock(_EPOCH_MS + number * 86_400_000)
        self.ids = IdGenerator(self.clock, 1)
        self.jobs = Jobs(store)

    @property
    def now(self) -> int:
        """The time."""
        return self.clock.now_ms()

    async def submit(self, owner_id: int = 1, at_ms: int = 0, every_ms: int = 0) -> Job:
        """A new job."""
        job = Job(self.ids.next(), self.kind, owner_id, at_ms=at_ms, every_ms=every_ms)
        return await self.jobs.submit(job, self.now)

    def runner(self, work: Callable[[Job], Awaitable[Step]], limits: Limits | None = None) -> Runner:
        """A process that does the work."""
        return Runner(
            self.jobs, {self.kind: work}, self.clock, self.ids, replace(limits or Limits(), look_every_s=0.01)
        )

    async def ended(self, job: Job) -> tuple[State, int]:
        """How a job ended, and its progress."""
        found = await self.jobs.job(job.job_id)
        assert found
        return found.state, found.done


async def _start(url: str, world: World, mode: str, node: int) -> asyncio.subprocess.Process:
    arguments = (url, world.kind, str(world.now), mode, str(node))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OTHER_PROCESS, *arguments, stdout=asyncio.subprocess.PIPE
    )
