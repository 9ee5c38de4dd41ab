"""Ranks: one unsigned 64-bit number an item, so that an engine sorts by one field and a cursor is one number."""

from __future__ import annotations

import hashlib

from services.search.documents import User

_ID_BITS = 58
_COUNT_BITS = 30


def of_user(user: User) -> int:
    """Shorter usernames first, then older accounts: the closest match of those that match alike."""
    shortness = 63 - min(len(user.username), 63)
    age = (1 << _ID_BITS) - 1 - (user.user_id >> (63 - _ID_BITS))
    return shortness << _ID_BITS | age


def of_count(count: int, key: str) -> int:
    """More posts first, then in an arbitrary but fixed order, the same after every rebuild."""
    fixed = int.from_bytes(_digest(key)) >> _COUNT_BITS
    return min(count, (1 << _COUNT_BITS) - 1) << (64 - _COUNT_BITS) | fixed


def tie_breaker(key: str) -> str:
    """A short text that orders the few items of equal rank."""
    return _digest(key).hex()


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=8).digest()
