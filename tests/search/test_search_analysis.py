from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search.text.analysis import MAX_QUERY_WORDS, caption_query, caption_words, query_words, stem, words
from services.search.text.folding import fold, tag

TEXTS = st.text(max_size=200)


@given(TEXTS)
def test_every_text_finds_itself(text: str) -> None:
    assert set(query_words(text)) <= set(words(text))
    indexed = set(caption_words(text, ()))
    for group in caption_query(text.replace("#", " ").replace("\uff03", " ")):
        assert indexed & set(group)


@given(TEXTS)
def test_words_hold_no_white_space_and_are_bounded(text: str) -> None:
    for word in [*words(text), *query_words(text)]:
        assert word
        assert word.split() == [word]
        assert len(word) <= 64
    assert len(query_words(text)) <= MAX_QUERY_WORDS


@given(TEXTS)
def test_folding_a_second_time_changes_no_word(text: str) -> None:
    assert words(fold(text)) == words(text)


@given(TEXTS)
def test_a_tag_is_its_own_identity(text: str) -> None:
    assert tag(tag(text)) == tag(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crème brûlée", ["creme", "brulee"]),
        ("ŁÓDŹ, Tromsø", ["lodz", "tromso"]),
        ("İstanbul", ["istanbul"]),
        ("हिन्दी", ["हिन्दी"]),
        ("東京", ["東", "京", "東京"]),
        ("がぎ", ["が", "ぎ", "がぎ"]),
        ("iPhone15で", ["iphone15", "で"]),
        ("👍🏽👍", ["👍"]),
        ("👩🏽‍🚀❤️☕", ["👩‍🚀", "❤", "☕"]),
        ("🇫🇷🇩🇪", ["🇫🇷", "🇩🇪"]),
        ("!?… —", []),
    ],
)
def test_words_of_many_scripts(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("cats", "cat"),
        ("cities", "city"),
        ("gas", "gas"),
        ("glass", "glass"),
        ("bus", "bus"),
        ("lakes", "lake"),
        ("beaches", "beach"),
    ],
)
def test_plurals_have_the_stem_of_their_singular(word: str, expected: str) -> None:
    assert stem(word) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("#Beach!", [["#beach"]]),
        ("#beach,sea", [["#beach"], ["sea"]]),
        ("#sun🌅", [["#sun"], ["🌅"]]),
        ("#हिन्दी", [["#हिन्दी"]]),
        ("＃東京", [["#東京"]]),
        ("a#b", [["a"], ["b"]]),
        ("# beaches", [["beaches", "beach"]]),
    ],
)
def test_a_hashtag_in_a_query_ends_where_it_ends_in_a_caption(query: str, expected: list[list[str]]) -> None:
    assert caption_query(query) == expected
