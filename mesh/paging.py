"""Page tokens: opaque, signed, and bound to the request they continue (AIP-158).

A token carries a cursor of the service's own making. It is refused (INVALID_PAGE_TOKEN) when it was
altered, was made by another installation, or belongs to another list, another filter or another
caller. Page size may change between pages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from mesh.errors import Problem, invalid

MAX_TOKEN_CHARS = 512
_TAG_BYTES = 12


class PageTokens:
    """Signs and opens page tokens with one key of at least 16 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the page token key must have at least 16 bytes")
        self._key = key

    def sign(self, cursor: bytes, *binding: object) -> str:
        """A token for the next page; empty where ``cursor`` is (the end). ``binding`` names the list."""
        if not cursor:
            return ""
        return base64.urlsafe_b64encode(self._tag(cursor, binding) + cursor).rstrip(b"=").decode()

    def open(self, token: str, *binding: object) -> bytes:
        """The cursor in a token, empty for the first page. Raises INVALID_PAGE_TOKEN."""
        if not token:
            return b""
        raw = _decode(token)
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:  # one spelling only
            raise _refused()
        tag, cursor = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not cursor or not hmac.compare_digest(tag, self._tag(cursor, binding)):
            raise _refused()
        return cursor

    def _tag(self, cursor: bytes, binding: tuple[object, ...]) -> bytes:
        message = repr(binding).encode() + b"\0" + cursor
        return hashlib.blake2b(message, key=self._key, digest_size=_TAG_BYTES).digest()


def _decode(token: str) -> bytes:
    if len(token) > MAX_TOKEN_CHARS:
        raise _refused()
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused() from None


def _refused() -> Problem:
    return invalid(
        "page_token",
        "must be the nextPageToken of an earlier answer to the same request; start again without it",
        "INVALID_PAGE_TOKEN",
    )
