"""Events that a group gave up after the last try: shown, delivered again, or dropped for good."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.events.bus import Bus, public_position, stream_of
from mesh.events.dead_letter_queue import Letter


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that one group could not handle."""

    id: str
    """Names it for replay: ``<area>/<shard>/<group>/<letter>``."""
    area: str
    group: str
    event_id: int
    type: str
    key: int
    payload: bytes
    error: str
    """Why the last try failed."""
    tries: int
    time_ms: int
    """When it was given up, in milliseconds since the Unix epoch."""
    position: str


class DeadLetters:
    """The dead letters of all areas. Raises the errors of the bus."""

    def __init__(self, bus: Bus, shards: int) -> None:
        self._bus, self._shards = bus, shards

    async def list(self, area: str, group: str, limit: int) -> list[DeadLetter]:
        """The newest, at most ``limit``."""
        found: list[DeadLetter] = []
        for shard in range(self._shards):
            letters = await self._bus.dead.newest(stream_of(area, shard), group, limit)
            found += [_public(area, shard, group, letter) for letter in letters]
        return sorted(found, key=lambda letter: letter.time_ms, reverse=True)[:limit]

    async def replay(self, letter_id: str) -> bool:
        """Deliver it to its group again, behind everything newer of its key. False: it is gone."""
        stream, group, letter = _parse(letter_id)
        return await self._bus.dead.replay(stream, group, letter)

    async def discard(self, letter_id: str) -> bool:
        """Drop it for good. False: it is gone."""
        stream, group, letter = _parse(letter_id)
        return await self._bus.dead.discard(stream, group, letter)


def _parse(letter_id: str) -> tuple[str, str, str]:
    parts = letter_id.split("/")
    if len(parts) != 4 or not parts[1].isdigit():
        raise ValueError(f"dead letter {letter_id!r}: expected <area>/<shard>/<group>/<letter>, as listed")
    area, shard, group, letter = parts
    return stream_of(area, int(shard)), group, letter


def _public(area: str, shard: int, group: str, letter: Letter) -> DeadLetter:
    return DeadLetter(
        id=f"{area}/{shard}/{group}/{letter.id}",
        area=area,
        group=group,
        event_id=letter.event_id,
        type=letter.type,
        key=letter.key,
        payload=letter.payload,
        error=letter.error,
        tries=letter.tries,
        time_ms=letter.time_ms,
        position=public_position(letter.position),
    )
