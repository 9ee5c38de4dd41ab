"""A page is refilled where the law emptied it, at a bounded cost, and passes over nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import pages
from edge.pages import MAX_ROUNDS, fill, from_id, size, to_id


class Listing:
    """A list of numbers, of which some may be shown; counts what a page costs."""

    def __init__(self, items: Sequence[int], shown: set[int]) -> None:
        self.items, self.shown, self.reads = items, shown, 0
        self.asked: list[int] = []

    async def skeleton(self, cursor: bytes, count: int) -> tuple[list[int], bytes]:
        self.reads += 1
        self.asked.append(count)
        start = int.from_bytes(cursor, "big")
        end = start + count
        return list(self.items[start:end]), end.to_bytes(4, "big") if end < len(self.items) else b""

    async def rules(self, found: Sequence[int]) -> list[int]:
        return [item for item in found if item in self.shown]


def half(items: Sequence[int]) -> set[int]:
    return {item for item in items if item % 2}


async def test_page_that_the_law_thinned_is_filled_again() -> None:
    listing = Listing(range(100), half(range(100)))
    kept, cursor = await fill(listing.skeleton, listing.rules, b"", 16)
    assert kept == [item for item in range(100) if item % 2][: len(kept)]
    assert len(kept) > 12
    assert cursor
    assert listing.reads <= MAX_ROUNDS


async def test_page_costs_a_bounded_number_of_reads_and_says_where_to_go_on() -> None:
    listing = Listing(range(10_000), set())
    kept, cursor = await fill(listing.skeleton, listing.rules, b"", 20)
    assert kept == []
    assert cursor
    assert listing.reads == MAX_ROUNDS


async def test_each_round_asks_only_for_what_the_page_still_lacks() -> None:
    listing = Listing(range(100), {0, *range(10, 100)})
    kept, cursor = await fill(listing.skeleton, listing.rules, b"", 10)
    assert kept == [0, *range(10, 19)]
    assert listing.asked == [10, 9]
    following, _ = await fill(listing.skeleton, listing.rules, cursor, 10)
    assert following == list(range(19, 29))


async def test_full_page_costs_one_read() -> None:
    listing = Listing(range(100), set(range(100)))
    kept, _ = await fill(listing.skeleton, listing.rules, b"", 20)
    assert (kept, listing.reads) == (list(range(20)), 1)


async def test_end_of_the_list_has_no_cursor() -> None:
    listing = Listing(range(5), {0, 4})
    assert await fill(listing.skeleton, listing.rules, b"", 20) == ([0, 4], b"")


@given(
    st.lists(st.integers(), unique=True, max_size=120),
    st.data(),
    st.lists(st.integers(1, 30), min_size=1, max_size=5),
)
async def test_pages_together_show_all_that_may_be_shown_once_and_in_order(
    items: list[int], data: st.DataObject, sizes: list[int]
) -> None:
    shown = set(data.draw(st.lists(st.sampled_from(items)))) if items else set()
    listing = Listing(items, shown)
    seen: list[int] = []
    cursor, number = b"", 0
    while True:
        count = sizes[number % len(sizes)]
        kept, cursor = await fill(listing.skeleton, listing.rules, cursor, count)
        assert len(kept) <= count
        seen += kept
        number += 1
        if not cursor:
            break
    assert seen == [item for item in items if item in shown]


@pytest.mark.parametrize(("asked", "meant"), [(0, pages.DEFAULT_SIZE), (1, 1), (100, 100)])
def test_size_that_is_not_given_is_the_default(asked: int, meant: int) -> None:
    assert size(asked) == meant


@given(st.integers(0, 2**63 - 1))
def test_id_is_read_back_from_its_cursor(value: int) -> None:
    assert to_id(from_id(value)) == value
    assert bool(from_id(value)) == bool(value)
