"""The bus contract: what the relay, the consumers and the tails ask of the log between services.

An area's events lie in shards, each a log: append by key with an event id, order by append, groups that
acknowledge, at least once, position, lag, replay from a position. There are no transactions, and nothing is
kept for good: a shard that has lost data, or may have, says so with :class:`BusLost` and begins a new *epoch*
that its publisher fills from the outbox. What a group gives up is not kept here (``mesh.events.dead_letters``).

Every method may be called concurrently and may be repeated, and raises nothing but :class:`BusError`.
``mesh.testing.bus_conformance`` is the promise in executable form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mesh.events.timing import Timing


class BusError(Exception):
    """Base of every error that leaves a bus: it is away, or not ready."""


class BusUnavailable(BusError):
    """The bus cannot be reached, refuses or did not answer in time; it may have done the work."""


class BusNotReady(BusError):
    """The bus answers but cannot do this now; try again shortly."""


class BusLost(BusNotReady):
    """The shard has lost data, or may have: rebuild it."""


class LeaseLost(BusNotReady):
    """Another process may consume the shard now: touch nothing more."""


class BusBuilding(BusNotReady):
    """The shard is being rebuilt, or its builder died and has not been given up yet."""


class BusFull(BusNotReady):
    """The slowest group is so far behind that no more events fit; they wait in the outbox."""


class Stream(NamedTuple):
    """The log of one shard of an area."""

    area: str
    shard: int

    def __str__(self) -> str:
        return f"{self.area}/{self.shard}"


class Position(NamedTuple):
    """Where an entry stands in its shard: ever higher, in every epoch higher than in all before."""

    epoch: int
    n: int

    def __str__(self) -> str:
        """As text that sorts as positions do."""
        return f"{self.epoch:015d}-{self.n:015d}"


BEGINNING = Position(0, 0)
"""Before every entry."""


class Record(Protocol):
    """What is appended: an event with its message still encoded."""

    @property
    def event_id(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def key(self) -> int: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def traceparent(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on the bus, not decoded yet."""

    position: Position
    event_id: int
    type: str
    key: int
    payload: bytes
    only_group: str
    """Set where the entry was replayed for one group; the others pass over it."""
    traceparent: str
    """The W3C trace context in which the event was committed; empty where it was not traced."""


@dataclass(frozen=True, slots=True)
class GroupState:
    """Where one group stands on one shard."""

    name: str
    delivered: Position
    pending: int
    oldest_event_id: int
    """The first event it has not handled; 0 where there is none."""
    acknowledged: Position
    """Everything before this is acknowledged; this too where nothing is pending."""
    alive: bool
    """Whether a process consumes it now, or stands by to."""

    def passed(self, position: Position) -> bool:
        """Whether it has acknowledged everything up to and including a position."""
        return self.acknowledged > position or (self.pending == 0 and self.delivered >= position)


@dataclass(frozen=True, slots=True)
class ShardState:
    """One shard of an area as of one instant."""

    condition: str
    """ok, building or lost."""
    last: Position
    length: int
    groups: tuple[GroupState, ...]

    def lag(self, group: GroupState) -> int:
        """Entries that the group has not been given."""
        return min(self.length, self.last.n - group.delivered.n)


class Bus(Protocol):
    """A process's way to the bus; connects at the first call, and again by itself."""

    @property
    def timing(self) -> Timing:
        """How long it waits, and how much it keeps."""

    async def append(self, stream: Stream, records: Sequence[Record], token: str = "") -> None:
        """Put events at the end of a shard, in this order; those that it remembers are passed over.

        ``token`` is the builder's, empty otherwise. Raises :class:`BusLost` where the shard must be
        rebuilt first, :class:`BusBuilding` while another process does that, :class:`BusFull`.
        """

    async def replay(self, stream: Stream, record: Record, group: str) -> None:
        """Put an event at the end of a shard again, for one group alone. Raises as :meth:`append`."""

    async def begin_rebuild(self, stream: Stream, token: str, groups: Iterable[str]) -> bool:
        """Start a new epoch with these groups at its beginning. False: the shard is sound already.
        Raises :class:`BusBuilding` while another process rebuilds it."""

    async def finish_rebuild(self, stream: Stream, token: str) -> None:
        """The shard holds everything again: others may append."""

    async def state(self, stream: Stream) -> ShardState:
        """Where the shard and its groups stand."""

    async def trim(self, stream: Stream) -> int:
        """Drop what every group has acknowledged, but for the last few; how many there were."""

    async def lease(self, stream: Stream, name: str) -> bool:
        """Take or renew this process's exclusive right to consume (or sweep) a shard, for ``timing.lease_s``."""

    async def release(self, stream: Stream, name: str) -> None:
        """Give the right back, so that another need not wait."""

    async def create_group(self, stream: Stream, group: str) -> None:
        """Make the group from the oldest entry on, unless it exists."""

    async def remove_group(self, stream: Stream, group: str) -> None:
        """Forget a group whose service is gone: it holds back trimming no more."""

    async def read(self, stream: Stream, group: str, count: int) -> list[Entry]:
        """The next entries for the group; where there are none, waits a bounded time and may return none.
        Raises :class:`LeaseLost` where this process has not the lease."""

    async def claim(self, stream: Stream, group: str, start: Position, count: int) -> tuple[Position, list[Entry]]:
        """A page of what other consumers were given and never acknowledged, and where the next begins
        (``BEGINNING``: there is none). Only the lease holder may call it."""

    async def acknowledge(self, stream: Stream, group: str, positions: Sequence[Position]) -> None:
        """These are handled."""

    async def tries(self, stream: Stream, group: str, position: Position) -> int:
        """How many tries of this entry were noted."""

    async def note_try(self, stream: Stream, group: str, position: Position, tries: int) -> None:
        """Remember a try before it begins, so that an event that kills its process is found out."""

    async def end(self, stream: Stream) -> Position:
        """The position of the newest entry."""

    async def read_live(self, stream: Stream, after: Position, count: int) -> list[Entry]:
        """Entries after a position, waiting a bounded time for the first. Belongs to no group."""

    async def close(self) -> None:
        """Close the connections. Idempotent."""


def shard_of(key: int, shards: int) -> int:
    """The shard that holds a key. Mixes first: the low bits of ids are mostly zero."""
    return ((key * 0x9E3779B97F4A7C15 & 0xFFFF_FFFF_FFFF_FFFF) >> 32) % shards
