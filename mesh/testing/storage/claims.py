"""Compare-and-set: claims, changes, and many who want the same."""

from __future__ import annotations

import asyncio

import pytest

from mesh.storage import Outcome, Row, Store, TimedOut
from mesh.testing.storage.tables import CLAIMS, LIKES, column, fresh

_CLAIMANTS = 64


class Claims:
    """Promises about insert_if_absent and update_if."""

    async def test_the_first_claim_is_applied(self, store: Store) -> None:
        name = f"n{fresh()}"
        outcome = await store.insert_if_absent(CLAIMS, {"name": name, "owner": 1, "claim": "c"})
        assert outcome == Outcome(applied=True)
        expected = {"name": name, "owner": 1, "claim": "c", "verified": None}
        assert await store.get(CLAIMS, {"name": name}) == expected

    async def test_the_second_claim_is_refused_with_the_row_in_its_way(self, store: Store) -> None:
        name = f"n{fresh()}"
        await store.insert_if_absent(CLAIMS, {"name": name, "owner": 1, "claim": "first", "verified": True})
        outcome = await store.insert_if_absent(CLAIMS, {"name": name, "owner": 2, "claim": "second"})
        assert not outcome.applied
        assert outcome.current == {"name": name, "owner": 1, "claim": "first", "verified": True}

    async def test_a_refused_claim_changes_nothing(self, store: Store) -> None:
        name = f"n{fresh()}"
        await store.insert_if_absent(CLAIMS, {"name": name, "owner": 1})
        await store.insert_if_absent(CLAIMS, {"name": name, "owner": 2, "claim": "second", "verified": True})
        assert await store.get(CLAIMS, {"name": name}) == {"name": name, "owner": 1, "claim": None, "verified": None}

    async def test_a_key_alone_can_be_claimed(self, store: Store) -> None:
        name = f"n{fresh()}"
        assert (await store.insert_if_absent(CLAIMS, {"name": name})).applied
        assert not (await store.insert_if_absent(CLAIMS, {"name": name})).applied

    async def test_one_of_many_claimants_wins_and_all_agree_who(self, store: Store) -> None:
        name = f"n{fresh()}"
        outcomes = await asyncio.gather(*(_claim(store, name, owner) for owner in range(_CLAIMANTS)))
        winners = [owner for owner, (applied, _) in enumerate(outcomes) if applied]
        assert len(winners) == 1
        assert {row["owner"] for _, row in outcomes} == set(winners)

    async def test_claims_of_different_keys_do_not_disturb_each_other(self, store: Store) -> None:
        names = [f"n{fresh()}" for _ in range(40)]
        outcomes = await asyncio.gather(*(_claim(store, name, 1) for name in names))
        assert all(applied for applied, _ in outcomes)

    async def test_update_if_changes_a_row_that_holds_what_was_expected(self, store: Store) -> None:
        key = await _claimed(store, owner=1, claim="old")
        outcome = await store.update_if(CLAIMS, key, {"claim": "new", "verified": True}, {"claim": "old", "owner": 1})
        assert outcome == Outcome(applied=True)
        assert await store.get(CLAIMS, key) == {**key, "owner": 1, "claim": "new", "verified": True}

    async def test_update_if_refuses_a_row_that_holds_something_else(self, store: Store) -> None:
        key = await _claimed(store, owner=1, claim="old")
        outcome = await store.update_if(CLAIMS, key, {"claim": "new"}, {"owner": 2})
        assert outcome == Outcome(applied=False, current={**key, "owner": 1, "claim": "old", "verified": None})
        row = await store.get(CLAIMS, key)
        assert row is not None
        assert row["claim"] == "old"

    async def test_update_if_refuses_where_one_of_several_expectations_fails(self, store: Store) -> None:
        key = await _claimed(store, owner=1, claim="old")
        assert not (await store.update_if(CLAIMS, key, {"claim": "new"}, {"owner": 1, "claim": "other"})).applied

    async def test_update_if_of_a_row_that_is_not_there_is_refused_and_creates_none(self, store: Store) -> None:
        key = {"name": f"n{fresh()}"}
        assert await store.update_if(CLAIMS, key, {"owner": 1}, {"claim": "c"}) == Outcome(applied=False, current=None)
        assert await store.get(CLAIMS, key) is None

    async def test_update_if_without_expectations_asks_that_the_row_exists(self, store: Store) -> None:
        key = await _claimed(store, owner=1)
        assert (await store.update_if(CLAIMS, key, {"owner": 2}, {})).applied
        missing = {"name": f"n{fresh()}"}
        assert not (await store.update_if(CLAIMS, missing, {"owner": 2}, {})).applied
        assert await store.get(CLAIMS, missing) is None

    async def test_expecting_none_holds_for_an_unset_column(self, store: Store) -> None:
        key = await _claimed(store, owner=1)
        assert (await store.update_if(CLAIMS, key, {"claim": "c"}, {"claim": None})).applied
        assert not (await store.update_if(CLAIMS, key, {"claim": "d"}, {"claim": None})).applied

    async def test_expecting_none_of_a_row_that_is_not_there_creates_none(self, store: Store) -> None:
        key = {"name": f"n{fresh()}"}
        assert not (await store.update_if(CLAIMS, key, {"owner": 1}, {"claim": None})).applied
        assert await store.get(CLAIMS, key) is None

    async def test_update_if_can_clear_a_column(self, store: Store) -> None:
        key = await _claimed(store, owner=1, claim="c")
        assert (await store.update_if(CLAIMS, key, {"owner": None, "claim": None}, {"owner": 1})).applied
        assert await store.get(CLAIMS, key) == {**key, "owner": None, "claim": None, "verified": None}

    async def test_a_row_whose_columns_were_all_cleared_still_holds_its_key(self, store: Store) -> None:
        key = await _claimed(store, owner=1)
        await store.update_if(CLAIMS, key, {"owner": None}, {"owner": 1})
        assert not (await store.insert_if_absent(CLAIMS, {**key, "owner": 2})).applied
        assert (await store.update_if(CLAIMS, key, {"owner": 2}, {"owner": None})).applied

    @pytest.mark.parametrize("flag", [True, False])
    async def test_false_is_not_unset(self, store: Store, flag: bool) -> None:
        name = f"n{fresh()}"
        await store.insert_if_absent(CLAIMS, {"name": name, "verified": flag})
        key = {"name": name}
        assert not (await store.update_if(CLAIMS, key, {"owner": 1}, {"verified": None})).applied
        assert not (await store.update_if(CLAIMS, key, {"owner": 1}, {"verified": not flag})).applied
        assert (await store.update_if(CLAIMS, key, {"owner": 1}, {"verified": flag})).applied

    async def test_of_many_who_change_the_same_version_one_succeeds(self, store: Store) -> None:
        key = await _claimed(store, owner=0)
        outcomes = await asyncio.gather(*(_change(store, key, expected=0, wanted=n) for n in range(1, 17)))
        assert sum(outcomes) == 1

    async def test_a_counter_kept_by_compare_and_set_loses_no_step(self, store: Store) -> None:
        key = await _claimed(store, owner=0)
        unknown = sum(await asyncio.gather(*(_count_up(store, key, steps=5) for _ in range(4))))
        row = await store.get(CLAIMS, key)
        assert row is not None
        assert isinstance(row["owner"], int)
        assert 20 <= row["owner"] <= 20 + unknown

    async def test_rows_of_one_partition_are_claimed_each_on_its_own(self, store: Store) -> None:
        post = fresh()
        for person in (3, 1, 2):
            assert (await store.insert_if_absent(LIKES, {"post": post, "person": person, "state": "liked"})).applied
        assert (
            await store.update_if(LIKES, {"post": post, "person": 2}, {"state": "unliked"}, {"state": "liked"})
        ).applied
        rows = await store.slice(LIKES, {"post": post}, limit=10)
        assert column(rows, "person") == [1, 2, 3]
        assert column(rows, "state") == ["liked", "unliked", "liked"]

    async def test_claims_are_read_by_multi_get(self, store: Store) -> None:
        names = [f"n{fresh()}" for _ in range(3)]
        await store.insert_if_absent(CLAIMS, {"name": names[1], "owner": 5})
        rows = await store.multi_get(CLAIMS, [{"name": name} for name in names])
        assert [row and row["owner"] for row in rows] == [None, 5, None]


async def _claimed(store: Store, **columns: int | str) -> dict[str, str]:
    key = {"name": f"n{fresh()}"}
    assert (await store.insert_if_absent(CLAIMS, {**key, **columns})).applied
    return key


async def _claim(store: Store, name: str, owner: int) -> tuple[bool, Row]:
    """Claim as the contract tells callers to: where the answer was lost, read back and look whose it is."""
    try:
        outcome = await store.insert_if_absent(CLAIMS, {"name": name, "owner": owner, "claim": f"claim-{owner}"})
    except TimedOut:
        outcome = Outcome(applied=False)
    row = await store.get(CLAIMS, {"name": name})
    assert row is not None
    assert outcome.applied <= (row["claim"] == f"claim-{owner}")
    return row["claim"] == f"claim-{owner}", row


async def _change(store: Store, key: Row, expected: int, wanted: int) -> bool:
    try:
        return (await store.update_if(CLAIMS, key, {"owner": wanted}, {"owner": expected})).applied
    except TimedOut:
        row = await store.get(CLAIMS, key)
        assert row is not None
        return row["owner"] == wanted


async def _count_up(store: Store, key: Row, steps: int) -> int:
    """Add one ``steps`` times; how many steps may have counted twice, because their answer was lost."""
    unknown = done = 0
    while done < steps:
        row = await store.get(CLAIMS, key)
        assert row is not None
        count = row["owner"]
        assert isinstance(count, int)
        try:
            done += (await store.update_if(CLAIMS, key, {"owner": count + 1}, {"owner": count})).applied
        except TimedOut:
            unknown += 1
    return unknown
