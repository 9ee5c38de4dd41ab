"""Atomic writes across tables and partitions."""

from __future__ import annotations

import asyncio

import pytest

from mesh.storage import MAX_BATCH, ContractViolation, Delete, Mutation, Put, Store
from mesh.testing.storage.tables import FEED, NOTES, PROFILES, SESSIONS, column, fresh


class Batches:
    """Promises about write."""

    async def test_a_write_holds_in_every_table_it_names(self, store: Store) -> None:
        owner, name = fresh(), f"p{fresh()}"
        await store.write(
            [
                Put(NOTES, {"owner": owner, "id": 1, "body": "n"}),
                Put(FEED, {"reader": owner, "bucket": "b", "post": 1, "author": 9}),
                Put(PROFILES, {"name": name, "bio": "p"}),
            ]
        )
        assert await store.get(NOTES, {"owner": owner, "id": 1}) is not None
        assert await store.get(FEED, {"reader": owner, "bucket": "b", "post": 1}) is not None
        assert await store.get(PROFILES, {"name": name}) is not None

    async def test_a_write_puts_and_deletes_together(self, store: Store) -> None:
        owner = fresh()
        await store.put(NOTES, {"owner": owner, "id": 1})
        await store.write([Delete(NOTES, {"owner": owner, "id": 1}), Put(NOTES, {"owner": owner, "id": 2})])
        assert column(await store.slice(NOTES, {"owner": owner}, limit=9), "id") == [2]

    async def test_a_write_of_one_mutation_is_a_put_or_a_delete(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.write([Put(NOTES, {**key, "size": 1})])
        assert await store.get(NOTES, key) is not None
        await store.write([Delete(NOTES, key)])
        assert await store.get(NOTES, key) is None

    async def test_a_write_sets_only_the_columns_it_names(self, store: Store) -> None:
        owner = fresh()
        await store.put(NOTES, {"owner": owner, "id": 1, "body": "kept", "size": 1})
        await store.write([Put(NOTES, {"owner": owner, "id": 1, "size": None}), Put(NOTES, {"owner": owner, "id": 2})])
        row = await store.get(NOTES, {"owner": owner, "id": 1})
        assert row is not None
        assert (row["body"], row["size"]) == ("kept", None)

    async def test_a_write_may_be_repeated(self, store: Store) -> None:
        owner = fresh()
        await store.put(NOTES, {"owner": owner, "id": 3})
        mutations: list[Mutation] = [
            Put(NOTES, {"owner": owner, "id": 1, "size": 1}),
            Delete(NOTES, {"owner": owner, "id": 3}),
        ]
        await store.write(mutations)
        await store.write(mutations)
        assert column(await store.slice(NOTES, {"owner": owner}, limit=9), "id") == [1]

    async def test_a_write_takes_as_many_mutations_as_it_says(self, store: Store) -> None:
        owner = fresh()
        await store.write(
            [Put(NOTES, {"owner": owner, "id": number, "body": "x" * 300}) for number in range(MAX_BATCH)]
        )
        assert len(await store.slice(NOTES, {"owner": owner}, limit=1000)) == MAX_BATCH

    async def test_a_write_that_is_refused_changes_nothing(self, store: Store) -> None:
        owner = fresh()
        with pytest.raises(ContractViolation, match="size"):
            await store.write(
                [Put(NOTES, {"owner": owner, "id": 1}), Put(NOTES, {"owner": owner, "id": 2, "size": "wrong"})]
            )
        assert await store.slice(NOTES, {"owner": owner}, limit=9) == []

    async def test_writes_from_many_callers_all_hold(self, store: Store) -> None:
        owner = fresh()
        await asyncio.gather(
            *(
                store.write([Put(NOTES, {"owner": owner, "id": 2 * n}), Put(NOTES, {"owner": owner, "id": 2 * n + 1})])
                for n in range(50)
            )
        )
        assert column(await store.slice(NOTES, {"owner": owner}, limit=1000), "id") == list(range(100))

    async def test_a_refused_caller_does_not_disturb_those_beside_it(self, store: Store) -> None:
        owner = fresh()

        async def good(number: int) -> None:
            await store.write([Put(NOTES, {"owner": owner, "id": number}), Put(FEED, _feed_row(owner, number))])

        async def bad(number: int) -> None:
            with pytest.raises(ContractViolation):
                await store.write([Put(NOTES, {"owner": owner, "id": -number, "size": "wrong"})])

        await asyncio.gather(*(each for n in range(1, 20) for each in (good(n), bad(n))))
        assert column(await store.slice(NOTES, {"owner": owner}, limit=100), "id") == list(range(1, 20))

    async def test_a_write_may_hold_rows_that_expire_beside_rows_that_stay(self, store: Store) -> None:
        owner = fresh()
        await store.write(
            [Put(SESSIONS, {"person": owner, "id": 1, "agent": "a"}), Put(NOTES, {"owner": owner, "id": 1})]
        )
        assert await store.get(SESSIONS, {"person": owner, "id": 1}) is not None
        assert await store.get(NOTES, {"owner": owner, "id": 1}) is not None


def _feed_row(reader: int, post: int) -> dict[str, int | str]:
    return {"reader": reader, "bucket": "b", "post": post, "author": 1}
