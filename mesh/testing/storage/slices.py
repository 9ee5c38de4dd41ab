"""Slices: order, bounds, pages and wide partitions."""

from __future__ import annotations

import asyncio
import itertools
from functools import cmp_to_key

import pytest

from mesh.storage import MAX_SLICE, Bound, Put, Row, Store, TableSpec, Value
from mesh.testing.storage.tables import (
    BLOBS,
    EVENTS,
    FEED,
    FLAGS,
    KEYWORDS,
    MIXED,
    NOTES,
    PROFILES,
    WORDS,
    Values,
    column,
    fresh,
)

_MIXED_KEYS = list(itertools.product([1, 2, 3], ["", "a", "b", "é"], [-1, 0, 5]))
_MIXED_BOUNDS = [
    None,
    Bound((2,)),
    Bound((2,), inclusive=False),
    Bound((2, "a")),
    Bound((2, "a"), inclusive=False),
    Bound((2, "b", 0)),
    Bound((2, "b", 0), inclusive=False),
    Bound((1, "é", 5), inclusive=False),
    Bound((3, "", -1)),
    Bound((9,)),
]


class Slices:
    """Promises about reading a partition in order."""

    async def test_a_slice_of_an_empty_partition_is_empty(self, store: Store) -> None:
        assert await store.slice(NOTES, {"owner": fresh()}, limit=10) == []

    async def test_ascending_rows_come_smallest_first(self, store: Store) -> None:
        owner = await _notes(store, [5, -3, 0, 2**40, -(2**63)])
        assert column(await store.slice(NOTES, {"owner": owner}, limit=10), "id") == [-(2**63), -3, 0, 5, 2**40]

    async def test_reverse_turns_ascending_rows_around(self, store: Store) -> None:
        owner = await _notes(store, [1, 2, 3])
        assert column(await store.slice(NOTES, {"owner": owner}, limit=10, reverse=True), "id") == [3, 2, 1]

    async def test_descending_rows_come_largest_first(self, store: Store) -> None:
        partition = await _feed(store, 5)
        assert column(await store.slice(FEED, partition, limit=10), "post") == [4, 3, 2, 1, 0]

    async def test_reverse_turns_descending_rows_around(self, store: Store) -> None:
        partition = await _feed(store, 5)
        assert column(await store.slice(FEED, partition, limit=10, reverse=True), "post") == [0, 1, 2, 3, 4]

    async def test_a_limit_takes_the_first_rows_in_the_direction_read(self, store: Store) -> None:
        owner = await _notes(store, range(10))
        assert column(await store.slice(NOTES, {"owner": owner}, limit=3), "id") == [0, 1, 2]
        assert column(await store.slice(NOTES, {"owner": owner}, limit=3, reverse=True), "id") == [9, 8, 7]

    async def test_a_slice_holds_rows_of_its_own_partition_only(self, store: Store) -> None:
        owner, other = await _notes(store, [1, 2]), await _notes(store, [3])
        assert column(await store.slice(NOTES, {"owner": owner}, limit=10), "owner") == [owner, owner]
        assert column(await store.slice(NOTES, {"owner": other}, limit=10), "id") == [3]

    async def test_sliced_rows_are_whole(self, store: Store) -> None:
        row: Values = {
            "owner": fresh(),
            "id": 1,
            "body": "b",
            "size": None,
            "score": 1.5,
            "pinned": False,
            "raw": b"\0",
        }
        await store.put(NOTES, row)
        assert await store.slice(NOTES, {"owner": row["owner"]}, limit=1) == [row]

    async def test_a_deleted_row_is_not_in_a_slice(self, store: Store) -> None:
        owner = await _notes(store, [1, 2, 3])
        await store.delete(NOTES, {"owner": owner, "id": 2})
        assert column(await store.slice(NOTES, {"owner": owner}, limit=10), "id") == [1, 3]

    async def test_a_slice_of_a_table_without_clustering_is_its_one_row(self, store: Store) -> None:
        name = f"p{fresh()}"
        await store.put(PROFILES, {"name": name, "bio": "b"})
        for reverse in (False, True):
            assert column(await store.slice(PROFILES, {"name": name}, limit=5, reverse=reverse), "bio") == ["b"]

    @pytest.mark.parametrize("inclusive", [True, False])
    @pytest.mark.parametrize("reverse", [True, False])
    async def test_start_is_where_reading_begins(self, store: Store, inclusive: bool, reverse: bool) -> None:
        owner = await _notes(store, range(6))
        rows = await store.slice(
            NOTES, {"owner": owner}, limit=10, start=Bound((3,), inclusive=inclusive), reverse=reverse
        )
        expected = [3, 2, 1, 0] if reverse else [3, 4, 5]
        assert column(rows, "id") == (expected if inclusive else expected[1:])

    @pytest.mark.parametrize("inclusive", [True, False])
    @pytest.mark.parametrize("reverse", [True, False])
    async def test_end_is_where_reading_stops(self, store: Store, inclusive: bool, reverse: bool) -> None:
        owner = await _notes(store, range(6))
        rows = await store.slice(
            NOTES, {"owner": owner}, limit=10, end=Bound((3,), inclusive=inclusive), reverse=reverse
        )
        expected = [5, 4, 3] if reverse else [0, 1, 2, 3]
        assert column(rows, "id") == (expected if inclusive else expected[:-1])

    async def test_start_and_end_enclose_a_range(self, store: Store) -> None:
        partition = await _feed(store, 10)
        rows = await store.slice(FEED, partition, limit=10, start=Bound((7,)), end=Bound((4,), inclusive=False))
        assert column(rows, "post") == [7, 6, 5]

    async def test_one_row_lies_between_two_inclusive_bounds_on_it(self, store: Store) -> None:
        owner = await _notes(store, range(5))
        rows = await store.slice(NOTES, {"owner": owner}, limit=10, start=Bound((2,)), end=Bound((2,)))
        assert column(rows, "id") == [2]

    async def test_a_range_whose_end_lies_before_its_start_is_empty(self, store: Store) -> None:
        owner = await _notes(store, range(5))
        assert await store.slice(NOTES, {"owner": owner}, limit=10, start=Bound((4,)), end=Bound((1,))) == []

    async def test_bounds_need_not_be_rows(self, store: Store) -> None:
        owner = await _notes(store, [10, 20, 30])
        rows = await store.slice(NOTES, {"owner": owner}, limit=10, start=Bound((11,)), end=Bound((29,)))
        assert column(rows, "id") == [20]

    @pytest.mark.parametrize("reverse", [False, True])
    async def test_pages_that_start_after_the_last_row_meet_every_row_once(self, store: Store, reverse: bool) -> None:
        partition = await _feed(store, 25)
        posts = [row["post"] for row in await _all_pages(store, FEED, partition, 4, reverse)]
        assert posts == sorted(range(25), reverse=not reverse)

    async def test_pages_of_two_descending_columns_meet_every_row_once(self, store: Store) -> None:
        stream = fresh()
        keys = list(itertools.product(range(5), range(4)))
        await _put_all(store, [Put(EVENTS, {"stream": stream, "at": at, "id": number}) for at, number in keys])
        rows = await _all_pages(store, EVENTS, {"stream": stream}, 3, reverse=False)
        assert [(row["at"], row["id"]) for row in rows] == sorted(keys, reverse=True)

    async def test_rows_written_while_paging_do_not_shift_pages(self, store: Store) -> None:
        partition = await _feed(store, 6)
        first = await store.slice(FEED, partition, limit=3)
        await store.put(FEED, {**partition, "post": 99, "author": 1})
        second = await store.slice(FEED, partition, limit=3, start=Bound((first[-1]["post"],), inclusive=False))
        assert column([*first, *second], "post") == [5, 4, 3, 2, 1, 0]

    async def test_a_bound_on_a_prefix_stands_for_all_rows_that_share_it(self, store: Store) -> None:
        stream = fresh()
        keys = list(itertools.product(range(3), range(3)))
        await _put_all(store, [Put(EVENTS, {"stream": stream, "at": at, "id": number}) for at, number in keys])
        at_one = await store.slice(EVENTS, {"stream": stream}, limit=10, start=Bound((1,)), end=Bound((1,)))
        assert column(at_one, "at") == [1, 1, 1]
        after = await store.slice(EVENTS, {"stream": stream}, limit=10, start=Bound((1,), inclusive=False))
        assert column(after, "at") == [0, 0, 0]

    async def test_text_is_ordered_by_its_bytes(self, store: Store) -> None:
        part = fresh()
        words = ["", "A", "Z", "a", "aa", "ab", "z", "é", "ÿ", "日", "\ufffd", "\U0001f600"]
        await _put_all(store, [Put(WORDS, {"part": part, "word": word}) for word in reversed(words)])
        assert column(await store.slice(WORDS, {"part": part}, limit=50), "word") == words
        assert words == sorted(words, key=str.encode)

    async def test_bytes_are_ordered_as_unsigned(self, store: Store) -> None:
        part = fresh().to_bytes(8, "big")
        chunks = [b"", b"\0", b"\0\0", b"\x7f", b"\x80", b"\x80\0", b"\xff", b"\xff\xff"]
        await _put_all(store, [Put(BLOBS, {"part": part, "chunk": chunk}) for chunk in chunks])
        assert column(await store.slice(BLOBS, {"part": part}, limit=50), "chunk") == chunks[::-1]

    async def test_false_comes_before_true(self, store: Store) -> None:
        part = fresh()
        await _put_all(store, [Put(FLAGS, {"part": part, "on": on, "id": n}) for on in (True, False) for n in (1, 2)])
        assert column(await store.slice(FLAGS, {"part": part}, limit=9), "on") == [False, False, True, True]

    async def test_names_that_are_words_of_a_query_language_take_bounds(self, store: Store) -> None:
        part = fresh()
        await _put_all(store, [Put(KEYWORDS, {"select": part, "limit": number}) for number in range(5)])
        rows = await store.slice(KEYWORDS, {"select": part}, limit=9, start=Bound((3,)), reverse=True)
        assert column(rows, "limit") == [3, 2, 1, 0]

    @pytest.mark.parametrize("reverse", [False, True])
    async def test_columns_of_mixed_directions_are_ordered_each_its_own_way(self, store: Store, reverse: bool) -> None:
        part = await _mixed(store)
        rows = await store.slice(MIXED, {"part": part}, limit=100, reverse=reverse)
        assert [_mixed_key(row) for row in rows] == _in_order(reverse)

    @pytest.mark.parametrize("reverse", [False, True])
    async def test_every_pair_of_bounds_on_mixed_directions_encloses_the_right_rows(
        self, store: Store, reverse: bool
    ) -> None:
        part = await _mixed(store)
        for start, end in itertools.product(_MIXED_BOUNDS, repeat=2):
            rows = await store.slice(MIXED, {"part": part}, limit=100, start=start, end=end, reverse=reverse)
            assert [_mixed_key(row) for row in rows] == _between(start, end, reverse), (start, end)

    @pytest.mark.parametrize("reverse", [False, True])
    async def test_pages_of_mixed_directions_meet_every_row_once(self, store: Store, reverse: bool) -> None:
        part = await _mixed(store)
        rows = await _all_pages(store, MIXED, {"part": part}, 5, reverse)
        assert [_mixed_key(row) for row in rows] == _in_order(reverse)

    async def test_a_wide_partition_is_read_in_one_slice_and_in_pages(self, store: Store) -> None:
        partition = await _feed(store, MAX_SLICE + 500)
        rows = await store.slice(FEED, partition, limit=MAX_SLICE)
        assert column(rows, "post") == list(range(MAX_SLICE + 499, 499, -1))
        rest = await store.slice(FEED, partition, limit=MAX_SLICE, start=Bound((rows[-1]["post"],), inclusive=False))
        assert column(rest, "post") == list(range(499, -1, -1))


async def _notes(store: Store, ids: range | list[int]) -> int:
    owner = fresh()
    await _put_all(store, [Put(NOTES, {"owner": owner, "id": number}) for number in ids])
    return owner


async def _feed(store: Store, posts: int) -> dict[str, Value]:
    partition: dict[str, Value] = {"reader": fresh(), "bucket": "b"}
    await _put_all(store, [Put(FEED, {**partition, "post": post, "author": post}) for post in range(posts)])
    return partition


async def _mixed(store: Store) -> int:
    part = fresh()
    await _put_all(store, [Put(MIXED, {"part": part, "a": a, "b": b, "c": c}) for a, b, c in _MIXED_KEYS])
    return part


async def _put_all(store: Store, puts: list[Put]) -> None:
    batches = [puts[first : first + 100] for first in range(0, len(puts), 100)]
    for several in (batches[first : first + 16] for first in range(0, len(batches), 16)):
        await asyncio.gather(*(store.write(batch) for batch in several))


async def _all_pages(
    store: Store, table: TableSpec, partition: dict[str, Value], limit: int, reverse: bool
) -> list[Row]:
    rows: list[Row] = []
    page = await store.slice(table, partition, limit=limit, reverse=reverse)
    while page:
        rows += page
        after = Bound(tuple(page[-1][each.name] for each in table.clustering), inclusive=False)
        page = await store.slice(table, partition, limit=limit, start=after, reverse=reverse)
    return rows


def _mixed_key(row: Row) -> tuple[Value, ...]:
    return row["a"], row["b"], row["c"]


def _compare(left: tuple[Value, ...], right: tuple[Value, ...]) -> int:
    """The order of MIXED, by definition: the second column turned around; a prefix equals all that it begins."""
    for position, (one, other) in enumerate(zip(left, right, strict=False)):
        first, second = (value.encode() if isinstance(value, str) else value for value in (one, other))
        if first != second:
            before = first < second  # type: ignore[operator]
            return -1 if before is (position != 1) else 1
    return 0


def _in_order(reverse: bool) -> list[tuple[Value, ...]]:
    return sorted(_MIXED_KEYS, key=cmp_to_key(_compare), reverse=reverse)


def _between(start: Bound | None, end: Bound | None, reverse: bool) -> list[tuple[Value, ...]]:
    direction = -1 if reverse else 1

    def within(key: tuple[Value, ...]) -> bool:
        from_start = 1 if start is None else direction * _compare(key, start.values)
        to_end = -1 if end is None else direction * _compare(key, end.values)
        after_start = from_start > 0 or (from_start == 0 and start is not None and start.inclusive)
        before_end = to_end < 0 or (to_end == 0 and end is not None and end.inclusive)
        return after_start and before_end

    return [key for key in _in_order(reverse) if within(key)]
