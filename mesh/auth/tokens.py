"""Access tokens: JWTs (RFC 7519, claims after RFC 9068) signed by accounts, verified by everyone.

Verifying costs an ECDSA operation, so the outcome is kept until the token expires, in a bounded
table; the signature covers the whole token, so the same text is the same outcome.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import structlog
from cachetools import LRUCache

from mesh.auth.caller import Caller
from mesh.auth.keys import ALGORITHM, KeyRing
from mesh.clock import Clock
from mesh.errors import unauthenticated

_log = structlog.get_logger("auth")
ISSUER = "tintype"
AUDIENCE = "tintype"
_MAX_TOKEN_CHARS = 4096
_RELOAD_EVERY_MS = 1000


def sign(
    keys: KeyRing,
    *,
    user_id: int,
    session_id: int,
    scopes: frozenset[str],
    roles: frozenset[str],
    now_ms: int,
    life_ms: int,
) -> str:
    """A new access token for a session."""
    key = keys.signing_key()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id),
        "scope": " ".join(sorted(scopes)),
        "roles": sorted(roles),
        "iat": now_ms // 1000,
        "exp": (now_ms + life_ms) // 1000,
    }
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": "at+jwt"})


class TokenVerifier:
    """Turns an access token into the caller it stands for."""

    def __init__(self, jwks: Path, clock: Clock, remembered: int = 50_000) -> None:
        self._jwks = jwks
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._looked_ms = -_RELOAD_EVERY_MS
        self._stamp: tuple[int, int] | None = None
        self._callers: LRUCache[str, Caller] = LRUCache(remembered)

    def verify(self, token: str) -> Caller:
        """The caller. Raises TOKEN_INVALID or TOKEN_EXPIRED."""
        now = self._clock.now_ms()
        if now - self._looked_ms >= _RELOAD_EVERY_MS:
            self._look(now)
        caller = self._callers.get(token)
        if caller is None:
            caller = self._decode(token)
            self._callers[token] = caller
        if caller.expire_time_ms <= now:
            raise unauthenticated("TOKEN_EXPIRED", "the access token has expired: POST /v1/sessions:refresh")
        return caller

    def _decode(self, token: str) -> Caller:
        if len(token) > _MAX_TOKEN_CHARS:
            raise _invalid()
        try:
            key = self._keys[jwt.get_unverified_header(token).get("kid", "")]
            # Expiry is checked by `verify` against the injected clock, on every use.
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "sid"]},
            )
            return Caller(
                user_id=int(claims["sub"]),
                session_id=int(claims["sid"]),
                scopes=frozenset(claims.get("scope", "").split()),
                roles=frozenset(claims.get("roles", ())),
                expire_time_ms=int(claims["exp"]) * 1000,
                token=token,
            )
        except (jwt.InvalidTokenError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
            raise _invalid() from None

    def _look(self, now_ms: int) -> None:
        """Once a second: read the key set again where its file has changed. With a key go its tokens."""
        self._looked_ms = now_ms
        try:
            stat = self._jwks.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if stamp == self._stamp:
                return
            keys = {key["kid"]: jwt.PyJWK(key) for key in json.loads(self._jwks.read_text())["keys"]}
        except (OSError, ValueError, LookupError, TypeError, jwt.PyJWTError) as error:
            if not isinstance(error, FileNotFoundError):  # accounts has not started yet
                _log.error("the key set cannot be read", path=str(self._jwks), error=repr(error))
            return
        if self._keys.keys() - keys.keys():
            self._callers.clear()
        self._keys, self._stamp = keys, stamp


def _invalid() -> Exception:
    return unauthenticated("TOKEN_INVALID", "the access token does not verify: log in again")
