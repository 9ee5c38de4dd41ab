"""The dead letters of one shard's groups on the bus: for each group a stream, in the order they were given up.

A group has one dead letter of an event at most: an index tells which, so that an event that is
delivered and given up again after a loss of data replaces its letter and does not double it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mesh.events import dead_letter_scripts as scripts
from mesh.events.errors import BusLost, require_ok
from mesh.events.scripts import BUILD_LOCK_MS
from mesh.events.timing import Timing

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter of one shard and group, its message still encoded."""

    id: str
    """As Redis names it: ``<time in ms>-<n>``, ever higher; empty before it is on the bus."""
    event_id: int
    type: str
    key: int
    payload: bytes
    traceparent: str
    error: str
    tries: int
    time_ms: int
    """When it was given up, in milliseconds since the Unix epoch."""
    position: str
    """Where the event stood on the bus, as Redis names it."""


class DeadLetterQueue:
    """The dead letters on the bus. Every method may raise one of BUS_ERRORS; each may be repeated."""

    def __init__(self, redis: Any, timing: Timing) -> None:
        self._redis, self._timing = redis, timing
        self._bury = redis.register_script(scripts.BURY)
        self._acknowledge = redis.register_script(scripts.ACKNOWLEDGE)
        self._replay = redis.register_script(scripts.REPLAY)
        self._discard = redis.register_script(scripts.DISCARD)
        self._newest = redis.register_script(scripts.NEWEST)
        self._ids = redis.register_script(scripts.IDS)
        self._restore = redis.register_script(scripts.RESTORE)

    async def bury(self, stream: str, group: str, letter: Letter) -> None:
        """Move the entry at the letter's position to the group's dead letters; beyond the bound the oldest go."""
        args = [group, letter.position, self._timing.dead_letters, letter.event_id, *_fields(letter)]
        await self._bury([*_keys(stream, group), stream, f"{stream}:tries:{group}"], args)

    async def acknowledge(self, stream: str, group: str, positions: Sequence[str]) -> None:
        """These entries are handled, and the dead letters that were replayed there."""
        keys = [*_keys(stream, group), stream, f"{stream}:tries:{group}"]
        for start in range(0, len(positions), _PAGE):
            await self._acknowledge(keys, [group, *positions[start : start + _PAGE]])

    async def newest(self, stream: str, group: str, limit: int) -> list[Letter]:
        """The newest ones that are not being replayed, the newest first."""
        return [_letter(id_, _pairs(fields)) for id_, fields in await self._newest(_keys(stream, group), [limit])]

    async def since(self, stream: str, group: str, first: str, count: int) -> list[Letter]:
        """A page of all in their order, from this id on."""
        found = await self._redis.xrange(_keys(stream, group)[0], min=first, count=count)
        return [_letter(*entry) for entry in found]

    async def ids(self, stream: str, group: str, epoch: str) -> set[str]:
        """The ids of all, those being replayed included. Raises :class:`BusLost` unless the shard is
        sound and in this epoch."""
        keys, found, first = [_keys(stream, group)[0], f"{stream}:head"], set[str](), "-"
        while True:
            answer = await self._ids(keys, [epoch, first, _PAGE])
            if answer == b"lost":
                raise BusLost(f"{stream} has lost data")
            page = [letter_id.decode() for letter_id in answer]
            found.update(page)
            if len(page) < _PAGE:
                return found
            first = f"({page[-1]}"

    async def replay(self, stream: str, group: str, letter_id: str) -> bool:
        """Deliver a dead letter to its group again. False: it is gone."""
        answer = await self._replay([*_keys(stream, group), stream, f"{stream}:head"], [group, letter_id])
        if answer == b"gone":
            return False
        require_ok(stream, answer)
        return True

    async def discard(self, stream: str, group: str, letter_id: str) -> bool:
        """Drop a dead letter for good. False: it is gone."""
        return bool(await self._discard(_keys(stream, group), [letter_id]))

    async def restore(self, stream: str, group: str, token: str, letters: Sequence[Letter]) -> None:
        """Put back letters that the bus has lost, oldest first, and pass over those that it has.
        Only the builder may, whose ``token`` it is."""
        found = [(letter.id, letter.event_id, *_fields(letter)) for letter in letters]
        args: list[Any] = [token, BUILD_LOCK_MS, len(found[0])]
        for values in found:
            args += values
        keys = [*_keys(stream, group), f"{stream}:head", f"{stream}:rebuild"]
        require_ok(stream, await self._restore(keys, args))

    async def forget(self, stream: str, group: str) -> None:
        """The group is gone for good, and its dead letters with it."""
        await self._redis.delete(*_keys(stream, group), f"{stream}:tries:{group}")


def _keys(stream: str, group: str) -> list[str]:
    """What holds the dead letters of a group: see the scripts."""
    return [f"{stream}:dead:{group}", f"{stream}:letters:{group}", f"{stream}:replayed:{group}"]


def _pairs(fields: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(fields[::2], fields[1::2], strict=True))


def _fields(letter: Letter) -> tuple[Any, ...]:
    event = ("i", letter.event_id, "t", letter.type, "k", letter.key, "p", letter.payload, "c", letter.traceparent)
    story = ("error", letter.error, "tries", letter.tries, "time", letter.time_ms, "position", letter.position)
    return event + story


def _letter(letter_id: bytes, fields: dict[bytes, bytes]) -> Letter:
    return Letter(
        id=letter_id.decode(),
        event_id=int(fields[b"i"]),
        type=fields[b"t"].decode(),
        key=int(fields[b"k"]),
        payload=fields[b"p"],
        traceparent=fields.get(b"c", b"").decode(),
        error=fields[b"error"].decode(errors="replace"),
        tries=int(fields[b"tries"]),
        time_ms=int(fields[b"time"]),
        position=fields[b"position"].decode(),
    )
