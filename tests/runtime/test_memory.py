"""What was read a moment ago is known for a moment; what was forgotten is known no more, whatever was under way."""

from __future__ import annotations

import asyncio
import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh import deadline
from mesh.memory import Memory


class Source:
    """Facts, a clock moved by hand, and what was asked for."""

    def __init__(self, **facts: str) -> None:
        self.facts, self.now, self.asked = facts, 1000.0, list[str]()

    def monotonic(self) -> float:
        return self.now

    async def load(self, keys: list[str]) -> dict[str, str]:
        self.asked += keys
        return {key: self.facts[key] for key in keys if key in self.facts}

    def memory(self, size: int = 10) -> Memory[str, str]:
        return Memory(self.load, 1.0, size, monotonic=self.monotonic)

    async def known(self, memory: Memory[str, str], *keys: str) -> list[str]:
        """Those of the keys for which the memory did not ask."""
        self.asked.clear()
        await memory.read(keys)
        return [key for key in keys if key not in self.asked]


async def test_value_is_known_for_its_age_and_no_longer() -> None:
    source = Source(a="one", b="two")
    memory = source.memory()
    assert await memory.read(["a", "b"]) == {"a": "one", "b": "two"}
    source.now += 0.999
    assert await source.known(memory, "b", "a", "c") == ["b", "a"]
    source.now += 0.001
    assert await source.known(memory, "a") == []


async def test_age_counts_from_before_the_question() -> None:
    source = Source(a="one")

    async def slow(keys: list[str]) -> dict[str, str]:
        source.now += 0.6
        return await source.load(keys)

    memory = Memory(slow, 1.0, 10, monotonic=source.monotonic)
    await memory.read(["a"])
    source.now += 0.5
    assert await source.known(memory, "a") == []


async def test_that_there_is_no_value_is_known_too() -> None:
    source = Source(a="one")
    memory = source.memory()
    assert await memory.read(["a", "b"]) == {"a": "one"}
    assert await memory.one("b") is None
    assert await source.known(memory, "a", "b") == ["a", "b"]


async def test_reading_does_not_make_a_value_younger() -> None:
    source = Source(a="one")
    memory = source.memory()
    await memory.one("a")
    for _ in range(3):
        source.now += 0.3
        assert await source.known(memory, "a") == ["a"]
    source.now += 0.3
    assert await source.known(memory, "a") == []


async def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    source = Source(a="1", b="2", c="3", d="4")
    memory = source.memory(size=3)
    for key in ("a", "b", "c"):
        await memory.read([key])
    memory.forget("a")
    for key in ("a", "d"):
        await memory.read([key])
    assert await source.known(memory, "c", "a", "d") == ["c", "a", "d"]
    assert await source.known(memory, "b") == []


async def test_bound_is_of_the_weight_where_values_have_one() -> None:
    source = Source(a="x" * 6, b="x" * 3, c="x" * 4)
    memory = Memory(source.load, 1.0, 10, weigh=len, monotonic=source.monotonic)
    for key in ("a", "b", "c"):
        await memory.read([key])
    assert await source.known(memory, "b", "c") == ["b", "c"]
    assert await source.known(memory, "a") == []


async def test_what_was_known_last_can_be_asked_for_until_it_is_forgotten() -> None:
    source = Source(a="one")
    memory = source.memory()
    await memory.one("a")
    source.now += 5
    assert memory.last("a") == "one"
    memory.forget("a")
    assert memory.last("a") is None


class Slow(Source):
    """Answers when it is told to, with what holds at the moment it is asked."""

    def __init__(self, **facts: str) -> None:
        super().__init__(**facts)
        self.waiting: list[asyncio.Future[None]] = []

    async def load(self, keys: list[str]) -> dict[str, str]:
        found = await super().load(keys)
        self.waiting.append(asyncio.get_running_loop().create_future())
        await self.waiting[-1]
        return found

    async def begun(self, loads: int = 1) -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(self.waiting) == loads

    def answer(self, number: int = 0) -> None:
        self.waiting[number].set_result(None)


async def test_a_key_is_loaded_once_for_all_who_wait_for_it() -> None:
    source = Slow(a="one", b="two")
    memory = source.memory()
    first = asyncio.create_task(memory.read(["a"]))
    await source.begun()
    second = asyncio.create_task(memory.read(["a", "b"]))
    await source.begun(2)
    assert source.asked == ["a", "b"]
    source.answer(0)
    source.answer(1)
    assert (await first, await second) == ({"a": "one"}, {"a": "one", "b": "two"})


async def test_a_value_that_was_forgotten_while_it_was_loaded_is_kept_for_nobody() -> None:
    source = Slow(a="old")
    memory = source.memory()
    before = asyncio.create_task(memory.one("a"))
    await source.begun()
    source.facts["a"] = "new"
    memory.forget("a")
    after = asyncio.create_task(memory.one("a"))
    await source.begun(2)
    source.answer(1)
    assert await after == "new", "who asks after the change does not wait for the load from before it"
    source.answer(0)
    assert await before == "old", "who asked before it may be answered as it was then"
    assert await memory.one("a") == "new"


async def test_who_goes_away_takes_nobodys_answer_along() -> None:
    source = Slow(a="one")
    memory = source.memory()
    first, second = (asyncio.create_task(memory.one("a")) for _ in range(2))
    await source.begun()
    first.cancel()
    source.answer()
    assert await second == "one"


async def test_a_load_has_a_deadline_of_its_own() -> None:
    left: list[float | None] = []

    async def load(keys: list[str]) -> dict[str, str]:
        left.append(deadline.remaining())
        return {}

    with deadline.limit(0.9):
        await Memory(load, 1.0, 10).read(["a"])
    assert left[0]
    assert left[0] > 1


async def test_a_failed_load_is_told_to_all_who_wait_and_tried_again_by_the_next() -> None:
    fail = [True]

    async def load(keys: list[str]) -> dict[str, str]:
        await asyncio.sleep(0)
        if fail.pop(0):
            raise ConnectionError("away")
        return {"a": "one"}

    memory = Memory(load, 1.0, 10)
    results = await asyncio.gather(memory.one("a"), memory.one("a"), return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError] * 2
    fail.append(False)
    assert await memory.one("a") == "one"
    gc.collect()  # an error that nobody was told would be reported here


STEPS = st.lists(st.sampled_from(["read", "change", "answer first", "answer last", "older"]), max_size=30)


@given(STEPS)
def test_no_reader_sees_what_was_forgotten_before_it_asked(steps: list[str]) -> None:
    """However reads, changes and answers follow on each other: a read never tells of a state that a change,
    forgotten before the read began, had ended; nor of one older than the age."""
    asyncio.run(_walk(steps))


async def _walk(steps: list[str]) -> None:
    source = Slow(a="0")
    memory, version, changed_at = source.memory(), 0, {0: source.now}
    reads: list[tuple[int, asyncio.Task[str | None]]] = []
    for step in steps:
        if step == "read":
            reads.append((version, asyncio.create_task(memory.one("a"))))
        elif step == "change":
            version += 1
            source.facts["a"], changed_at[version] = str(version), source.now
            memory.forget("a")
        elif step == "older":
            source.now += 0.4
        elif open_ := [future for future in source.waiting if not future.done()]:
            open_[0 if step == "answer first" else -1].set_result(None)
        for _ in range(4):
            await asyncio.sleep(0)
    for _ in range(len(steps) + 1):
        for future in source.waiting:
            if not future.done():
                future.set_result(None)
        for _ in range(4):
            await asyncio.sleep(0)
    for asked_at, read in reads:
        assert int((await read) or -1) >= asked_at
    assert memory.last("a") in (None, str(version)), "what is kept is what holds"


async def test_silent_loss_of_a_forget_is_made_up_for_by_the_age() -> None:
    source = Source(a="old")
    memory = source.memory()
    await memory.one("a")
    source.facts["a"] = "new"
    source.now += 1.0
    assert await memory.one("a") == "new"


@pytest.mark.parametrize("keys", [[], ["a", "a"]])
async def test_asking_for_nothing_or_twice_for_one_asks_no_more_than_needed(keys: list[str]) -> None:
    source = Source(a="one")
    await source.memory().read(keys)
    assert source.asked == sorted(set(keys))
