"""Hashtags: found in a caption here and nowhere else, so that every service means the same by one."""

from __future__ import annotations

import unicodedata

MAX_HASHTAG_CHARS = 100
"""Of the folded tag; what is longer is text."""
_SIGNS = "#＃"  # the second is what a Japanese keyboard types
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


def hashtags(text: str) -> tuple[str, ...]:
    """The tags in a text, folded, without the sign, each once, in order.

    A tag is a sign followed by letters (with their marks), digits and underscores of any script, at least one
    of them a letter or a digit; emoji end it. The sign does not follow a letter, digit or underscore.
    """
    found: dict[str, None] = {}
    before = " "
    for position, character in enumerate(text):
        if character in _SIGNS and not _belongs(before) and (tag := fold(_run(text, position + 1))):
            found[tag] = None
        before = character
    return tuple(found)


def fold(tag: str) -> str:
    """The one form of a tag that is stored and compared (NFKC, case-folded); empty where it is not a tag."""
    tag = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", tag).casefold())
    tag = "".join(filter(_belongs, tag))
    return tag if len(tag) <= MAX_HASHTAG_CHARS and any(map(str.isalnum, tag)) else ""


def _run(text: str, start: int) -> str:
    end = start
    while end < len(text) and _belongs(text[end]):
        end += 1
    return text[start:end]


def _belongs(character: str) -> bool:
    if character == "_" or character.isalpha():
        return True
    # Marks belong to their letters in many scripts; those that make an emoji of a digit do not.
    return unicodedata.category(character) in ("Nd", "Mn", "Mc") and ord(character) not in _VARIATION_SELECTORS
