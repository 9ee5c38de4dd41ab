"""The analyser: text to words, the same for what is indexed and for what is asked.

Text is folded, then cut by Unicode category: letters, digits and their marks make words; runs of
scripts written without spaces make bigrams; a symbol (emoji, flag, ☕) is a word of its own.
Everything else separates. No character is an operator, so no query is malformed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from services.search.text.folding import fold, tag

MAX_WORD_CHARS = 64
"""Longer words are cut, in texts and in queries alike."""
MAX_QUERY_WORDS = 32
"""Words of a query beyond these are ignored."""

_ZWJ = "\u200d"
_MARKS = "".join(mark for mark in map(chr, range(0x300, 0x1F000)) if unicodedata.category(mark) in ("Mn", "Mc"))
# As in captions: letters with their marks, digits and underscores, behind a sign that follows none of them.
_TAG = re.compile(rf"(?<![\w{_MARKS}])[#\uff03]([\w{_MARKS}]+)")
# Han, kana, Hangul, bopomofo, Thai, Lao, Myanmar, Khmer: written without spaces, or with particles joined on.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def words(text: str) -> list[str]:
    """The words of a text to be indexed, each once: single characters and bigrams of unspaced scripts."""
    found: list[str] = []
    for kind, run in _runs(fold(text)):
        found += [*run, *_bigrams(run)] if kind == "unspaced" else [run]
    return list(dict.fromkeys(word[:MAX_WORD_CHARS] for word in found))


def query_words(text: str) -> list[str]:
    """The words of a query, each once: all must match. Unspaced runs ask for their bigrams."""
    found: list[str] = []
    for kind, run in _runs(fold(text)):
        found += _bigrams(run) or list(run) if kind == "unspaced" else [run]
    return list(dict.fromkeys(word[:MAX_WORD_CHARS] for word in found))[:MAX_QUERY_WORDS]


def caption_words(caption: str, hashtags: tuple[str, ...]) -> list[str]:
    """The words of a caption, their stems beside them, and its hashtags with their #."""
    exact = words(caption)
    tags = [tag_word(hashtag) for hashtag in hashtags]
    return list(dict.fromkeys([*exact, *map(stem, exact), *tags]))


def caption_query(text: str) -> list[list[str]]:
    """What a caption must hold: one of each list. A hashtag in the query asks for that very tag."""
    asked = [[tag_word(match[1])] for match in _TAG.finditer(text) if query_words(match[1])]
    plain = query_words(_TAG.sub(" ", text))
    return [*asked, *([word] if stem(word) == word else [word, stem(word)] for word in plain)][:MAX_QUERY_WORDS]


def tag_word(hashtag: str) -> str:
    """A hashtag as one word among a caption's words; no ordinary word begins with #."""
    return "#" + tag(hashtag)[:MAX_WORD_CHARS]


def stem(word: str) -> str:
    """The singular of an English plural, other words as they are: Harman's S-stemmer (1991), and "beaches"."""
    if len(word) <= 3 or not word.isascii() or not word.endswith("s"):
        return word
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if word.endswith("ies"):
        return word if word.endswith(("eies", "aies")) else word[:-3] + "y"
    if word.endswith("es"):
        return word if word.endswith(("aes", "ees", "oes")) else word[:-1]
    return word if word.endswith(("us", "ss")) else word[:-1]


def prefixes(word: str) -> list[str]:
    """Everything that a person typing this word has typed on the way."""
    return [word[:length] for length in range(1, len(word) + 1)]


def _bigrams(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """Runs of one kind: "word", "unspaced" or "symbol"; separators are left out."""
    for kind, characters in groupby(_cut(text), key=lambda pair: pair[0]):
        if kind == "symbol":
            yield from ((kind, symbol) for symbol in _symbols("".join(character for _, character in characters)))
        elif kind:
            yield kind, "".join(character for _, character in characters)


def _cut(text: str) -> Iterator[tuple[str, str]]:
    """Each character with its kind; marks and joiners have the kind of what they stand behind."""
    kind = ""
    for character in text:
        if character != _ZWJ and unicodedata.category(character)[0] != "M":
            kind = _kind(character)
        elif character == _ZWJ and kind != "symbol":
            continue
        yield kind, character


def _kind(character: str) -> str:
    if _UNSPACED.match(character):
        return "unspaced"
    category = unicodedata.category(character)
    if category[0] in "LN":
        return "word"
    return "symbol" if category == "So" or _is_skin_tone(character) else ""


def _is_skin_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _symbols(run: str) -> list[str]:
    """Emoji one by one: joined sequences (👩‍🚀) and flags as one, skin tones dropped."""
    found: list[str] = []
    for character in run:
        joined = found and (found[-1].endswith(_ZWJ) or character == _ZWJ or _completes_flag(found[-1], character))
        if _is_skin_tone(character):
            continue
        if joined:
            found[-1] += character
        else:
            found.append(character)
    return [symbol.strip(_ZWJ) for symbol in found if symbol.strip(_ZWJ)]


def _completes_flag(before: str, character: str) -> bool:
    """Whether two regional indicators make a flag."""
    return len(before) == 1 and _is_regional(before) and _is_regional(character)


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
