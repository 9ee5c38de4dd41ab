"""What the contract forbids is refused by every engine in the same words, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mesh import deadline
from mesh.personal import owned
from mesh.storage import (
    MAX_BATCH,
    MAX_KEY_BYTES,
    MAX_KEYS,
    MAX_SLICE,
    MAX_VALUE_BYTES,
    Bound,
    Clustering,
    ContractViolation,
    Delete,
    Put,
    Store,
    TableSpec,
    Unavailable,
)
from mesh.testing.storage.tables import (
    BLOBS,
    CLAIMS,
    FLOAT,
    INT,
    MIXED,
    NOTES,
    PROFILES,
    REQUESTS,
    SESSIONS,
    TEXT,
    WORDS,
    fresh,
)

_BAD_VALUES: list[tuple[str, Any, str]] = [
    ("size", "1", "takes an int, not str"),
    ("size", True, "takes an int, not bool"),
    ("size", 1.0, "takes an int, not float"),
    ("size", 2**63, "64 bits"),
    ("size", -(2**63) - 1, "64 bits"),
    ("score", 1, "takes a float, not int"),
    ("score", float("nan"), "NaN"),
    ("pinned", 1, "takes a bool, not int"),
    ("body", b"b", "takes a str, not bytes"),
    ("body", "a\0b", "NUL"),
    ("body", "\ud800", "surrogate"),
    ("body", "x" * (MAX_VALUE_BYTES + 1), "at most"),
    ("body", "é" * (MAX_VALUE_BYTES // 2 + 1), "at most"),
    ("raw", "r", "takes bytes, not str"),
    ("raw", bytearray(b"r"), "takes bytes, not bytearray"),
    ("raw", b"r" * (MAX_VALUE_BYTES + 1), "at most"),
]
_BAD_DECLARATIONS: list[tuple[dict[str, Any], str]] = [
    ({"name": "Upper"}, "snake case"),
    ({"name": "drop table x; --"}, "snake case"),
    ({"name": "1st"}, "snake case"),
    ({"name": ""}, "snake case"),
    ({"name": "x" * 49}, "48 characters"),
    ({"name": "tintype_tables"}, "reserved"),
    ({"partition": {}}, "no partition key"),
    ({"partition": {"p q": INT}}, "snake case"),
    ({"partition": {"p": FLOAT}}, "FLOAT"),
    ({"partition": {"p": "bigint"}}, "ColumnType"),
    ({"columns": {"p": TEXT}}, "declared twice"),
    ({"columns": {"tintype_expires_ms": INT}}, "reserved"),
    ({"columns": {f"c{n}": INT for n in range(65)}}, "at most 64"),
    ({"clustering": (Clustering("p", INT),)}, "declared twice"),
    ({"clustering": (Clustering("c", FLOAT),)}, "FLOAT"),
    ({"clustering": tuple(Clustering(f"c{n}", INT) for n in range(8))}, "key columns"),
    ({"ttl": timedelta(milliseconds=500)}, "ttl"),
    ({"ttl": timedelta(0)}, "ttl"),
    ({"ttl": timedelta(seconds=1.5)}, "whole seconds"),
    ({"ttl": timedelta(days=36_500)}, "ttl"),
    ({"defaults": {"p": 1}}, "outside the key"),
    ({"defaults": {"v": 1}}, "takes a str"),
    ({"personal": owned("owner")}, "'owner' does not exist"),
]
_PLAIN = TableSpec(name="plain", partition={"p": INT}, columns={"v": TEXT})


class Refusals:
    """Promises about requests that no engine may serve."""

    @pytest.mark.parametrize(("column", "value", "complaint"), _BAD_VALUES)
    async def test_a_value_its_column_cannot_hold(
        self, store: Store, column: str, value: object, complaint: str
    ) -> None:
        key = {"owner": fresh(), "id": 1}
        with pytest.raises(ContractViolation, match=complaint) as refused:
            await store.put(NOTES, {**key, column: value})  # type: ignore[dict-item]
        assert "'notes'" in str(refused.value)
        assert f"'{column}'" in str(refused.value)
        assert await store.get(NOTES, key) is None

    async def test_a_put_without_its_whole_key(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="lacks 'id'"):
            await store.put(NOTES, {"owner": fresh(), "body": "b"})

    async def test_a_key_without_a_clustering_column(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="lacks 'id'"):
            await store.get(NOTES, {"owner": fresh()})
        with pytest.raises(ContractViolation, match="lacks 'id'"):
            await store.delete(NOTES, {"owner": fresh()})

    async def test_a_key_that_names_more_than_the_key(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="'body'"):
            await store.get(NOTES, {"owner": fresh(), "id": 1, "body": "b"})

    async def test_a_column_the_table_does_not_have(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="'colour'"):
            await store.put(NOTES, {"owner": fresh(), "id": 1, "colour": "red"})

    async def test_none_in_a_key(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match=r"'owner'.*None"):
            await store.put(NOTES, {"owner": None, "id": 1})
        with pytest.raises(ContractViolation, match=r"'id'.*None"):
            await store.get(NOTES, {"owner": 1, "id": None})

    async def test_an_empty_partition_key(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match=r"'name'.*empty"):
            await store.put(PROFILES, {"name": ""})
        with pytest.raises(ContractViolation, match=r"'part'.*empty"):
            await store.get(BLOBS, {"part": b"", "chunk": b""})

    async def test_a_key_value_that_is_too_long(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match=r"'word'.*at most"):
            await store.put(WORDS, {"part": 1, "word": "w" * (MAX_KEY_BYTES + 1)})

    async def test_a_plain_write_to_a_compare_and_set_table(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match=r"'claims'.*insert_if_absent"):
            await store.put(CLAIMS, {"name": "n"})
        with pytest.raises(ContractViolation, match=r"'claims'.*update_if"):
            await store.delete(CLAIMS, {"name": "n"})

    async def test_a_compare_and_set_on_a_plain_table(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match=r"'profiles'.*put"):
            await store.insert_if_absent(PROFILES, {"name": "n"})
        with pytest.raises(ContractViolation, match=r"'profiles'.*put"):
            await store.update_if(PROFILES, {"name": "n"}, {"bio": "b"}, {})

    async def test_a_compare_and_set_table_in_a_write(self, store: Store) -> None:
        for mutation in (Put(CLAIMS, {"name": "n"}), Delete(CLAIMS, {"name": "n"})):
            with pytest.raises(ContractViolation, match="'claims'"):
                await store.write([mutation, Put(PROFILES, {"name": "n"})])

    async def test_update_if_of_a_key_column(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="changes names the key column 'name'"):
            await store.update_if(CLAIMS, {"name": "n"}, {"name": "m"}, {})
        with pytest.raises(ContractViolation, match="expected names the key column 'name'"):
            await store.update_if(CLAIMS, {"name": "n"}, {"owner": 1}, {"name": "n"})

    async def test_update_if_without_changes(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="empty"):
            await store.update_if(CLAIMS, {"name": "n"}, {}, {"owner": 1})

    @pytest.mark.parametrize("limit", [0, -1, MAX_SLICE + 1, None, 1.5, True])
    async def test_a_slice_without_a_sensible_limit(self, store: Store, limit: Any) -> None:
        with pytest.raises(ContractViolation, match=f"limit from 1 to {MAX_SLICE}"):
            await store.slice(NOTES, {"owner": 1}, limit=limit)

    async def test_a_slice_without_its_whole_partition_key(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="lacks 'owner'"):
            await store.slice(NOTES, {}, limit=1)
        with pytest.raises(ContractViolation, match="'id'"):
            await store.slice(NOTES, {"owner": 1, "id": 1}, limit=1)

    @pytest.mark.parametrize("values", [(), (1, "b", 2, 3)])
    async def test_a_bound_with_too_few_or_too_many_values(self, store: Store, values: tuple[Any, ...]) -> None:
        with pytest.raises(ContractViolation, match="start bound"):
            await store.slice(MIXED, {"part": 1}, limit=1, start=Bound(values))
        with pytest.raises(ContractViolation, match="end bound"):
            await store.slice(MIXED, {"part": 1}, limit=1, end=Bound(values))

    async def test_a_bound_of_the_wrong_type(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="'a' in start bound"):
            await store.slice(MIXED, {"part": 1}, limit=1, start=Bound(("b", 1)))

    async def test_a_bound_on_a_table_without_clustering(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="start bound"):
            await store.slice(PROFILES, {"name": "n"}, limit=1, start=Bound(("n",)))

    async def test_an_empty_write(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="0 mutations"):
            await store.write([])

    async def test_a_write_of_too_many_mutations(self, store: Store) -> None:
        owner = fresh()
        with pytest.raises(ContractViolation, match=f"1 to {MAX_BATCH}"):
            await store.write([Put(NOTES, {"owner": owner, "id": n}) for n in range(MAX_BATCH + 1)])

    async def test_a_write_of_too_many_bytes(self, store: Store) -> None:
        owner = fresh()
        with pytest.raises(ContractViolation, match="bytes"):
            await store.write([Put(NOTES, {"owner": owner, "id": n, "body": "x" * 15_000}) for n in range(3)])

    async def test_a_write_that_names_a_row_twice(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        with pytest.raises(ContractViolation, match="twice"):
            await store.write([Put(NOTES, {**key, "size": 1}), Delete(NOTES, key)])

    async def test_a_multi_get_of_too_many_keys(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match=f"at most {MAX_KEYS}"):
            await store.multi_get(NOTES, [{"owner": 1, "id": n} for n in range(MAX_KEYS + 1)])

    async def test_a_multi_get_with_one_bad_key(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="'id'"):
            await store.multi_get(NOTES, [{"owner": 1, "id": 1}, {"owner": 1, "id": "x"}])

    @pytest.mark.parametrize("ttl", [timedelta(0), timedelta(milliseconds=900), timedelta(days=36_500)])
    async def test_a_ttl_that_is_too_short_or_too_long(self, store: Store, ttl: timedelta) -> None:
        with pytest.raises(ContractViolation, match="ttl"):
            await store.put(SESSIONS, {"person": 1, "id": 1, "agent": "a"}, ttl=ttl)

    async def test_a_ttl_on_a_table_that_declares_none(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="ttl"):
            await store.put(NOTES, {"owner": 1, "id": 1}, ttl=timedelta(hours=1))

    async def test_a_partial_row_of_a_table_that_expires(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="lacks 'agent'"):
            await store.put(SESSIONS, {"person": 1, "id": 1})
        with pytest.raises(ContractViolation, match="lacks 'answer'"):
            await store.insert_if_absent(REQUESTS, {"request": "r"})

    async def test_a_table_the_store_was_not_told_of(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match=r"'plain'.*create"):
            await store.get(_PLAIN, {"p": 1})

    async def test_a_table_declared_differently_than_to_create(self, store: Store) -> None:
        other = replace(NOTES, columns={"body": TEXT})
        with pytest.raises(ContractViolation, match=r"'notes'.*differently"):
            await store.put(other, {"owner": 1, "id": 1})

    @pytest.mark.parametrize(("change", "complaint"), _BAD_DECLARATIONS)
    async def test_a_declaration_no_engine_could_keep(
        self, store: Store, change: dict[str, Any], complaint: str
    ) -> None:
        with pytest.raises(ContractViolation, match=complaint):
            await store.create([replace(_PLAIN, **change)])

    async def test_two_tables_of_one_name(self, store: Store) -> None:
        with pytest.raises(ContractViolation, match="twice"):
            await store.create([_PLAIN, _PLAIN])

    async def test_work_whose_deadline_has_passed_is_not_begun(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        with deadline.limit(0), pytest.raises(Unavailable, match="deadline"):
            await store.put(NOTES, key)
        assert await store.get(NOTES, key) is None
