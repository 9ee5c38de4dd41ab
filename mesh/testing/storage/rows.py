"""Single rows: what put, get, delete and multi_get promise."""

from __future__ import annotations

import asyncio
import math

import pytest

from mesh.storage import MAX_KEY_BYTES, MAX_KEYS, MAX_VALUE_BYTES, Store
from mesh.testing.storage.tables import BLOBS, FEED, FLAGS, KEYWORDS, NOTES, PROFILES, WORDS, Values, fresh

UNICODE = [
    "",
    "naïve café",
    "日本語のテキスト",
    "שלום עולם",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "e\u0301 is not \u00e9",
    "\U0010ffff\ue000\ufffd",
    "tab\tnewline\nreturn\rquote'double\"semicolon;--",
    "%s {} ? $1 :name",
]
NUMBERS = [0, 1, -1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63)]
FLOATS = [0.0, 1.5, -1.5, 1e308, 5e-324, math.pi, math.inf, -math.inf]
BYTES_VALUES = [b"", b"\0", b"\xff\xfe", bytes(range(256)), b"plain"]


class Rows:
    """Promises about one row at a time."""

    async def test_a_row_that_was_put_is_read_back_whole(self, store: Store) -> None:
        row: Values = {"owner": fresh(), "id": 1, "body": "b", "size": 2, "score": 0.5, "pinned": True, "raw": b"r"}
        await store.put(NOTES, row)
        assert await store.get(NOTES, {"owner": row["owner"], "id": 1}) == row

    async def test_a_row_that_was_never_put_is_none(self, store: Store) -> None:
        assert await store.get(NOTES, {"owner": fresh(), "id": 1}) is None

    async def test_columns_that_were_not_put_read_as_none(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "size": 3})
        expected = {**key, "body": None, "size": 3, "score": None, "pinned": None, "raw": None}
        assert await store.get(NOTES, key) == expected

    async def test_a_row_exists_once_its_key_alone_was_put(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, key)
        row = await store.get(NOTES, key)
        assert row is not None
        assert row["body"] is None

    async def test_a_row_of_a_table_without_columns_exists_once_put(self, store: Store) -> None:
        key: Values = {"part": fresh(), "word": "w"}
        await store.put(WORDS, key)
        await store.put(WORDS, key)
        assert await store.get(WORDS, key) == key

    async def test_a_partial_put_leaves_the_other_columns_alone(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "kept", "size": 1})
        await store.put(NOTES, {**key, "size": 2})
        row = await store.get(NOTES, key)
        assert row is not None
        assert (row["body"], row["size"]) == ("kept", 2)

    async def test_putting_the_key_alone_leaves_every_column_alone(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "kept"})
        await store.put(NOTES, key)
        row = await store.get(NOTES, key)
        assert row is not None
        assert row["body"] == "kept"

    async def test_putting_none_clears_a_column(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "gone", "size": 1})
        await store.put(NOTES, {**key, "body": None})
        row = await store.get(NOTES, key)
        assert row is not None
        assert (row["body"], row["size"]) == (None, 1)

    async def test_a_row_whose_columns_were_all_cleared_still_exists(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "x"})
        await store.put(NOTES, {**key, "body": None})
        assert await store.get(NOTES, key) is not None

    async def test_the_last_of_many_puts_wins(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        for size in range(50):
            await store.put(NOTES, {**key, "size": size})
        row = await store.get(NOTES, key)
        assert row is not None
        assert row["size"] == 49

    async def test_a_put_that_is_repeated_changes_nothing(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        for _ in range(3):
            await store.put(NOTES, {**key, "body": "same"})
        assert len(await store.slice(NOTES, {"owner": key["owner"]}, limit=10)) == 1

    async def test_the_order_in_which_a_row_names_its_columns_means_nothing(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 7}
        await store.put(NOTES, {"size": 5, "id": 7, "body": "b", "owner": key["owner"]})
        row = await store.get(NOTES, {"id": 7, "owner": key["owner"]})
        assert row is not None
        assert (row["size"], row["body"]) == (5, "b")

    async def test_rows_of_different_keys_do_not_touch_each_other(self, store: Store) -> None:
        owner = fresh()
        await store.put(NOTES, {"owner": owner, "id": 1, "body": "one"})
        await store.put(NOTES, {"owner": owner, "id": 2, "body": "two"})
        await store.delete(NOTES, {"owner": owner, "id": 1})
        row = await store.get(NOTES, {"owner": owner, "id": 2})
        assert row is not None
        assert row["body"] == "two"

    async def test_a_deleted_row_is_gone(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "x"})
        await store.delete(NOTES, key)
        assert await store.get(NOTES, key) is None

    async def test_deleting_a_row_that_is_not_there_is_no_error(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.delete(NOTES, key)
        await store.delete(NOTES, key)
        assert await store.get(NOTES, key) is None

    async def test_a_row_put_after_its_deletion_holds_nothing_of_its_former_life(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "former", "size": 1})
        await store.delete(NOTES, key)
        await store.put(NOTES, {**key, "size": 2})
        row = await store.get(NOTES, key)
        assert row is not None
        assert (row["body"], row["size"]) == (None, 2)

    @pytest.mark.parametrize("text", UNICODE)
    async def test_text_is_read_back_exactly(self, store: Store, text: str) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": text})
        row = await store.get(NOTES, key)
        assert row is not None
        assert row["body"] == text

    @pytest.mark.parametrize("number", NUMBERS)
    async def test_an_int_is_read_back_exactly(self, store: Store, number: int) -> None:
        key = {"owner": fresh(), "id": number}
        await store.put(NOTES, {**key, "size": number})
        row = await store.get(NOTES, key)
        assert row is not None
        assert (row["id"], row["size"]) == (number, number)

    @pytest.mark.parametrize("number", FLOATS)
    async def test_a_float_is_read_back_exactly(self, store: Store, number: float) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "score": number})
        row = await store.get(NOTES, key)
        assert row is not None
        assert row["score"] == number
        assert type(row["score"]) is float

    @pytest.mark.parametrize("flag", [True, False])
    async def test_a_bool_is_read_back_as_a_bool(self, store: Store, flag: bool) -> None:
        key = {"part": fresh(), "on": flag, "id": 1}
        await store.put(FLAGS, key)
        row = await store.get(FLAGS, key)
        assert row is not None
        assert row["on"] is flag

    @pytest.mark.parametrize("raw", BYTES_VALUES)
    async def test_bytes_are_read_back_exactly(self, store: Store, raw: bytes) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "raw": raw})
        row = await store.get(NOTES, key)
        assert row is not None
        assert row["raw"] == raw
        assert type(row["raw"]) is bytes

    async def test_empty_text_and_empty_bytes_are_not_none(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "", "raw": b""})
        row = await store.get(NOTES, key)
        assert row is not None
        assert (row["body"], row["raw"]) == ("", b"")

    async def test_text_that_looks_alike_is_not_one_key(self, store: Store) -> None:
        tag = fresh()
        names = [f"{tag}café", f"{tag}cafe\u0301", f"{tag}CAFÉ", f"{tag}café "]
        for age, name in enumerate(names):
            await store.put(PROFILES, {"name": name, "age": age})
        rows = await store.multi_get(PROFILES, [{"name": name} for name in names])
        assert [row and row["age"] for row in rows] == [0, 1, 2, 3]

    async def test_values_of_the_largest_size_are_kept(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        body, raw = "é" * (MAX_VALUE_BYTES // 2), bytes(range(256)) * (MAX_VALUE_BYTES // 256)
        await store.put(NOTES, {**key, "body": body, "raw": raw})
        row = await store.get(NOTES, key)
        assert row is not None
        assert row["body"] == body
        assert row["raw"] == raw

    async def test_key_values_of_the_largest_size_are_kept(self, store: Store) -> None:
        part = fresh().to_bytes(8, "big") + b"\xff" * (MAX_KEY_BYTES - 8)
        key = {"part": part, "chunk": b"\0" * MAX_KEY_BYTES}
        await store.put(BLOBS, key)
        assert await store.get(BLOBS, key) == key

    async def test_names_that_are_words_of_a_query_language_are_just_names(self, store: Store) -> None:
        row: Values = {"select": fresh(), "limit": 1, "token": "t", "group": "g", "key": 1, "values": 2, "table": 3}
        await store.put(KEYWORDS, row)
        assert await store.slice(KEYWORDS, {"select": row["select"]}, limit=1) == [row]

    async def test_every_column_of_a_partition_key_counts(self, store: Store) -> None:
        reader = fresh()
        await store.put(FEED, {"reader": reader, "bucket": "a", "post": 1, "author": 1})
        assert await store.get(FEED, {"reader": reader, "bucket": "b", "post": 1}) is None
        assert await store.slice(FEED, {"reader": reader, "bucket": "b"}, limit=5) == []

    async def test_a_returned_row_is_the_callers_own(self, store: Store) -> None:
        key = {"owner": fresh(), "id": 1}
        await store.put(NOTES, {**key, "body": "x"})
        first, second = await store.multi_get(NOTES, [key, key])
        assert isinstance(first, dict)
        first["body"] = "changed"
        assert second is not None
        assert second["body"] == "x"

    async def test_multi_get_answers_in_the_order_asked(self, store: Store) -> None:
        owner = fresh()
        for number in range(20):
            await store.put(NOTES, {"owner": owner, "id": number, "size": number})
        asked = [7, 3, 19, 0, 12, 4]
        rows = await store.multi_get(NOTES, [{"owner": owner, "id": number} for number in asked])
        assert [row and row["size"] for row in rows] == asked

    async def test_multi_get_answers_none_where_there_is_no_row(self, store: Store) -> None:
        owner = fresh()
        await store.put(NOTES, {"owner": owner, "id": 2, "size": 2})
        rows = await store.multi_get(NOTES, [{"owner": owner, "id": number} for number in (1, 2, 3)])
        assert [row and row["size"] for row in rows] == [None, 2, None]

    async def test_multi_get_answers_a_repeated_key_every_time(self, store: Store) -> None:
        owner = fresh()
        await store.put(NOTES, {"owner": owner, "id": 1, "size": 1})
        rows = await store.multi_get(NOTES, [{"owner": owner, "id": number} for number in (1, 9, 1, 1, 9)])
        assert [row and row["size"] for row in rows] == [1, None, 1, 1, None]

    async def test_multi_get_of_nothing_is_nothing(self, store: Store) -> None:
        assert await store.multi_get(NOTES, []) == []

    async def test_multi_get_reads_across_partitions(self, store: Store) -> None:
        owners = [fresh() for _ in range(30)]
        await asyncio.gather(*(store.put(NOTES, {"owner": owner, "id": 1, "size": owner}) for owner in owners))
        rows = await store.multi_get(NOTES, [{"owner": owner, "id": 1} for owner in owners])
        assert [row and row["size"] for row in rows] == owners

    async def test_multi_get_takes_as_many_keys_as_it_says(self, store: Store) -> None:
        owner = fresh()
        await asyncio.gather(*(store.put(NOTES, {"owner": owner, "id": n, "size": n}) for n in range(0, MAX_KEYS, 7)))
        rows = await store.multi_get(NOTES, [{"owner": owner, "id": number} for number in range(MAX_KEYS)])
        assert [row and row["size"] for row in rows] == [None if n % 7 else n for n in range(MAX_KEYS)]
