"""The errors that leave the cache client."""

from __future__ import annotations

_PASSING = {"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "OOM", "READONLY", "TRYAGAIN"}
"""First words of refusals that pass by themselves."""


class CacheError(Exception):
    """Base of every error that leaves the cache client."""


class CacheUnavailable(CacheError):
    """Redis is away, full, overloaded or slow: treat a read as a miss. A write may have been applied."""


class CacheRefused(CacheError):
    """Redis, or this client, does not accept the command: a bug in the caller, not worth a retry."""


class ScriptMissing(CacheError):
    """Redis does not know the script of this digest (any more)."""


def from_answer(text: str) -> CacheError:
    """What an error that Redis answered means to the caller. Its first word is its kind
    (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors)."""
    kind = text.partition(" ")[0]
    if kind == "NOSCRIPT":
        return ScriptMissing(text)
    if kind in _PASSING:
        return CacheUnavailable(f"Redis cannot serve now: {text}")
    return CacheRefused(f"Redis refused: {text}")
