"""How services of the mesh prove themselves to each other: short HMAC-signed JWTs over one secret."""

from __future__ import annotations

import jwt
from cachetools import TTLCache

from mesh.clock import Clock
from mesh.errors import unauthenticated

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
        self._verified: TTLCache[str, str] = TTLCache(10_000, _LIFE_MS / 2000)

    def token(self) -> str:
        """This process's token, renewed at half its life of ten minutes."""
        now = self._clock.now_ms()
        if now >= self._renew_ms:
            claims = {"aud": _AUDIENCE, "sub": self._name, "exp": (now + _LIFE_MS) // 1000}
            self._token = jwt.encode(claims, self._secret, algorithm="HS256")
            self._renew_ms = now + _LIFE_MS // 2
        return self._token

    def verify(self, token: str) -> str:
        """The name of the peer. Raises TOKEN_INVALID."""
        if (name := self._verified.get(token)) is not None:
            return name
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                options={"verify_exp": False, "require": ["exp", "sub"]},
            )
        except jwt.InvalidTokenError:
            raise unauthenticated("TOKEN_INVALID", "the mesh token does not verify: is mesh.secret the same?") from None
        if claims["exp"] * 1000 <= self._clock.now_ms():
            raise unauthenticated("TOKEN_EXPIRED", "the mesh token has expired: do the machines' clocks agree?")
        name = str(claims["sub"])
        self._verified[token] = name
        return name
