"""64-bit ids that sort by time: 41 bits of milliseconds, 10 bits of node, 12 bits of sequence.

The layout is Twitter's Snowflake (2010). Within one process ids strictly rise; between processes
with different node numbers they never collide and sort by clock.
"""

from __future__ import annotations

import threading

from mesh.clock import Clock

EPOCH_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z; the 41 bits last until 2093."""
MAX_NODE = 1023
_SEQUENCE_BITS = 12
_NODE_BITS = 10
_TIME_SHIFT = _SEQUENCE_BITS + _NODE_BITS


class IdGenerator:
    """Makes ids for one process. ``node`` (0 to 1023) must differ between processes of one service."""

    def __init__(self, clock: Clock, node: int = 0) -> None:
        if not 0 <= node <= MAX_NODE:
            raise ValueError(f"node is {node}: must be 0 to {MAX_NODE}")
        self._clock = clock
        self._node = node << _SEQUENCE_BITS
        self._lock = threading.Lock()
        self._tick = -1
        self._sequence = 0

    def next(self) -> int:
        """The next id. A clock that steps back does not: ids go on from the latest millisecond seen."""
        with self._lock:
            tick = max(self._clock.now_ms() - EPOCH_MS, self._tick, 1)
            self._sequence = self._sequence + 1 if tick == self._tick else 0
            if self._sequence >> _SEQUENCE_BITS:
                tick, self._sequence = tick + 1, 0
            self._tick = tick
            return (tick << _TIME_SHIFT) | self._node | self._sequence


def time_ms(an_id: int) -> int:
    """When an id was made, in milliseconds since the Unix epoch."""
    return (an_id >> _TIME_SHIFT) + EPOCH_MS


def first_id_at(ms: int) -> int:
    """The smallest id that can be made at this time: a bound for reading by time."""
    return max(ms - EPOCH_MS, 0) << _TIME_SHIFT


def parse(text: str) -> int | None:
    """A public id back to its number, or None where the text is not a positive 64-bit decimal."""
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    value = int(text)
    return value if 0 < value < 1 << 63 else None
