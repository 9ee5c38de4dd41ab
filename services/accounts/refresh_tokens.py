"""Refresh tokens: opaque texts of a session id, 256 random bits and a seal.

The store keeps only the SHA-256 of the random part. The seal (an HMAC) tells a token that we once
gave from one that somebody made up: only the former, used twice, may end a session.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from mesh.errors import unauthenticated

_ID_BYTES, _SECRET_BYTES, _SEAL_BYTES = 8, 32, 16


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token for the client, and what the store keeps of it."""

    session_id: int
    hash: bytes
    text: str = ""


class RefreshTokens:
    """Makes and opens refresh tokens. ``key``: at least 16 bytes, the same in all processes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def new(self, session_id: int) -> RefreshToken:
        """A new token for a session."""
        body = session_id.to_bytes(_ID_BYTES, "big") + secrets.token_bytes(_SECRET_BYTES)
        text = base64.urlsafe_b64encode(body + self._seal(body)).rstrip(b"=").decode()
        return RefreshToken(session_id, hashlib.sha256(body).digest(), text)

    def open(self, text: str) -> RefreshToken:
        """What a token says. Raises TOKEN_INVALID for one that we never gave."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise refused() from None
        body, seal = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
        if len(body) != _ID_BYTES + _SECRET_BYTES or not hmac.compare_digest(seal, self._seal(body)):
            raise refused()
        return RefreshToken(int.from_bytes(body[:_ID_BYTES], "big"), hashlib.sha256(body).digest())

    def _seal(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)[:_SEAL_BYTES]


def refused() -> Exception:
    """The token stands for no session."""
    return unauthenticated("TOKEN_INVALID", "the refresh token does not hold: log in again")
