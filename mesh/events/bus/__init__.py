"""The log between services behind one contract: the URL chooses its engine."""

from __future__ import annotations

from mesh.events.bus.contract import Bus
from mesh.events.timing import Timing

_REDIS = ("redis", "rediss", "unix")


def open_bus(url: str, timing: Timing) -> Bus:
    """The bus that a URL names; connects at its first use.

    ``redis://``, ``rediss://`` and ``unix://`` are Redis Streams. Raises :class:`ValueError` for any other.
    """
    if url.partition("://")[0] not in _REDIS:
        raise ValueError(f"bus URL {url!r}: begin with redis://")
    from mesh.events.bus.redis.streams import RedisBus

    return RedisBus(url, timing)
