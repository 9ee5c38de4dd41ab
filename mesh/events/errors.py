"""What any use of the bus may raise."""

from __future__ import annotations

from redis.exceptions import RedisError


class BusNotReady(Exception):
    """The bus answers but cannot take events now; try again shortly."""


class BusLost(BusNotReady):
    """The shard has lost data, or may have: rebuild it."""


class LeaseLost(BusNotReady):
    """Another process may consume the shard now: touch nothing more."""


class BusBuilding(BusNotReady):
    """The shard is being rebuilt, or its builder died and has not been given up yet."""


class BusFull(BusNotReady):
    """The slowest group is so far behind that no more events fit; they wait in the outbox."""


BUS_ERRORS = (RedisError, OSError, TimeoutError, BusNotReady)
"""What any use of the bus may raise: it is away, or not ready."""


def require_ok(stream: str, answer: bytes) -> None:
    """Raise what a script's answer means."""
    if answer == b"lost":
        raise BusLost(f"{stream} has lost data")
    if answer == b"full":
        raise BusFull(f"{stream} is full: its slowest group is too far behind")
    if answer != b"ok":
        raise BusBuilding(f"{stream} is being rebuilt")
