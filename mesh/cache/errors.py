"""The errors that leave the cache client."""

from __future__ import annotations

from redis import exceptions

_PASSING = (
    exceptions.BusyLoadingError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
)


class CacheError(Exception):
    """Base of every error that leaves the cache client."""


class CacheUnavailable(CacheError):
    """Redis is away, full, overloaded or slow: treat a read as a miss. A write may have been applied."""


class CacheRefused(CacheError):
    """Redis, or this client, does not accept the command: a bug in the caller, not worth a retry."""


class ScriptMissing(CacheError):
    """Redis does not know the script of this digest (any more)."""


def from_answer(error: exceptions.ResponseError) -> CacheError:
    """What an error that Redis answered means to the caller."""
    if isinstance(error, exceptions.NoScriptError):
        return ScriptMissing(str(error))
    if isinstance(error, _PASSING):
        return CacheUnavailable(f"Redis cannot serve now: {error}")
    return CacheRefused(f"Redis refused: {error}")
