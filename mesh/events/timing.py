"""How often the parts of the bus act, and the bounds they keep; tests shorten the times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Times in the unit their names end with; counts where they end with none."""

    lease_s: float = 6.0
    """How long a dead process keeps a shard from the others."""
    block_s: float = 5.0
    """How long one read of the bus waits for an event."""
    handler_s: float = 60.0
    """How long one try of a handler may take."""
    retry_s: tuple[float, ...] = (0.1, 0.5, 2.0, 5.0)
    """The waits between the tries; there is one try more than there are waits."""
    away_s: tuple[float, float] = (0.05, 1.0)
    """The shortest and the longest wait before the bus is asked again after it failed."""
    sweep_every_s: float = 2.0
    checkpoint_every_s: float = 30.0
    mark_every_s: float = 1.0
    young_ms: int = 5_000
    """The sweep leaves events alone that are younger: their own process is publishing them."""
    late_ms: int = 60_000
    """By this age a write that was ever going to appear in the store has appeared (``CLAIM_S`` and ``LATE_S``
    together are less); a second sweep passes here and withdraws the intents whose claims do not hold.
    Clocks of one service's processes must differ by less than what is left."""
    intent_ms: int = 10_000
    """The age at which an intent counts as left behind: where its claim holds, it is published."""
    hopeless_ms: int = 3_600_000
    """The age at which an intent is given up that nobody could settle."""
    queue: int = 5_000
    """Events of one shard that wait in memory; more wait in the store."""
    batch: int = 128
    """Events in one call to the bus."""
    window: int = 256
    """Events of one shard that a consumer holds."""
    backlog: int = 200_000
    """Events of one shard that the bus keeps for its slowest group; more wait in the store."""
    kept: int = 1_000
    """Events of one shard that are kept after all groups have handled them, for live readers."""
    remembered: int = 10_000
    """Event ids of one shard by which a repeated publication is recognised."""
    dead_letters: int = 10_000
    """Dead letters of one area and group that are kept, and up to a tenth more."""

    @property
    def tries(self) -> int:
        """How often a handler is tried before its event is dead-lettered."""
        return len(self.retry_s) + 1
