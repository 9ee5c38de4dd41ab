"""How services of the mesh prove themselves to each other: short HMAC-signed JWTs over one secret."""

from __future__ import annotations

import jwt
from cachetools import LRUCache

from mesh.clock import Clock
from mesh.errors import denied

_AUDIENCE = "tintype-mesh"
_LIFE_MS = 600_000


class PeerTokens:
    """Makes this process's token and verifies those of others. ``secret``: at least 32 bytes."""

    def __init__(self, secret: str, name: str, clock: Clock) -> None:
        if len(secret) < 32:
            raise ValueError("mesh.secret must have at least 32 characters")
        self._secret = secret
        self._name = name
        self._clock = clock
        self._token = ""
        self._renew_ms = 0
        self._verified: LRUCache[str, tuple[str, int]] = LRUCache(10_000)

    def token(self) -> str:
        """This process's token, renewed at half its life of ten minutes."""
        now = self._clock.now_ms()
        if now >= self._renew_ms:
            claims = {"aud": _AUDIENCE, "sub": self._name, "exp": (now + _LIFE_MS) // 1000}
            self._token = jwt.encode(claims, self._secret, algorithm="HS256")
            self._renew_ms = now + _LIFE_MS // 2
        return self._token

    def verify(self, token: str) -> str:
        """The name of the peer. Raises TOKEN_INVALID or TOKEN_EXPIRED."""
        name, expire_ms = self._verified.get(token) or self._decode(token)
        if expire_ms <= self._clock.now_ms():
            raise denied("MESH_ONLY", "the mesh token has expired: do the machines' clocks agree?")
        return name

    def _decode(self, token: str) -> tuple[str, int]:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                options={"verify_exp": False, "require": ["exp", "sub"]},
            )
            found = str(claims["sub"]), int(claims["exp"]) * 1000
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            raise denied("MESH_ONLY", "the mesh token does not verify: is `secret` the same everywhere?") from None
        self._verified[token] = found
        return found
