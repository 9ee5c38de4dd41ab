"""The bus on Redis Streams: one stream per shard. What it promises stands in the contract."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from mesh.events.bus.contract import (
    BEGINNING,
    BusBuilding,
    BusFull,
    BusLost,
    BusUnavailable,
    Entry,
    GroupState,
    LeaseLost,
    Position,
    Record,
    ShardState,
    Stream,
)
from mesh.events.bus.redis import scripts
from mesh.events.bus.redis.scripts import BUILD_LOCK_MS
from mesh.events.timing import Timing

_COMMAND_S = 5.0
_CONNECT_S = 2.0


class RedisBus:
    """Implements :class:`mesh.events.bus.contract.Bus`."""

    def __init__(self, url: str, timing: Timing) -> None:
        self.timing = timing
        self._consumer = uuid.uuid4().hex
        """This process's name among the consumers."""
        self._redis = _client(url, _COMMAND_S)
        self._readers = _client(url, timing.block_s + _COMMAND_S)
        self._append = self._redis.register_script(scripts.APPEND)
        self._begin = self._redis.register_script(scripts.BEGIN_REBUILD)
        self._finish = self._redis.register_script(scripts.FINISH_REBUILD)
        self._state = self._redis.register_script(scripts.STATE)
        self._trim = self._redis.register_script(scripts.TRIM)
        self._lease = self._redis.register_script(scripts.LEASE)
        self._release = self._redis.register_script(scripts.RELEASE)
        self._read = self._redis.register_script(scripts.READ)

    async def close(self) -> None:
        """See the contract."""
        await self._readers.aclose()
        await self._redis.aclose()

    async def append(self, stream: Stream, records: Sequence[Record], token: str = "") -> None:
        """See the contract."""
        await self._put(stream, records, token, "")

    async def replay(self, stream: Stream, record: Record, group: str) -> None:
        """See the contract."""
        await self._put(stream, [record], "", group)

    async def _put(self, stream: Stream, records: Sequence[Record], token: str, group: str) -> None:
        args: list[Any] = [token, BUILD_LOCK_MS, self.timing.backlog, self.timing.remembered, group]
        for record in records:
            args += (record.event_id, record.type, record.key, record.payload, record.traceparent)
        _require_ok(stream, await _asked(self._append(_keys(stream, "", "head", "recent", "rebuild"), args)))

    async def begin_rebuild(self, stream: Stream, token: str, groups: Iterable[str]) -> bool:
        """See the contract."""
        answer = await _asked(self._begin(_keys(stream, "", "head", "rebuild"), [token, BUILD_LOCK_MS, *groups]))
        if answer == b"building":
            raise BusBuilding(f"{stream} is being rebuilt by another process")
        return bool(answer == b"begun")

    async def finish_rebuild(self, stream: Stream, token: str) -> None:
        """See the contract."""
        _require_ok(stream, await _asked(self._finish(_keys(stream, "head", "rebuild"), [token])))

    async def state(self, stream: Stream) -> ShardState:
        """See the contract."""
        answer = await _asked(self._state(_keys(stream, "", "head", "rebuild")))
        groups = tuple(_group(*fields) for fields in answer[3:])
        return ShardState(answer[0].decode(), _position(answer[1]), answer[2], groups)

    async def trim(self, stream: Stream) -> int:
        """See the contract."""
        return int(await _asked(self._trim(_keys(stream, "", "head"), [self.timing.kept])))

    async def lease(self, stream: Stream, name: str) -> bool:
        """See the contract."""
        args = [self._consumer, int(self.timing.lease_s * 1000)]
        return bool(await _asked(self._lease(_keys(stream, f"lease:{name}", f"standby:{name}"), args)))

    async def release(self, stream: Stream, name: str) -> None:
        """See the contract."""
        await _asked(self._release(_keys(stream, f"lease:{name}"), [self._consumer]))

    async def create_group(self, stream: Stream, group: str) -> None:
        """See the contract."""
        await _asked(self._create_group(_key(stream), group))

    async def _create_group(self, key: str, group: str) -> None:
        try:
            await self._redis.xgroup_create(key, group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def remove_group(self, stream: Stream, group: str) -> None:
        """See the contract."""
        await _asked(self._redis.xgroup_destroy(_key(stream), group))
        await _asked(self._redis.delete(_key(stream, f"tries:{group}")))

    async def read(self, stream: Stream, group: str, count: int) -> list[Entry]:
        """See the contract."""
        keys, args = _keys(stream, "", f"lease:{group}"), [self._consumer, group, count]
        answer = await _asked(self._read(keys, args))
        if isinstance(answer, list):
            return [_entry(position, _pairs(fields)) for position, fields in answer]
        if answer == b"lost":
            raise LeaseLost(str(stream))
        await _asked(self._readers.xread({_key(stream): answer}, count=1, block=self._block_ms))
        return []

    async def claim(self, stream: Stream, group: str, start: Position, count: int) -> tuple[Position, list[Entry]]:
        """See the contract."""
        page = self._redis.xautoclaim(_key(stream), group, self._consumer, 0, _id(start), count=count)
        answer = await _asked(page)
        return _position(answer[0]), [_entry(*found) for found in answer[1] if found and found[0] is not None]

    async def acknowledge(self, stream: Stream, group: str, positions: Sequence[Position]) -> None:
        """See the contract."""
        ids = [_id(position) for position in positions]
        async with self._redis.pipeline(transaction=True) as both:
            both.xack(_key(stream), group, *ids)
            both.hdel(_key(stream, f"tries:{group}"), *ids)
            await _asked(both.execute())

    async def tries(self, stream: Stream, group: str, position: Position) -> int:
        """See the contract."""
        return int(await _asked(self._redis.hget(_key(stream, f"tries:{group}"), _id(position))) or 0)

    async def note_try(self, stream: Stream, group: str, position: Position, tries: int) -> None:
        """See the contract."""
        await _asked(self._redis.hset(_key(stream, f"tries:{group}"), _id(position), tries))

    async def end(self, stream: Stream) -> Position:
        """See the contract."""
        newest = await _asked(self._redis.xrevrange(_key(stream), count=1))
        return _position(newest[0][0]) if newest else BEGINNING

    async def read_live(self, stream: Stream, after: Position, count: int) -> list[Entry]:
        """See the contract."""
        answer = await _asked(self._readers.xread({_key(stream): _id(after)}, count=count, block=self._block_ms))
        return [_entry(*found) for found in answer[0][1]] if answer else []

    @property
    def _block_ms(self) -> int:
        return int(self.timing.block_s * 1000)


async def _asked(answer: Awaitable[Any]) -> Any:
    """What Redis answers. No error of its client leaves the engine."""
    try:
        return await answer
    except (RedisError, OSError, TimeoutError) as error:
        raise BusUnavailable(f"Redis: {error or type(error).__name__}") from error


def _require_ok(stream: Stream, answer: bytes) -> None:
    """Raise what a script's answer means."""
    if answer == b"lost":
        raise BusLost(f"{stream} has lost data")
    if answer == b"full":
        raise BusFull(f"{stream} is full: its slowest group is too far behind")
    if answer != b"ok":
        raise BusBuilding(f"{stream} is being rebuilt")


def _key(stream: Stream, part: str = "") -> str:
    """Where a part of a shard is kept (the stream itself: no part). The braces put all on one cluster node."""
    whole = f"{{events:{stream.area}:{stream.shard}}}"
    return f"{whole}:{part}" if part else whole


def _keys(stream: Stream, *parts: str) -> list[str]:
    return [_key(stream, part) for part in parts]


def _id(position: Position) -> str:
    """A position as Redis has it."""
    return f"{position.epoch}-{position.n}"


def _position(text: bytes) -> Position:
    epoch, _, n = text.partition(b"-")
    return Position(int(epoch), int(n))


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
        _position(position),
        int(fields[b"i"]),
        fields[b"t"].decode(),
        int(fields[b"k"]),
        fields[b"p"],
        fields.get(b"g", b"").decode(),
        fields.get(b"c", b"").decode(),
    )


def _pairs(fields: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(fields[::2], fields[1::2], strict=True))


def _group(name: bytes, delivered: bytes, pending: int, oldest: bytes, acknowledged: bytes, alive: int) -> GroupState:
    return GroupState(name.decode(), _position(delivered), pending, int(oldest), _position(acknowledged), bool(alive))
