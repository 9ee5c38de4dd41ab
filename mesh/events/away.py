"""Telling a dependency that is away from an event that cannot be handled."""

from __future__ import annotations

from mesh import storage
from mesh.blobs.contract import BlobUnavailable
from mesh.cache.errors import CacheUnavailable
from mesh.errors import Code, Problem

_AWAY = {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED}


def is_away(error: Exception) -> bool:
    """Whether a handler failed because something that it needs does not answer now: another service, the
    tables, the cache or the blob store. The event is not to blame, so such a try does not count."""
    if isinstance(error, Problem):
        return error.code in _AWAY
    return isinstance(error, storage.Unavailable | storage.TimedOut | CacheUnavailable | BlobUnavailable)
