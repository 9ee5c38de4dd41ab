"""Access tokens of sessions, and the upkeep of the keys that sign them."""

from __future__ import annotations

import asyncio

import structlog

from mesh.auth import tokens
from mesh.auth.keys import KeyRing

SCOPES = frozenset({"read", "write", "account"})
_REFRESH_EVERY_S = 3600.0
_RETRY_AFTER_S = 10.0
_log = structlog.get_logger("accounts")


class Signer:
    """Signs access tokens that live ``life_ms``."""

    def __init__(self, keys: KeyRing, life_ms: int) -> None:
        self._keys = keys
        self._life_ms = life_ms

    def sign(self, user_id: int, session_id: int, now_ms: int) -> tuple[str, int]:
        """A token and when it expires, in ms."""
        token = tokens.sign(
            self._keys,
            user_id=user_id,
            session_id=session_id,
            scopes=SCOPES,
            roles=frozenset(),
            now_ms=now_ms,
            life_ms=self._life_ms,
        )
        # The token counts whole seconds.
        return token, (now_ms + self._life_ms) // 1000 * 1000

    async def refresh_keys(self) -> None:
        """Make, publish and retire keys as they are due."""
        await asyncio.to_thread(self._keys.refresh)

    async def keep_keys_fresh(self) -> None:
        """Refresh the keys every hour, for ever. A folder that cannot be written for a while is no
        reason to stop: the keys in memory go on signing."""
        pause_s = _REFRESH_EVERY_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.refresh_keys()
                pause_s = _REFRESH_EVERY_S
            except OSError as error:
                _log.error("the signing keys could not be refreshed", error=repr(error))
                pause_s = _RETRY_AFTER_S
