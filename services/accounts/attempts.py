"""Counts tries to log in, so that passwords cannot be guessed by trying many.

The counts live in Redis. While it is away nobody is held back: a shop that locks everybody out when
its counter is broken serves its attackers; hashing stays bounded by itself (passwords.py).
"""

from __future__ import annotations

import hashlib

import structlog

from mesh.cache.client import Cache
from mesh.cache.errors import CacheError
from mesh.cache.script import Script
from mesh.errors import exhausted
from services.accounts.schema import LOGINS

_log = structlog.get_logger("accounts")
_COUNT = Script(
    "count login attempts",
    """
    local waits = 0
    for i, name in ipairs(KEYS) do
        local free, ttl_ms = tonumber(ARGV[i * 2 - 1]), tonumber(ARGV[i * 2])
        local tries = redis.call('INCR', name)
        if tries == 1 then redis.call('PEXPIRE', name, ttl_ms) end
        if tries > free then waits = math.max(waits, redis.call('PTTL', name), 1) end
    end
    return waits
    """,
)
_TAKE_BACK = Script(
    "take back a login attempt",
    """
    for _, name in ipairs(KEYS) do
        if tonumber(redis.call('GET', name) or '0') > 0 then redis.call('DECR', name) end
    end
    """,
)


class Attempts:
    """Bounds tries. ``per_client``: failures in ``window_ms`` for one identifier from one client;
    ``per_identifier``: for one identifier whoever tries, higher, so that a stranger cannot easily
    lock somebody out."""

    def __init__(self, cache: Cache, per_client: int, per_identifier: int, window_ms: int) -> None:
        self._cache = cache
        self._per_client = per_client
        self._per_identifier = per_identifier
        self._window_ms = window_ms

    async def count(self, identifier: str, client: str) -> None:
        """Count a try before it is made. Raises RATE_LIMITED with the time to wait."""
        limits = (self._per_client, self._window_ms, self._per_identifier, self._window_ms)
        try:
            wait_ms = int(await self._cache.run(_COUNT, _keys(identifier, client), limits))
        except CacheError as error:
            _log.warning("login attempts are not counted", error=repr(error))
            return
        if wait_ms:
            raise exhausted("RATE_LIMITED", "too many tries for this account: wait before the next", wait_ms)

    async def take_back(self, identifier: str, client: str) -> None:
        """The try came to nothing, through no fault of its maker: it does not count."""
        try:
            await self._cache.run(_TAKE_BACK, _keys(identifier, client))
        except CacheError as error:
            _log.warning("a login attempt is not taken back", error=repr(error))

    async def forget(self, identifier: str, client: str) -> None:
        """The password was right: start counting anew."""
        try:
            await self._cache.delete(*_keys(identifier, client))
        except CacheError as error:
            _log.warning("login attempts are not forgotten", error=repr(error))


def _keys(identifier: str, client: str) -> list[bytes]:
    """Digests, so that nobody's address stands in Redis."""
    owner = hashlib.sha256(identifier.encode()).hexdigest()
    device = hashlib.sha256(client.encode()).hexdigest()[:16]
    return [LOGINS.key(owner, device), LOGINS.key(owner)]
