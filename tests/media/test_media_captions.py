"""Captions, hashtags and places: what counts, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Problem
from services.media.captions import check_caption
from services.media.hashtags import MAX_HASHTAG_CHARS, fold, hashtags
from services.media.places import make_place


@pytest.mark.parametrize(
    ("caption", "tags"),
    [
        ("#Sunset at the #sea", ("sunset", "sea")),
        ("twice #sun #SUN", ("sun",)),
        ("#写真 と #カメラ、#東京。", ("写真", "カメラ", "東京")),
        ("＃日本", ("日本",)),
        ("#ｶﾒﾗ #カメラ", ("カメラ",)),
        ("#straße #STRASSE", ("strasse",)),
        ("#हिन्दी #ไทย", ("हिन्दी", "ไทย")),
        ("#sea🌊 #🌊", ("sea",)),
        ("#love❤️ #️⃣", ("love",)),
        ("mail#me a_#b 1#2", ()),
        ("(#one) .#two 🎉#three", ("one", "two", "three")),
        ("#a#b", ("a",)),
        ("#under_score #2024", ("under_score", "2024")),
        ("# #_ #-", ()),
        ("#new\n#line", ("new", "line")),
        ("#" + "x" * (MAX_HASHTAG_CHARS + 1), ()),
    ],
)
def test_hashtags_of_a_caption(caption: str, tags: tuple[str, ...]) -> None:
    assert hashtags(caption) == tags


@given(st.text(max_size=200))
def test_hashtags_are_folded_once_and_for_all(text: str) -> None:
    for tag in hashtags("#" + text):
        assert fold(tag) == tag
        assert hashtags(f"#{tag}") == (tag,)


@pytest.mark.parametrize(
    "caption", ["x" * 2201, "bell\a", "tab\t", "escape\x1b[31m", "nel\x85", " ".join(f"#t{n}" for n in range(31))]
)
def test_caption_out_of_bounds_is_refused(caption: str) -> None:
    with pytest.raises(Problem) as refused:
        check_caption(caption)
    assert refused.value.fields[0].field == "caption"


@pytest.mark.parametrize(
    "caption", ["", "x" * 2200, "two\nlines", "👩‍👩‍👧 family", " ".join(f"#t{n}" for n in range(30))]
)
def test_caption_within_bounds_is_kept(caption: str) -> None:
    assert check_caption(caption) == caption


def test_line_breaks_of_a_caption_become_one_kind() -> None:
    assert check_caption("one\r\ntwo") == "one\ntwo"


def test_the_same_spot_is_the_same_place() -> None:
    here = make_place("Café  Central", 48.21012, 16.36514)
    assert make_place("cafe\u0301 central", 48.21008, 16.36489).place_id == here.place_id
    assert make_place("Café Central", 48.3, 16.36514).place_id != here.place_id
    assert make_place("Café Museum", 48.21012, 16.36514).place_id != here.place_id
    assert make_place("Café Central", None, None).place_id != here.place_id


@pytest.mark.parametrize(
    ("name", "latitude", "longitude", "field"),
    [
        ("", None, None, "place.name"),
        ("x" * 101, None, None, "place.name"),
        ("bell\a", None, None, "place.name"),
        ("here", 1.0, None, "place"),
        ("here", 90.5, 0.0, "place.latitude"),
        ("here", 0.0, -180.5, "place.longitude"),
        ("here", float("nan"), 0.0, "place.latitude"),
    ],
)
def test_place_out_of_bounds_is_refused(name: str, latitude: float | None, longitude: float | None, field: str) -> None:
    with pytest.raises(Problem) as refused:
        make_place(name, latitude, longitude)
    assert refused.value.fields[0].field == field
