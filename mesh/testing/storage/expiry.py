"""Rows that expire. Real engines keep their own time, so these tests wait for what must come, with a generous bound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from mesh.storage import Put, Row, Store
from mesh.testing.storage.tables import REQUESTS, SESSIONS, Values, column, fresh

_SECOND = timedelta(seconds=1)
_BOUND_S = 20.0
_POLL_S = 0.05


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as the condition holds; fail after 20 seconds."""
    give_up = time.monotonic() + _BOUND_S
    while not await condition():
        assert time.monotonic() < give_up, f"did not come true within {_BOUND_S} s"
        await asyncio.sleep(_POLL_S)


class Expiry:
    """Promises about ttl."""

    async def test_a_row_lives_until_its_time_has_come(self, store: Store) -> None:
        row: Values = {"person": fresh(), "id": 1, "agent": "a"}
        await store.put(SESSIONS, row)
        assert await store.get(SESSIONS, {"person": row["person"], "id": 1}) == row

    async def test_an_expired_row_is_gone_from_every_read(self, store: Store) -> None:
        person = fresh()
        short, long = {"person": person, "id": 1}, {"person": person, "id": 2}
        await store.put(SESSIONS, {**short, "agent": "short"}, ttl=_SECOND)
        await store.put(SESSIONS, {**long, "agent": "long"})
        await until(lambda: _gone(store, short))
        rows = await store.multi_get(SESSIONS, [short, long])
        assert [row and row["agent"] for row in rows] == [None, "long"]
        assert column(await store.slice(SESSIONS, {"person": person}, limit=9), "id") == [2]

    async def test_a_slice_is_not_shortened_by_rows_that_expired(self, store: Store) -> None:
        person = fresh()
        for number in range(6):
            ttl = _SECOND if number % 2 == 0 else None
            await store.put(SESSIONS, {"person": person, "id": number, "agent": "a"}, ttl=ttl)
        await until(lambda: _gone(store, {"person": person, "id": 4}))
        assert column(await store.slice(SESSIONS, {"person": person}, limit=3), "id") == [1, 3, 5]

    async def test_writing_a_row_again_gives_it_a_new_life(self, store: Store) -> None:
        person = fresh()
        key, witness = {"person": person, "id": 1}, {"person": person, "id": 2}
        await store.put(SESSIONS, {**key, "agent": "first"}, ttl=_SECOND)
        await store.put(SESSIONS, {**key, "agent": "second"})
        await store.put(SESSIONS, {**witness, "agent": "witness"}, ttl=_SECOND)
        await until(lambda: _gone(store, witness))
        assert await store.get(SESSIONS, key) == {**key, "agent": "second"}

    async def test_a_shorter_life_replaces_a_longer_one(self, store: Store) -> None:
        key = {"person": fresh(), "id": 1}
        await store.put(SESSIONS, {**key, "agent": "first"})
        await store.put(SESSIONS, {**key, "agent": "second"}, ttl=_SECOND)
        await until(lambda: _gone(store, key))

    async def test_an_expired_row_can_be_put_again(self, store: Store) -> None:
        key = {"person": fresh(), "id": 1}
        await store.put(SESSIONS, {**key, "agent": "first"}, ttl=_SECOND)
        await until(lambda: _gone(store, key))
        await store.put(SESSIONS, {**key, "agent": None})
        assert await store.get(SESSIONS, key) == {**key, "agent": None}

    async def test_each_row_of_a_write_has_its_own_life(self, store: Store) -> None:
        person = fresh()
        short, long = {"person": person, "id": 1}, {"person": person, "id": 2}
        await store.write([Put(SESSIONS, {**short, "agent": "a"}, ttl=_SECOND), Put(SESSIONS, {**long, "agent": "b"})])
        await until(lambda: _gone(store, short))
        assert await store.get(SESSIONS, long) is not None

    async def test_an_expired_claim_can_be_claimed_again(self, store: Store) -> None:
        key = {"request": f"r{fresh()}"}
        assert (await store.insert_if_absent(REQUESTS, {**key, "answer": "first"})).applied

        async def claimed_again() -> bool:
            return (await store.insert_if_absent(REQUESTS, {**key, "answer": "second"})).applied

        await until(claimed_again)
        assert await store.get(REQUESTS, key) == {**key, "answer": "second"}

    async def test_an_expired_claim_cannot_be_changed(self, store: Store) -> None:
        key = {"request": f"r{fresh()}"}
        await store.insert_if_absent(REQUESTS, {**key, "answer": None})

        async def gone() -> bool:
            return await store.get(REQUESTS, key) is None

        await until(gone)
        assert not (await store.update_if(REQUESTS, key, {"answer": "late"}, {})).applied
        assert await store.get(REQUESTS, key) is None

    async def test_a_changed_claim_still_expires_and_leaves_nothing(self, store: Store) -> None:
        key = {"request": f"r{fresh()}"}
        await store.insert_if_absent(REQUESTS, {**key, "answer": None})
        assert (await store.update_if(REQUESTS, key, {"answer": "done"}, {"answer": None})).applied

        async def gone() -> bool:
            return await store.get(REQUESTS, key) is None

        await until(gone)


async def _gone(store: Store, key: Row) -> bool:
    return await store.get(SESSIONS, key) is None
