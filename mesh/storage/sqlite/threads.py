"""The threads that talk to SQLite: one that writes in groups, and a few that read.

A coroutine puts a job on a bounded queue and awaits a future. A thread takes all that waits, works
it off and hands every result back to the event loop in one call, so that the cost of waking a
thread and a loop is shared by all who wait. The writer commits what it took as one transaction:
one fsync acknowledges a whole group. A job that was not begun by its deadline is dropped, so that
nothing is applied long after its caller was told that no answer came.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeAlias

from mesh.storage.contract import StorageError, Unavailable
from mesh.storage.sqlite.errors import translate, translate_commit

Work: TypeAlias = Callable[[sqlite3.Connection], Any]
_Settled: TypeAlias = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Job(NamedTuple):
    """Work whose result somebody awaits until an instant of ``time.monotonic``."""

    work: Work
    future: asyncio.Future[Any]
    until: float

    @property
    def due(self) -> bool:
        """Whether somebody still waits. The loop that would tell them otherwise may itself be late."""
        return not self.future.done() and time.monotonic() < self.until


class Worker:
    """Threads that share one queue of jobs; each has a connection of its own."""

    def __init__(self, name: str, connect: Callable[[], sqlite3.Connection], threads: int, queued: int, group: int):
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._queued, self._group = queued, group
        self._connect = connect
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{n}", daemon=True) for n in range(threads)]
        self._closed = False

    async def start(self) -> None:
        """Connect and start; raises what connecting raised."""
        self._connections = [await asyncio.to_thread(self._connect) for _ in self._threads]
        self._idle = list(self._connections)
        for thread in self._threads:
            thread.start()

    def submit(self, work: Work, until: float = math.inf) -> asyncio.Future[Any]:
        """Queue work; the future fails with a :class:`StorageError` where SQLite did. Work that was not
        begun ``until`` then is dropped without an answer: its caller keeps the time."""
        if self._closed:
            raise Unavailable("the store is closed: open it again")
        if self._queue.qsize() >= self._queued:
            raise Unavailable(f"{self._queued} requests are waiting for SQLite already: send fewer at a time")
        future = self._loop.create_future()
        self._queue.put(Job(work, future, until))
        return future

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    @property
    def alive(self) -> bool:
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    async def close(self) -> None:
        """Finish what is queued, then end the threads."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()
        for connection in self._connections:
            connection.close()

    def _run(self) -> None:
        connection = self._idle.pop()
        while (first := self._queue.get()) is not None:
            jobs, ending = self._take(first)
            self._hand_back(self.work_off(connection, jobs))
            if ending:
                return

    def _take(self, first: Job) -> tuple[list[Job], bool]:
        jobs = [first]
        try:
            while len(jobs) < self._group:
                job = self._queue.get_nowait()
                if job is None:
                    return jobs, True
                jobs.append(job)
        except Empty:
            pass
        return jobs, False

    def work_off(self, connection: sqlite3.Connection, jobs: list[Job]) -> list[_Settled]:
        return [attempt(connection, job) for job in jobs if job.due]

    def _hand_back(self, settled: list[_Settled]) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:
            # The loop is gone, and with it everyone who waited.
            return


class Writer(Worker):
    """The one thread that writes. Each group of jobs is one transaction, durable before anyone is told."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], queued: int = 8192, group: int = 512):
        super().__init__("sqlite-writer", connect, threads=1, queued=queued, group=group)

    def work_off(self, connection: sqlite3.Connection, jobs: list[Job]) -> list[_Settled]:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return _all_fail(jobs, translate(error))
        settled = []
        for job in jobs:
            if not job.due:  # Its caller is told that nothing is certain.
                continue
            settled.append(attempt(connection, job))
            if not connection.in_transaction:
                return _all_fail(jobs, Unavailable(f"SQLite gave up the whole group: {settled[-1][2]}"))
        return self._commit(connection, jobs, settled)

    def _commit(self, connection: sqlite3.Connection, jobs: list[Job], settled: list[_Settled]) -> list[_Settled]:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return _all_fail(jobs, translate_commit(error))
        return settled


class Readers(Worker):
    """A few threads that read, each as of the latest commit."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], threads: int = 2, queued: int = 8192):
        # Small groups: a slow slice should not hold up many that another thread could serve.
        super().__init__("sqlite-reader", connect, threads=threads, queued=queued, group=16)


def attempt(connection: sqlite3.Connection, job: Job) -> _Settled:
    try:
        return job.future, job.work(connection), None
    except sqlite3.Error as error:
        return job.future, None, translate(error)
    except Exception as error:
        return job.future, None, error


def _all_fail(jobs: list[Job], error: StorageError) -> list[_Settled]:
    return [(job.future, None, type(error)(*error.args)) for job in jobs]


def _settle(settled: list[_Settled]) -> None:
    for future, result, error in settled:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
