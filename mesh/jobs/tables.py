"""Jobs over the table contract.

The truth is one compare-and-set row. When a job is next due is also noted by time, before the truth says so: the
sweep walks the notes from the first bucket that may hold one still true. A note is never changed or deleted: whether
it is true, the row tells; and it expires.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from mesh.claims import standing
from mesh.ids import time_ms
from mesh.jobs.contract import Job, State
from mesh.personal import nobodys, owned
from mesh.storage import Bound, Store, WriteMode, table

LIFE = timedelta(days=400)
"""How long a job is remembered once nothing changes it any more."""
_DUE = "due"
MAX_AHEAD_MS = 365 * 86_400_000
BUCKET_MS = 300_000
"""Also the most that the clocks of two processes may differ: the bucket before the last is always looked at again."""
_DAY_MS = 86_400_000
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Note:
    """A job that may be due in a bucket of time."""

    bucket: int
    owner_id: int
    job_id: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A job by the day of its id."""

    day: int
    job_id: int
    owner_id: int


@dataclass(frozen=True, slots=True)
class Swept:
    """The first bucket that may hold a note still true. An old value costs a second look."""

    name: str
    bucket: int


JOBS = table("jobs", Job, partition=("job_id",), ttl=LIFE, mode=WriteMode.COMPARE_AND_SET, personal=owned("owner_id"))
NOTES = table(
    "jobs_due",
    Note,
    partition=("bucket",),
    clustering=("owner_id", "job_id"),
    ttl=LIFE,
    personal=owned("owner_id"),
)
LIST = table(
    "jobs_by_day",
    Listed,
    partition=("day",),
    clustering=("job_id desc",),
    ttl=LIFE,
    personal=owned("owner_id"),
)
SWEPT = table("jobs_swept", Swept, partition=("name",), personal=nobodys("how far the notes were looked through"))
JOB_TABLES = (JOBS, NOTES, LIST, SWEPT)
"""For the store of a service that has jobs."""


class Jobs:
    """Submits, reads and changes jobs. Raises the errors of ``mesh.storage``; all may be repeated."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def submit(self, job: Job, now_ms: int) -> Job:
        """Have a job done, not before ``at_ms``; the job as it stands, where it was submitted before.
        Raises ValueError for a time more than a year ahead."""
        if job.at_ms > now_ms + MAX_AHEAD_MS:
            raise ValueError("a job may be at most a year ahead")
        job = replace(job, due_ms=job.at_ms)
        if await self._first() is None:
            await self._store.put(SWEPT, SWEPT.encode(Swept(_DUE, now_ms // BUCKET_MS - 1)))
        await self._store.put(LIST, LIST.encode(Listed(time_ms(job.job_id) // _DAY_MS, job.job_id, job.owner_id)))
        await self._note(job, now_ms)
        return JOBS.decode(await standing(self._store, JOBS, JOBS.encode(job)))

    async def job(self, job_id: int) -> Job | None:
        """A job as it now is."""
        return (await self.jobs([job_id]))[0]

    async def jobs(self, job_ids: Sequence[int]) -> list[Job | None]:
        """Jobs, in the order asked."""
        rows = await self._store.multi_get(JOBS, [{"job_id": job_id} for job_id in job_ids]) if job_ids else []
        return [JOBS.decode(row) if row else None for row in rows]

    async def of_day(self, day_ms: int, limit: int) -> list[Job]:
        """Jobs submitted on the day (UTC) of a time, newest first."""
        rows = await self._store.slice(LIST, {"day": day_ms // _DAY_MS}, limit=limit)
        found = await self.jobs([LIST.decode(row).job_id for row in rows])
        return [job for job in found if job]

    async def change(self, old: Job, new: Job, now_ms: int) -> Job | None:
        """Make a job other than it was; None where it is not what it was any more. After a lost answer (TimedOut)
        the caller reads the job again: ``holder`` and ``version`` tell."""
        new = replace(new, version=old.version + 1)
        if new.state is State.OPEN and new.due_ms != old.due_ms:
            await self._note(new, now_ms)
        expected = {"version": old.version}
        outcome = await self._store.update_if(JOBS, {"job_id": old.job_id}, JOBS.changes(new), expected)
        return new if outcome.applied else None

    async def cancel(self, job_id: int, now_ms: int) -> Job | None:
        """See to it that a job does no further step; the job as it then is, None where there is none."""
        while (job := await self.job(job_id)) and job.state is State.OPEN:
            if cancelled := await self.change(job, replace(job, state=State.CANCELLED, holder=0), now_ms):
                return cancelled
        return job

    async def due(self, now_ms: int, per_owner: int) -> AsyncIterator[Job]:
        """Jobs that may be taken up now, the longest due first, of one owner at most so many from one bucket."""
        first, now = await self._first(), now_ms // BUCKET_MS
        if first is None:
            return
        for bucket in range(first, now + 1):
            settled = bucket < now - 1
            async for job in self._open_in(bucket, per_owner):
                settled = settled and job is not None and job.due_ms // BUCKET_MS > bucket and job.due_ms > now_ms
                if job and job.due_ms <= now_ms:
                    yield job
            if settled and bucket == first:
                first += 1
        await self._store.put(SWEPT, SWEPT.encode(Swept(_DUE, first)))

    async def _first(self) -> int | None:
        """The first bucket to look at; None where no job was ever submitted."""
        row = await self._store.get(SWEPT, {"name": _DUE})
        return SWEPT.decode(row).bucket if row else None

    async def _open_in(self, bucket: int, per_owner: int) -> AsyncIterator[Job | None]:
        """The open jobs noted in a bucket; None in place of one that has to wait, so that others have their turn."""
        start, taken = None, Counter[int]()
        while rows := await self._store.slice(NOTES, {"bucket": bucket}, limit=_PAGE, start=start):
            notes = [NOTES.decode(row) for row in rows]
            for job in await self.jobs([note.job_id for note in notes]):
                if job and job.state is State.OPEN:
                    taken[job.owner_id] += 1
                    yield job if taken[job.owner_id] <= per_owner else None
            last = notes[-1]
            passed = taken[last.owner_id] > per_owner
            start = Bound((last.owner_id,) if passed else (last.owner_id, last.job_id), inclusive=False)

    async def _note(self, job: Job, now_ms: int) -> None:
        bucket = max(job.due_ms, now_ms) // BUCKET_MS
        await self._store.put(NOTES, NOTES.encode(Note(bucket, job.owner_id, job.job_id)))
