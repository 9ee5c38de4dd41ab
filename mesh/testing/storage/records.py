"""Rows as values of a class, rows of the version before among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

import pytest

from mesh.storage import Corrupt, Packed, Store, Table, WriteMode, table
from mesh.testing.storage.tables import fresh


class Mood(StrEnum):
    """Kept as text."""

    CALM = "calm"
    WILD = "wild"


class Size(IntEnum):
    """Kept as a number."""

    SMALL = 1
    LARGE = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A part that a picture may have: unset where its width is."""

    width: int
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """An item of a list."""

    text: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """One field of every kind."""

    picture_id: int
    part: int
    title: str
    ratio: float
    shown: bool
    raw: bytes
    mood: Mood
    size: Size
    words: tuple[str, ...]
    tags: tuple[Tag, ...]
    events: Packed
    frame: Frame | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Before:
    """A row of the version before."""

    person: int
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class After(Before):
    """The row now."""

    score: int = 7
    mood: Mood = Mood.CALM
    words: tuple[str, ...] = ("old",)
    note: str | None = None


PICTURES = table("pictures", Picture, partition=("part",), clustering=("picture_id desc",))
_FULL = Picture(
    1,
    1,
    "tïtle",
    1.5,
    True,
    b"\0\xff",
    Mood.WILD,
    Size.LARGE,
    ("a", "ö"),
    (Tag("x"), Tag("y", 2)),
    (-1, 2**62),
    Frame(3),
    "note",
)


_SPARSE = replace(_FULL, frame=None, note=None, words=(), tags=(), events=(), title="", raw=b"")


def _versions(mode: WriteMode) -> tuple[Table[Before], Table[After]]:
    name = f"v{fresh()}"
    return (
        table(name, Before, partition=("person",), mode=mode),
        table(name, After, partition=("person",), mode=mode),
    )


class Records:
    """Promises about tables that are declared by a class, and about what a column holds that was never set."""

    @pytest.mark.parametrize("picture", [_FULL, _SPARSE], ids=["full", "sparse"])
    async def test_a_record_reads_as_it_was_written(self, store: Store, picture: Picture) -> None:
        written = replace(picture, part=fresh())
        await store.create([PICTURES])
        await store.put(PICTURES, PICTURES.encode(written))
        (row,) = await store.slice(PICTURES, {"part": written.part}, limit=1)
        assert PICTURES.decode(row) == written

    async def test_a_row_without_what_a_record_needs_is_corrupt(self, store: Store) -> None:
        await store.create([PICTURES])
        key = {"part": fresh(), "picture_id": 1}
        await store.put(PICTURES, {**key, "title": "alone"})
        row = await store.get(PICTURES, key)
        assert row is not None
        with pytest.raises(Corrupt, match="has no ratio"):
            PICTURES.decode(row)

    async def test_rows_older_than_a_column_read_with_its_default(self, store: Store) -> None:
        before, after = _versions(WriteMode.LAST_WRITE_WINS)
        await store.create([before])
        await store.put(before, before.encode(Before(1, "ana", 3)))
        await store.create([after])
        expected = After(1, "ana", 3, score=7, mood=Mood.CALM, words=("old",), note=None)
        found = [
            await store.get(after, {"person": 1}),
            *await store.multi_get(after, [{"person": 1}]),
            *await store.slice(after, {"person": 1}, limit=1),
        ]
        assert [after.decode(row) for row in found if row] == [expected] * 3

    async def test_an_older_claim_refuses_with_its_defaults(self, store: Store) -> None:
        before, after = _versions(WriteMode.COMPARE_AND_SET)
        await store.create([before])
        await store.insert_if_absent(before, before.encode(Before(1, "ana", 3)))
        await store.create([after])
        outcome = await store.insert_if_absent(after, after.encode(After(1, "ben", 1, score=1)))
        assert outcome.current is not None
        assert after.decode(outcome.current) == After(1, "ana", 3)

    async def test_an_older_row_holds_the_default_that_an_update_expects(self, store: Store) -> None:
        before, after = _versions(WriteMode.COMPARE_AND_SET)
        await store.create([before])
        await store.insert_if_absent(before, before.encode(Before(1, "ana", 3)))
        await store.create([after])
        key = {"person": 1}
        assert not (await store.update_if(after, key, {"score": 9}, {"score": 8, "version": 3})).applied
        assert not (await store.update_if(after, key, {"score": 9}, {"score": 7, "version": 4})).applied
        assert (await store.update_if(after, key, {"score": 9}, {"score": 7, "mood": "calm", "version": 3})).applied
        assert not (await store.update_if(after, key, {"score": 1}, {"score": 7})).applied
        row = await store.get(after, key)
        assert row is not None
        assert after.decode(row) == After(1, "ana", 3, score=9)

    async def test_the_version_before_writes_beside_the_one_now(self, store: Store) -> None:
        before, after = _versions(WriteMode.LAST_WRITE_WINS)
        await store.create([after])
        await store.put(after, after.encode(After(1, "ana", 3, score=9)))
        await store.create([before])
        await store.put(before, before.encode(Before(1, "eva", 4)))
        await store.create([after])
        row = await store.get(after, {"person": 1})
        assert row is not None
        assert after.decode(row) == After(1, "eva", 4, score=9)
