from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from mesh import deadline
from mesh.clock import FakeClock
from mesh.storage import ContractViolation, Put, Store, TimedOut, Unavailable, open_store
from mesh.storage.wrappers import Faulty, Observed, Retrying
from mesh.testing.storage.tables import CLAIMS, NOTES, PROFILES

_KEY = {"owner": 1, "id": 1}


@pytest_asyncio.fixture
async def faulty() -> AsyncIterator[Faulty]:
    store = await open_store("sqlite::memory:", "wrapped", FakeClock())
    await store.create([NOTES, PROFILES, CLAIMS])
    yield Faulty(store)
    await store.close()


class TestFaulty:
    async def test_without_faults_everything_passes_through(self, faulty: Faulty) -> None:
        await faulty.put(NOTES, {**_KEY, "body": "b"})
        row = await faulty.get(NOTES, _KEY)
        assert row is not None
        assert row["body"] == "b"
        assert len(await faulty.slice(NOTES, {"owner": 1}, limit=5)) == 1
        assert (await faulty.health()).ready

    async def test_a_failed_write_was_not_applied(self, faulty: Faulty) -> None:
        faulty.fail("put", "notes")
        with pytest.raises(Unavailable):
            await faulty.put(NOTES, _KEY)
        assert await faulty.get(NOTES, _KEY) is None

    async def test_a_write_whose_answer_is_lost_was_applied(self, faulty: Faulty) -> None:
        faulty.lose_answer("insert_if_absent")
        with pytest.raises(TimedOut):
            await faulty.insert_if_absent(CLAIMS, {"name": "n", "claim": "mine"})
        row = await faulty.get(CLAIMS, {"name": "n"})
        assert row is not None
        assert row["claim"] == "mine"

    async def test_a_fault_ends_after_its_times(self, faulty: Faulty) -> None:
        faulty.fail("get", times=2)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await faulty.get(NOTES, _KEY)
        assert await faulty.get(NOTES, _KEY) is None

    async def test_a_fault_concerns_its_verb_and_table_alone(self, faulty: Faulty) -> None:
        faulty.fail("put", "profiles")
        await faulty.put(NOTES, _KEY)
        assert await faulty.get(PROFILES, {"name": "n"}) is None
        with pytest.raises(Unavailable):
            await faulty.put(PROFILES, {"name": "n"})

    async def test_a_fault_of_a_table_concerns_writes_that_hold_it(self, faulty: Faulty) -> None:
        faulty.fail("write", "profiles")
        with pytest.raises(Unavailable):
            await faulty.write([Put(NOTES, _KEY), Put(PROFILES, {"name": "n"})])
        assert await faulty.get(NOTES, _KEY) is None

    async def test_a_held_call_goes_on_when_released(self, faulty: Faulty) -> None:
        released = faulty.hold("put")
        held = asyncio.create_task(faulty.put(NOTES, _KEY))
        await asyncio.sleep(0)
        assert await faulty.get(NOTES, _KEY) is None
        released.set()
        await held
        assert await faulty.get(NOTES, _KEY) is not None

    async def test_healing_forgets_faults(self, faulty: Faulty) -> None:
        faulty.fail("put", times=100)
        faulty.heal()
        await faulty.put(NOTES, _KEY)


class TestRetrying:
    async def test_what_failed_for_the_moment_is_repeated(self, faulty: Faulty) -> None:
        faulty.fail("put", times=2)
        await Retrying(faulty, base_s=0).put(NOTES, _KEY)
        assert await faulty.get(NOTES, _KEY) is not None

    async def test_a_lost_answer_of_a_write_is_repeated(self, faulty: Faulty) -> None:
        faulty.lose_answer("write")
        await Retrying(faulty, base_s=0).write([Put(NOTES, _KEY)])

    async def test_it_gives_up_after_a_few_attempts(self, faulty: Faulty) -> None:
        faulty.fail("get", times=3)
        with pytest.raises(Unavailable):
            await Retrying(faulty, attempts=3, base_s=0).get(NOTES, _KEY)
        assert await faulty.get(NOTES, _KEY) is None  # All three were used.

    @pytest.mark.parametrize("error", [Unavailable("x"), TimedOut("x")])
    async def test_a_compare_and_set_is_never_repeated(self, faulty: Faulty, error: Unavailable | TimedOut) -> None:
        store = Retrying(faulty, base_s=0)
        faulty.fail("insert_if_absent", error=error)
        with pytest.raises(type(error)):
            await store.insert_if_absent(CLAIMS, {"name": "n"})
        faulty.fail("update_if", error=error)
        with pytest.raises(type(error)):
            await store.update_if(CLAIMS, {"name": "n"}, {"owner": 1}, {})

    async def test_a_contract_violation_is_never_repeated(self, faulty: Faulty) -> None:
        faulty.fail("put", error=ContractViolation("wrong"))
        with pytest.raises(ContractViolation, match="wrong"):
            await Retrying(faulty, base_s=0).put(NOTES, _KEY)
        assert await faulty.get(NOTES, _KEY) is None

    async def test_it_does_not_wait_past_the_deadline(self, faulty: Faulty) -> None:
        faulty.fail("get", times=100)
        with deadline.limit(0.5), pytest.raises(Unavailable):
            await asyncio.wait_for(Retrying(faulty, attempts=50, base_s=60).get(NOTES, _KEY), 30)


class TestObserved:
    service: ClassVar[str] = "observed"

    def _count(self, name: str, table: str, verb: str, **more: str) -> float:
        labels = {"service": self.service, "table": table, "verb": verb, **more}
        return REGISTRY.get_sample_value(name, labels) or 0.0

    async def test_each_request_is_counted_by_table_and_verb(self, faulty: Store) -> None:
        store = Observed(faulty, self.service)
        before = self._count("tintype_storage_seconds_count", "notes", "put")
        await store.put(NOTES, _KEY)
        await store.get(NOTES, _KEY)
        assert self._count("tintype_storage_seconds_count", "notes", "put") == before + 1

    async def test_failures_are_counted_by_error_and_still_timed(self, faulty: Faulty) -> None:
        store = Observed(faulty, self.service)
        timed = self._count("tintype_storage_seconds_count", "notes", "get")
        failed = self._count("tintype_storage_errors_total", "notes", "get", error="Unavailable")
        faulty.fail("get")
        with pytest.raises(Unavailable):
            await store.get(NOTES, _KEY)
        assert self._count("tintype_storage_seconds_count", "notes", "get") == timed + 1
        assert self._count("tintype_storage_errors_total", "notes", "get", error="Unavailable") == failed + 1

    async def test_a_traced_caller_gets_a_span_that_tells_no_values(self, faulty: Faulty) -> None:
        spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(spans))
        tracer = provider.get_tracer("test")
        store = Observed(faulty, self.service, tracer=tracer)
        await store.put(NOTES, _KEY)
        assert spans.get_finished_spans() == ()
        with tracer.start_as_current_span("caller"):
            await store.put(NOTES, {**_KEY, "body": "private"})
        span, _ = spans.get_finished_spans()
        assert span.name == "put notes"
        assert span.attributes is not None
        assert span.attributes["db.namespace"] == self.service
        assert "private" not in str(span.attributes)
