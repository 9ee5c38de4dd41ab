"""What was read a moment ago is known for a moment."""

from __future__ import annotations

import pytest

from edge import recent
from edge.recent import Recent


class Stopwatch:
    """The monotonic clock, moved by hand."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    watch = Stopwatch()
    monkeypatch.setattr(recent, "time", watch)
    return watch


def test_value_is_known_for_its_age_and_no_longer(watch: Stopwatch) -> None:
    table: Recent[int, str] = Recent(1.0, 10)
    table.remember([1, 2], {1: "one", 2: "two"})
    watch.now += 1.0
    assert table.among([2, 1, 3]) == ({2: "two", 1: "one"}, [3])
    watch.now += 0.001
    assert table.among([1]) == ({}, [1])


def test_that_there_is_no_value_is_known_too(watch: Stopwatch) -> None:
    table: Recent[int, str] = Recent(1.0, 10)
    table.remember([1, 2], {1: "one"})
    assert table.among([1, 2]) == ({1: "one"}, [])


def test_reading_does_not_make_a_value_younger(watch: Stopwatch) -> None:
    table: Recent[int, str] = Recent(1.0, 10)
    table.remember([1], {1: "one"})
    for _ in range(4):
        watch.now += 0.3
        table.among([1])
    assert table.among([1]) == ({}, [1])


def test_table_is_bounded_and_the_oldest_goes_first(watch: Stopwatch) -> None:
    table: Recent[int, int] = Recent(1.0, 3)
    for key in (1, 2, 3, 1, 4):
        table.remember([key], {key: key})
    assert table.among([1, 2, 3, 4]) == ({3: 3, 1: 1, 4: 4}, [2])


def test_key_can_be_forgotten_twice(watch: Stopwatch) -> None:
    table: Recent[int, int] = Recent(1.0, 3)
    table.remember([1], {1: 1})
    table.pop(1)
    table.pop(1)
    assert table.among([1]) == ({}, [1])
