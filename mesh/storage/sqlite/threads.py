"""The threads that talk to SQLite: one that writes in groups, and a few that read.

A coroutine puts a job on a bounded queue and awaits a future. A thread takes all that waits, works
it off and hands every result back to the event loop in one call, so that the cost of waking a
thread and a loop is shared by all who wait. The writer commits what it took as one transaction:
one fsync acknowledges a whole group.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from mesh.storage.contract import StorageError, Unavailable
from mesh.storage.sqlite.errors import translate, translate_commit

Work: TypeAlias = Callable[[sqlite3.Connection], Any]
_Job: TypeAlias = tuple[Work, "asyncio.Future[Any]"]
_Settled: TypeAlias = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Worker:
    """Threads that share one queue of jobs; each has a connection of its own."""

    def __init__(self, name: str, connect: Callable[[], sqlite3.Connection], threads: int, queued: int, group: int):
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
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

    def submit(self, work: Work) -> asyncio.Future[Any]:
        """Queue work; the future fails with a :class:`StorageError` where SQLite did."""
        if self._closed:
            raise Unavailable("the store is closed: open it again")
        if self._queue.qsize() >= self._queued:
            raise Unavailable(f"{self._queued} requests are waiting for SQLite already: send fewer at a time")
        future = self._loop.create_future()
        self._queue.put((work, future))
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

    def _take(self, first: _Job) -> tuple[list[_Job], bool]:
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

    def work_off(self, connection: sqlite3.Connection, jobs: list[_Job]) -> list[_Settled]:
        return [attempt(connection, job) for job in jobs if not job[1].done()]

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

    def work_off(self, connection: sqlite3.Connection, jobs: list[_Job]) -> list[_Settled]:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return _all_fail(jobs, translate(error))
        settled = []
        for job in jobs:
            if job[1].done():  # Its caller gave up waiting, and was told that nothing is certain.
                continue
            settled.append(attempt(connection, job))
            if not connection.in_transaction:
                return _all_fail(jobs, Unavailable(f"SQLite gave up the whole group: {settled[-1][2]}"))
        return self._commit(connection, jobs, settled)

    def _commit(self, connection: sqlite3.Connection, jobs: list[_Job], settled: list[_Settled]) -> list[_Settled]:
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


def attempt(connection: sqlite3.Connection, job: _Job) -> _Settled:
    work, future = job
    try:
        return future, work(connection), None
    except sqlite3.Error as error:
        return future, None, translate(error)
    except Exception as error:
        return future, None, error


def _all_fail(jobs: list[_Job], error: StorageError) -> list[_Settled]:
    return [(future, None, type(error)(*error.args)) for _, future in jobs]


def _settle(settled: list[_Settled]) -> None:
    for future, result, error in settled:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
