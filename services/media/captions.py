"""What a caption may hold."""

from __future__ import annotations

import unicodedata

from mesh.errors import invalid
from mesh.limits import longest
from services.media.hashtags import hashtags

MAX_CAPTION_CHARS = longest("edge.v1.posts.CreatePostRequest.caption")
MAX_HASHTAGS = 30


def check_caption(caption: str) -> str:
    """The caption with its line breaks made one kind. Raises INVALID_FIELD."""
    caption = caption.replace("\r\n", "\n")
    if len(caption) > MAX_CAPTION_CHARS:
        raise invalid("caption", f"has {len(caption)} characters: at most {MAX_CAPTION_CHARS}")
    check_characters("caption", caption, allowed="\n")
    if (count := len(hashtags(caption))) > MAX_HASHTAGS:
        raise invalid("caption", f"has {count} hashtags: at most {MAX_HASHTAGS}")
    return caption


def check_characters(field: str, text: str, allowed: str = "") -> None:
    """Refuse control characters, which no screen shows and some terminals obey. Raises INVALID_FIELD."""
    for character in text:
        if unicodedata.category(character) == "Cc" and character not in allowed:
            raise invalid(field, f"holds the control character U+{ord(character):04X}: remove it")
