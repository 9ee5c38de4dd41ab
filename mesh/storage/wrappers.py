"""Wrappers of the table contract, each written once for every engine.

Compose them from the outside in: ``Observed(Retrying(store), "media")``. Each overrides one method,
:meth:`Wrapper._around`, which runs around every verb.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, TypeVar

from opentelemetry import trace
from prometheus_client import Counter, Histogram

from mesh import deadline
from mesh.spans import span
from mesh.storage.contract import (
    Bound,
    Difference,
    Key,
    Mutation,
    Outcome,
    Row,
    StorageError,
    Store,
    StoreHealth,
    TableSpec,
    TimedOut,
    Unavailable,
)

T = TypeVar("T")
Run: TypeAlias = Callable[[], Awaitable[T]]

LATENCY = Histogram(
    "tintype_storage_seconds",
    "How long one request to a store took, answered or not.",
    ("service", "table", "verb"),
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ERRORS = Counter(
    "tintype_storage_errors_total",
    "Requests to a store that failed, by error.",
    ("service", "table", "verb", "error"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a verb. ``table`` is empty for ``create`` and names every table of a ``write``."""

    verb: str
    table: str

    @property
    def idempotent(self) -> bool:
        return self.verb not in ("insert_if_absent", "update_if")


class Wrapper:
    """Passes every verb through to another store; a subclass says what happens around it."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    async def _around(self, call: Call, run: Run[T]) -> T:
        return await run()

    async def create(self, tables: Sequence[TableSpec]) -> None:
        await self._around(Call("create", ""), lambda: self._inner.create(tables))

    async def compare(self, tables: Sequence[TableSpec]) -> list[Difference]:
        return await self._around(Call("compare", ""), lambda: self._inner.compare(tables))

    async def put(self, table: TableSpec, row: Row, ttl: timedelta | None = None) -> None:
        await self._around(Call("put", table.name), lambda: self._inner.put(table, row, ttl))

    async def delete(self, table: TableSpec, key: Key) -> None:
        await self._around(Call("delete", table.name), lambda: self._inner.delete(table, key))

    async def write(self, mutations: Sequence[Mutation]) -> None:
        tables = "+".join(sorted({mutation.table.name for mutation in mutations}))
        await self._around(Call("write", tables), lambda: self._inner.write(mutations))

    async def insert_if_absent(self, table: TableSpec, row: Row) -> Outcome:
        return await self._around(
            Call("insert_if_absent", table.name), lambda: self._inner.insert_if_absent(table, row)
        )

    async def update_if(self, table: TableSpec, key: Key, changes: Row, expected: Row) -> Outcome:
        call = Call("update_if", table.name)
        return await self._around(call, lambda: self._inner.update_if(table, key, changes, expected))

    async def get(self, table: TableSpec, key: Key) -> Row | None:
        return await self._around(Call("get", table.name), lambda: self._inner.get(table, key))

    async def multi_get(self, table: TableSpec, keys: Sequence[Key]) -> list[Row | None]:
        return await self._around(Call("multi_get", table.name), lambda: self._inner.multi_get(table, keys))

    async def slice(
        self,
        table: TableSpec,
        partition: Key,
        *,
        limit: int,
        start: Bound | None = None,
        end: Bound | None = None,
        reverse: bool = False,
    ) -> list[Row]:
        def run() -> Awaitable[list[Row]]:
            return self._inner.slice(table, partition, limit=limit, start=start, end=end, reverse=reverse)

        return await self._around(Call("slice", table.name), run)

    async def health(self) -> StoreHealth:
        return await self._inner.health()

    async def close(self) -> None:
        await self._inner.close()


class Observed(Wrapper):
    """A histogram and an error counter per table and verb, and a span where the caller is being traced."""

    def __init__(self, inner: Store, service: str, tracer: trace.Tracer | None = None) -> None:
        super().__init__(inner)
        self._service = service
        self._tracer = tracer or trace.get_tracer("tintype.storage")
        self._latencies: dict[Call, Histogram] = {}

    async def _around(self, call: Call, run: Run[T]) -> T:
        latency = self._latencies.get(call)
        if latency is None:
            latency = self._latencies[call] = LATENCY.labels(self._service, call.table, call.verb)
        started = time.perf_counter()
        try:
            if trace.get_current_span().is_recording():
                return await self._traced(call, run)
            return await run()
        except StorageError as error:
            ERRORS.labels(self._service, call.table, call.verb, type(error).__name__).inc()
            raise
        finally:
            latency.observe(time.perf_counter() - started)

    async def _traced(self, call: Call, run: Run[T]) -> T:
        # The names of OpenTelemetry's conventions for databases; never a key or a value, which may be private.
        attributes = {"db.operation.name": call.verb, "db.collection.name": call.table, "db.namespace": self._service}
        with span(self._tracer, f"{call.verb} {call.table}", trace.SpanKind.CLIENT, attributes):
            return await run()


class Retrying(Wrapper):
    """Repeats what failed for the moment: idempotent verbs only, a few times, within the caller's deadline.

    Waits a random time up to ``base_s``, ``2 * base_s``, … before each repetition, so that many
    callers do not come back at once. Compare-and-set is never repeated: its caller must read back.
    """

    def __init__(self, inner: Store, attempts: int = 3, base_s: float = 0.05) -> None:
        super().__init__(inner)
        self._attempts, self._base_s = attempts, base_s

    async def _around(self, call: Call, run: Run[T]) -> T:
        for attempt in range(1, self._attempts):
            try:
                return await run()
            except (Unavailable, TimedOut):
                pause = random.uniform(0, self._base_s * 2 ** (attempt - 1))
                left = deadline.remaining()
                if not call.idempotent or (left is not None and left <= pause):
                    raise
            await asyncio.sleep(pause)
        return await run()


@dataclass(slots=True)
class _Fault:
    verb: str
    table: str | None
    times: int
    error: StorageError | None
    applied: bool
    released: asyncio.Event | None


class Faulty(Wrapper):
    """For tests: does what a real store does on a bad day, as scripted, in the order scripted.

    ``table`` None stands for any table. A fault is used up after ``times`` matching calls.
    """

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self._faults: list[_Fault] = []

    def fail(self, verb: str, table: str | None = None, *, error: StorageError | None = None, times: int = 1) -> None:
        """Refuse without doing anything; :class:`Unavailable` unless told otherwise."""
        refusal = error or Unavailable("scripted: nothing was applied")
        self._faults.append(_Fault(verb, table, times, refusal, applied=False, released=None))

    def lose_answer(self, verb: str, table: str | None = None, *, times: int = 1) -> None:
        """Do the work, then report that no answer came in time."""
        lost = TimedOut("scripted: applied, but the answer was lost")
        self._faults.append(_Fault(verb, table, times, lost, applied=True, released=None))

    def hold(self, verb: str, table: str | None = None, *, times: int = 1) -> asyncio.Event:
        """Do nothing before the returned event is set; then do the work."""
        released = asyncio.Event()
        self._faults.append(_Fault(verb, table, times, None, applied=True, released=released))
        return released

    def heal(self) -> None:
        """Forget every fault that was not used up."""
        self._faults.clear()

    async def _around(self, call: Call, run: Run[T]) -> T:
        fault = self._next(call)
        if fault is None:
            return await run()
        if fault.released is not None:
            await fault.released.wait()
        if fault.error is None:
            return await run()
        if fault.applied:
            await run()
        raise type(fault.error)(*fault.error.args)

    def _next(self, call: Call) -> _Fault | None:
        for fault in self._faults:
            if fault.verb == call.verb and fault.table in (None, *call.table.split("+")):
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None
