"""Folding: texts that people take for the same become the same characters."""

from __future__ import annotations

import unicodedata

# Letters with a stroke, ligatures and the like, which Unicode does not decompose (as ICU folds them).
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})
_VARIATION_SELECTORS = dict.fromkeys(range(0xFE00, 0xFE10))

MAX_TAG_CHARS = 100
"""Longer hashtags are not indexed."""


def normal(text: str) -> str:
    """NFKC with case folded: one spelling of full-width, composed and capital letters, and of ❤️ and ❤."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_VARIATION_SELECTORS)
    return unicodedata.normalize("NFKC", folded)


def fold(text: str) -> str:
    """Like :func:`normal`, and diacritics dropped: "Café" and "cafe" are one word."""
    decomposed = unicodedata.normalize("NFKD", normal(text))
    bare = "".join(character for character in decomposed if not _is_diacritic(character))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def _is_diacritic(character: str) -> bool:
    """Marks written above or below a letter, Hebrew points and Arabic vowels included.

    Told by the canonical combining class (Unicode, UAX 44). Left alone are nuktas, kana voicing and
    viramas (7 to 9) and the vowels and tones of Telugu, Thai, Lao and Tibetan (84 to 132): they
    make another letter or word.
    """
    combining = unicodedata.combining(character)
    return 10 <= combining <= 36 or combining >= 200


def tag(text: str) -> str:
    """A hashtag's identity: without # and spaces, case folded, accents kept ("café" and "cafe" are two tags)."""
    return unicodedata.normalize("NFKC", "".join(normal(text).split())).lstrip("#")


def tag_prefix(text: str) -> str:
    """What a hashtag's folded text must begin with."""
    return fold(tag(text))
