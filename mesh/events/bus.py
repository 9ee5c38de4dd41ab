"""The bus on Redis Streams: one stream per area and shard, order by append, groups that acknowledge.

A narrow contract, so that a second engine can carry it: append by key with an event id (repeats are
recognised), read as a group, acknowledge, read live, position, lag, dead letter, rebuild. Every
method may raise one of :data:`BUS_ERRORS`; each may be repeated.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from mesh.events import scripts
from mesh.events.dead_letter_queue import DeadLetterQueue
from mesh.events.errors import BusBuilding, LeaseLost, require_ok
from mesh.events.row import OutboxRow
from mesh.events.scripts import BUILD_LOCK_MS
from mesh.events.timing import Timing

_COMMAND_S = 5.0
_CONNECT_S = 2.0
_NOTHING_YET = "0-0"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on the bus, not decoded yet."""

    position: str
    """As Redis names it: ``<epoch>-<n>``."""
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
    delivered: tuple[int, int]
    pending: int
    oldest_event_id: int
    """The first event it has not handled; 0 where there is none."""
    acknowledged: tuple[int, int]
    """Everything before this (epoch, n) is acknowledged; this too where nothing is pending."""
    alive: bool
    """Whether a process consumes it now, or stands by to."""
    dead: str
    """Differs, within one epoch, whenever its dead letters do."""

    def passed(self, position: tuple[int, int]) -> bool:
        """Whether it has acknowledged everything up to and including a position."""
        return self.acknowledged > position or (self.pending == 0 and self.delivered >= position)


@dataclass(frozen=True, slots=True)
class ShardState:
    """One shard of an area as of one instant."""

    condition: str
    """ok, building or lost."""
    last: tuple[int, int]
    length: int
    epoch: str
    """The life of the bus; changes when Redis lost data, or may have. Empty before the first."""
    groups: tuple[GroupState, ...]

    def lag(self, group: GroupState) -> int:
        """Entries that the group has not been given."""
        return min(self.length, self.last[1] - group.delivered[1])


class Bus:
    """A process's way to the bus; connects at the first call, and again by itself."""

    def __init__(self, redis_url: str, timing: Timing) -> None:
        self.timing = timing
        self.consumer = uuid.uuid4().hex
        """This process's name among the consumers."""
        self._redis = _client(redis_url, _COMMAND_S)
        self._readers = _client(redis_url, timing.block_s + _COMMAND_S)
        self._append = self._redis.register_script(scripts.APPEND)
        self._begin = self._redis.register_script(scripts.BEGIN_REBUILD)
        self._finish = self._redis.register_script(scripts.FINISH_REBUILD)
        self._state = self._redis.register_script(scripts.STATE)
        self._trim = self._redis.register_script(scripts.TRIM)
        self._lease = self._redis.register_script(scripts.LEASE)
        self._release = self._redis.register_script(scripts.RELEASE)
        self._read = self._redis.register_script(scripts.READ)
        self.dead = DeadLetterQueue(self._redis, timing)

    async def close(self) -> None:
        """Close the connections."""
        await self._readers.aclose()
        await self._redis.aclose()

    async def append(self, stream: str, rows: Sequence[OutboxRow], token: str = "") -> None:
        """Put events at the end of a shard, in this order; those that it remembers are passed over.

        ``token`` is the builder's, empty otherwise. Raises :class:`BusLost` where the shard must be
        rebuilt first, :class:`BusBuilding` while another process does that, :class:`BusFull`.
        """
        args: list[Any] = [token, BUILD_LOCK_MS, self.timing.backlog, self.timing.remembered]
        for row in rows:
            args += (row.event_id, row.type, row.key, row.payload, row.traceparent)
        keys = [stream, f"{stream}:head", f"{stream}:recent", f"{stream}:rebuild"]
        require_ok(stream, await self._append(keys, args))

    async def begin_rebuild(self, stream: str, token: str, groups: Iterable[str]) -> bool:
        """Start a new epoch with these groups at its beginning. False: the shard is sound already.
        Raises :class:`BusBuilding` while another process rebuilds it."""
        keys = [stream, f"{stream}:head", f"{stream}:rebuild"]
        answer = await self._begin(keys, [token, BUILD_LOCK_MS, *groups])
        if answer == b"building":
            raise BusBuilding(f"{stream} is being rebuilt by another process")
        return bool(answer == b"begun")

    async def finish_rebuild(self, stream: str, token: str) -> None:
        """The shard holds everything again: others may append."""
        require_ok(stream, await self._finish([f"{stream}:head", f"{stream}:rebuild"], [token]))

    async def state(self, stream: str) -> ShardState:
        """Where the shard and its groups stand."""
        answer = await self._state([stream, f"{stream}:head", f"{stream}:rebuild"])
        groups = tuple(_group(*fields) for fields in answer[4:])
        return ShardState(answer[0].decode(), parse_position(answer[1]), answer[2], answer[3].decode(), groups)

    async def trim(self, stream: str) -> int:
        """Drop what every group has acknowledged, but for the last few; how many there were."""
        return int(await self._trim([stream, f"{stream}:head"], [self.timing.kept]))

    async def lease(self, stream: str, name: str) -> bool:
        """Take or renew this process's exclusive right to consume (or sweep) a shard."""
        ms = int(self.timing.lease_s * 1000)
        return bool(await self._lease([f"{stream}:lease:{name}", f"{stream}:standby:{name}"], [self.consumer, ms]))

    async def release(self, stream: str, name: str) -> None:
        """Give the right back, so that another need not wait."""
        await self._release([f"{stream}:lease:{name}"], [self.consumer])

    async def create_group(self, stream: str, group: str) -> None:
        """Make the group from the oldest entry on, unless it exists."""
        try:
            await self._redis.xgroup_create(stream, group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def remove_group(self, stream: str, group: str) -> None:
        """Forget a group whose service is gone, and its dead letters: it holds back trimming no more."""
        await self._redis.xgroup_destroy(stream, group)
        await self.dead.forget(stream, group)

    async def read(self, stream: str, group: str, count: int) -> list[Entry]:
        """The next entries for the group; where there are none, waits a bounded time and may return none.
        Raises :class:`LeaseLost` where this process has not the lease."""
        answer = await self._read([stream, f"{stream}:lease:{group}"], [self.consumer, group, count])
        if isinstance(answer, list):
            return [_entry(position, _pairs(fields)) for position, fields in answer]
        if answer == b"lost":
            raise LeaseLost(stream)
        await self._readers.xread({stream: answer}, count=1, block=int(self.timing.block_s * 1000))
        return []

    async def claim(self, stream: str, group: str, start: str, count: int) -> tuple[str, list[Entry]]:
        """A page of what other consumers were given and never acknowledged, and where the next begins
        (``0-0``: there is none). Only the lease holder may call it."""
        answer = await self._redis.xautoclaim(stream, group, self.consumer, 0, start, count=count)
        return answer[0].decode(), [_entry(*found) for found in answer[1] if found and found[0] is not None]

    async def acknowledge(self, stream: str, group: str, positions: Sequence[str]) -> None:
        """These are handled."""
        await self.dead.acknowledge(stream, group, positions)

    async def tries(self, stream: str, group: str, position: str) -> int:
        """How many tries of this entry were noted."""
        return int(await self._redis.hget(f"{stream}:tries:{group}", position) or 0)

    async def note_try(self, stream: str, group: str, position: str, tries: int) -> None:
        """Remember a try before it begins, so that an event that kills its process is found out."""
        await self._redis.hset(f"{stream}:tries:{group}", position, tries)

    async def end(self, stream: str) -> str:
        """The position of the newest entry."""
        newest = await self._redis.xrevrange(stream, count=1)
        return str(newest[0][0].decode()) if newest else _NOTHING_YET

    async def read_live(self, stream: str, after: str, count: int) -> list[Entry]:
        """Entries after a position, waiting a bounded time for the first. Belongs to no group."""
        answer = await self._readers.xread({stream: after}, count=count, block=int(self.timing.block_s * 1000))
        return [_entry(*found) for found in answer[0][1]] if answer else []


def stream_of(area: str, shard: int) -> str:
    """The stream of one shard; its braces make every key of the shard live on one cluster node."""
    return f"{{events:{area}:{shard}}}"


def shard_of(key: int, shards: int) -> int:
    """The shard that holds a key. Mixes first: the low bits of ids are mostly zero."""
    return ((key * 0x9E3779B97F4A7C15 & 0xFFFF_FFFF_FFFF_FFFF) >> 32) % shards


def parse_position(position: bytes | str) -> tuple[int, int]:
    """``<epoch>-<n>`` as numbers."""
    text = position.decode() if isinstance(position, bytes) else position
    epoch, _, n = text.partition("-")
    return int(epoch), int(n)


def public_position(position: str) -> str:
    """A position as text that sorts as the positions do."""
    epoch, n = parse_position(position)
    return f"{epoch:015d}-{n:015d}"


def _client(url: str, timeout_s: float) -> Any:
    # Our own loops try again: they know what a failure means. The client's retries would only hide it.
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=_CONNECT_S,
        retry=Retry(NoBackoff(), 0),
    )


def _entry(position: bytes, fields: dict[bytes, bytes]) -> Entry:
    return Entry(
        position.decode(),
        int(fields[b"i"]),
        fields[b"t"].decode(),
        int(fields[b"k"]),
        fields[b"p"],
        fields.get(b"g", b"").decode(),
        fields.get(b"c", b"").decode(),
    )


def _pairs(fields: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(fields[::2], fields[1::2], strict=True))


def _group(
    name: bytes, delivered: bytes, pending: int, oldest: bytes, acknowledged: bytes, alive: int, dead: bytes
) -> GroupState:
    positions = parse_position(delivered), parse_position(acknowledged)
    return GroupState(name.decode(), positions[0], pending, int(oldest), positions[1], bool(alive), dead.decode())
