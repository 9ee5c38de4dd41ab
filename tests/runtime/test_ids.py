"""Ids: unique, sorted by time, whoever makes them."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh import ids
from mesh.clock import FakeClock
from mesh.ids import EPOCH_MS, MAX_NODE, IdGenerator

NOW = 1_800_000_000_000


def test_id_tells_when_it_was_made() -> None:
    assert ids.time_ms(IdGenerator(FakeClock(NOW), MAX_NODE).next()) == NOW


@given(st.lists(st.integers(-5000, 5000), max_size=200))
def test_ids_of_a_process_strictly_rise_however_its_clock_steps(steps: list[int]) -> None:
    clock = FakeClock(NOW)
    generator = IdGenerator(clock)
    made = [generator.next()]
    for step in steps:
        clock.advance(step)
        made.append(generator.next())
    assert made == sorted(set(made))


def test_ids_of_two_nodes_never_meet_and_sort_by_clock() -> None:
    early, late = FakeClock(NOW), FakeClock(NOW + 1)
    high, low = IdGenerator(early, MAX_NODE), IdGenerator(late, 0)
    first = [high.next() for _ in range(4096)]
    second = [low.next() for _ in range(4096)]
    assert max(first) < min(second)
    same = [IdGenerator(FakeClock(NOW), node) for node in range(MAX_NODE + 1)]
    assert len({generator.next() for generator in same for _ in range(3)}) == 3 * (MAX_NODE + 1)


def test_more_ids_than_a_millisecond_holds_run_ahead_and_stay_in_order() -> None:
    generator = IdGenerator(FakeClock(NOW))
    made = [generator.next() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert ids.time_ms(made[4095]) == NOW
    assert ids.time_ms(made[4096]) == NOW + 1


def test_threads_share_a_generator() -> None:
    generator = IdGenerator(FakeClock(NOW))
    made: list[list[int]] = [[] for _ in range(8)]
    start = threading.Barrier(8)

    def work(mine: list[int]) -> None:
        start.wait()
        mine.extend(generator.next() for _ in range(2000))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each for mine in made for each in mine}) == 16_000
    assert all(mine == sorted(mine) for mine in made)


@pytest.mark.parametrize("node", [-1, MAX_NODE + 1])
def test_node_out_of_range_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="must be 0 to 1023"):
        IdGenerator(FakeClock(), node)


def test_ids_fit_63_bits_and_are_positive_even_before_the_epoch() -> None:
    assert IdGenerator(FakeClock(0)).next() > 0
    last = EPOCH_MS + (1 << 41) - 1
    assert IdGenerator(FakeClock(last), MAX_NODE).next() < 1 << 63


@given(st.integers(EPOCH_MS + 1, EPOCH_MS + (1 << 41) - 1), st.integers(0, MAX_NODE))
def test_first_id_of_an_instant_bounds_what_is_made_then(at: int, node: int) -> None:
    made = IdGenerator(FakeClock(at), node).next()
    assert ids.first_id_at(at) <= made < ids.first_id_at(at + 1)


@given(st.integers(1, (1 << 63) - 1))
def test_public_form_is_read_back(value: int) -> None:
    assert ids.parse(str(value)) == value


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "+1", "1 ", " 1", "1_0", "0x10", "1e3", "٣", "²", str(1 << 63), "9" * 20, "9" * 10_000]
)
def test_text_that_is_no_id_is_none(text: str) -> None:
    assert ids.parse(text) is None
