"""Request ids: one effect for thirty days, whoever repeats, and a refusal for other content."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from cli.holdings import tables
from mesh.claims import RequestIds, request_table
from mesh.claims.request_ids import LIFE
from mesh.clock import FakeClock
from mesh.errors import Code, Problem
from mesh.storage import TimedOut, open_store
from mesh.storage.wrappers import Faulty

TABLE = request_table()
ANA, BEN = 11, 12
DAY_MS = 86_400_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_800_000_000_000)


@pytest.fixture
async def store(clock: FakeClock) -> AsyncIterator[Faulty]:
    store = await open_store("sqlite::memory:", "requests", clock)
    await store.create([TABLE])
    yield Faulty(store)
    await store.close()


@pytest.fixture
def ids(store: Faulty) -> RequestIds:
    return RequestIds(store, TABLE, "post")


async def test_of_many_at_once_the_first_counts(ids: RequestIds) -> None:
    answers = await asyncio.gather(*(ids.claim(ANA, "r1", answer, b"same", b"memo") for answer in range(8)))
    assert len({answer.answer_id for answer in answers}) == 1
    assert await ids.find(ANA, "r1") == answers[0]
    assert answers[0].memo == b"memo"


async def test_other_content_is_refused(ids: RequestIds) -> None:
    await ids.claim(ANA, "r1", 1, b"one")
    with pytest.raises(Problem) as refused:
        await ids.claim(ANA, "r1", 2, b"two")
    assert (refused.value.code, refused.value.reason) == (Code.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_an_id_is_its_owners_own_and_of_its_kind(ids: RequestIds, store: Faulty) -> None:
    await ids.claim(ANA, "r1", 1, b"one")
    assert (await ids.claim(BEN, "r1", 2, b"two")).answer_id == 2
    assert (await RequestIds(store, TABLE, "upload").claim(ANA, "r1", 3, b"three")).answer_id == 3


async def test_no_id_stands_for_nothing(ids: RequestIds) -> None:
    assert (await ids.claim(ANA, "", 1, b"one")).answer_id == 1
    assert (await ids.claim(ANA, "", 2, b"two")).answer_id == 2
    assert await ids.find(ANA, "") is None


async def test_an_id_lives_thirty_days_and_no_longer(ids: RequestIds, clock: FakeClock) -> None:
    await ids.claim(ANA, "r1", 1, b"one")
    clock.advance(30 * DAY_MS - 1)
    assert (await ids.claim(ANA, "r1", 2, b"one")).answer_id == 1
    clock.advance(1)
    assert (await ids.claim(ANA, "r1", 2, b"two")).answer_id == 2


async def test_a_lost_answer_is_read_back(ids: RequestIds, store: Faulty) -> None:
    store.lose_answer("insert_if_absent")
    assert (await ids.claim(ANA, "r1", 1, b"one")).answer_id == 1


async def test_what_is_not_there_after_a_timeout_may_still_come(ids: RequestIds, store: Faulty) -> None:
    store.fail("insert_if_absent", error=TimedOut("not yet"))
    with pytest.raises(TimedOut):
        await ids.claim(ANA, "r1", 1, b"one")


async def test_an_id_whose_answer_will_never_be_stands_for_another(ids: RequestIds) -> None:
    old = await ids.claim(ANA, "r1", 1, b"one")
    assert (await ids.renew(old, 2, b"new")).answer_id == 2
    # Whoever comes late with the same wish gets what stands.
    assert (await ids.renew(old, 3)).memo == b"new"


def test_every_service_keeps_them_in_the_same_table_for_the_same_time() -> None:
    found = [table for declared in tables().values() for table in declared if table.name == TABLE.name]
    assert len(found) == 3
    assert {table.ttl for table in found} == {LIFE} == {timedelta(days=30)}
    keyed = [table for declared in tables().values() for table in declared if "request_id" in table.partition]
    assert keyed == found
