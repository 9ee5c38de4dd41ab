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


class Asked:
    """Loads what it is told there is, and notes what it was asked for."""

    def __init__(self, **there: str) -> None:
        self.there, self.keys = there, list[str]()

    async def load(self, keys: list[str]) -> dict[str, str]:
        self.keys += keys
        return {key: self.there[key] for key in keys if key in self.there}

    async def known(self, table: Recent[str, str], *keys: str) -> list[str]:
        """Those of the keys for which the table did not ask."""
        self.keys.clear()
        await table.read(keys, self.load)
        return [key for key in keys if key not in self.keys]


async def test_value_is_known_for_its_age_and_no_longer(watch: Stopwatch) -> None:
    table, asked = Recent[str, str](1.0, 10), Asked(a="one", b="two")
    found = await table.read(["a", "b"], asked.load)
    assert {key: entry.value for key, entry in found.items()} == {"a": "one", "b": "two"}
    watch.now += 0.999
    assert await asked.known(table, "b", "a", "c") == ["b", "a"]
    watch.now += 0.001
    assert await asked.known(table, "a") == []


async def test_age_counts_from_before_the_question(watch: Stopwatch) -> None:
    table, asked = Recent[str, str](1.0, 10), Asked(a="one")

    async def slow(keys: list[str]) -> dict[str, str]:
        watch.now += 0.6
        return await asked.load(keys)

    await table.read(["a"], slow)
    watch.now += 0.5
    assert await asked.known(table, "a") == []


async def test_that_there_is_no_value_is_known_too(watch: Stopwatch) -> None:
    table, asked = Recent[str, str](1.0, 10), Asked(a="one")
    found = await table.read(["a", "b"], asked.load)
    assert found["b"].value is None
    assert await asked.known(table, "a", "b") == ["a", "b"]


async def test_reading_does_not_make_a_value_younger(watch: Stopwatch) -> None:
    table, asked = Recent[str, str](1.0, 10), Asked(a="one")
    await table.read(["a"], asked.load)
    for _ in range(3):
        watch.now += 0.3
        assert await asked.known(table, "a") == ["a"]
    watch.now += 0.3
    assert await asked.known(table, "a") == []


async def test_table_is_bounded_and_the_oldest_goes_first(watch: Stopwatch) -> None:
    table, asked = Recent[str, str](1.0, 3), Asked(a="1", b="2", c="3", d="4")
    for key in ("a", "b", "c"):
        await table.read([key], asked.load)
    table.forget("a")
    for key in ("a", "d"):
        await table.read([key], asked.load)
    assert await asked.known(table, "c", "a", "d") == ["c", "a", "d"]
    assert await asked.known(table, "b") == []


async def test_key_can_be_forgotten_twice(watch: Stopwatch) -> None:
    table, asked = Recent[str, str](1.0, 3), Asked(a="one")
    await table.read(["a"], asked.load)
    table.forget("a")
    table.forget("a")
    assert await asked.known(table, "a") == []
