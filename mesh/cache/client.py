"""The cache: bytes under keys that expire, scripts, and any other command of Redis.

Redis may lose everything at any time; nothing here is the only copy of a fact. While it is away
calls fail at once with :class:`CacheUnavailable`, which a reader treats as a miss, and the client
connects again by itself. Every call spends at most what is left of the caller's deadline
(``DeadlineExceeded`` leaves as it is). A call that failed may have been applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mesh.cache.connection import Argument, CacheOptions, Command
from mesh.cache.errors import CacheError, CacheRefused, ScriptMissing
from mesh.cache.keys import tag_of
from mesh.cache.pipeline import PipelineStats, SharedPipeline
from mesh.cache.script import Script
from mesh.deadline import DeadlineExceeded

MAX_KEYS = 1_000
"""Keys of one ``mget``, ``mset`` or ``delete``, and commands of one ``execute_many``."""
MAX_VALUE_BYTES = 1_048_576
"""Bytes of one value."""
LONGEST_TTL = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CacheHealth:
    """Whether Redis answers, and why not."""

    ready: bool
    reason: str = ""


class Cache:
    """One Redis; connects at the first call. Belongs to the event loop that first used it."""

    def __init__(self, options: CacheOptions) -> None:
        self._options = options
        self._pipeline = SharedPipeline(options)

    async def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        value: bytes | None = await self.execute("GET", key)
        return value

    async def mget(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values in the order asked, None where there is none."""
        if not keys:
            return []
        _check_count(keys)
        values: list[bytes | None] = await self.execute("MGET", *keys)
        return values

    async def set(self, key: bytes, value: bytes, ttl: timedelta, *, if_absent: bool = False) -> bool:
        """Keep a value for ``ttl`` (a millisecond to 30 days); whether it was kept, which only
        ``if_absent`` can prevent."""
        condition = ("NX",) if if_absent else ()
        return await self.execute(*_set(key, value, ttl), *condition) is not None

    async def mset(self, values: Mapping[bytes, bytes], ttl: timedelta) -> None:
        """Keep several values for ``ttl``, not as one step."""
        if values:
            _check_count(values)
            _raise_first(await self.execute_many([_set(key, value, ttl) for key, value in values.items()]))

    async def delete(self, *keys: bytes) -> int:
        """Forget keys, which need not be there; how many were."""
        if not keys:
            return 0
        _check_count(keys)
        return int(await self.execute("UNLINK", *keys))

    async def run(self, script: Script, keys: Sequence[bytes], args: Sequence[Argument] = ()) -> Any:
        """What the script returns. Its keys must share one hash tag, or a cluster could not run it.

        Sent by its digest; where Redis does not know it (new, restarted or wiped), in full.
        """
        if len(keys) != 1 and len({tag_of(key) for key in keys}) != 1:
            raise CacheRefused(f"script {script.name} needs one or more keys of one hash tag, got {list(keys)[:5]}")
        try:
            return await self.execute("EVALSHA", script.sha1, len(keys), *keys, *args)
        except ScriptMissing:
            return await self.execute("EVAL", script.text, len(keys), *keys, *args)

    async def execute(self, *command: Argument) -> Any:
        """The answer to any command that does not block, as Redis gives it (RESP2, bytes)."""
        (answer,) = await self._pipeline.send((command,))
        if isinstance(answer, CacheError):
            raise answer
        return answer

    async def execute_many(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to commands sent together and in order, not as one step.

        One that Redis refused has its :class:`CacheError` in its place; the others are done.
        """
        if not commands:
            return []
        _check_count(commands)
        return await self._pipeline.send(commands)

    @property
    def stats(self) -> PipelineStats:
        """Totals since the start."""
        return self._pipeline.stats

    async def health(self) -> CacheHealth:
        """Whether Redis answers. Raises nothing."""
        try:
            await self.execute("PING")
        except (CacheError, DeadlineExceeded) as error:
            return CacheHealth(False, str(error) or "no time left to ask Redis")
        return CacheHealth(True)

    async def close(self) -> None:
        """Fail what waits and hang up. Idempotent."""
        await self._pipeline.close()


def _set(key: bytes, value: bytes, ttl: timedelta) -> Command:
    if not timedelta(milliseconds=1) <= ttl <= LONGEST_TTL:
        raise CacheRefused(f"ttl of {key!r} is {ttl}, not a millisecond to {LONGEST_TTL.days} days")
    if len(value) > MAX_VALUE_BYTES:
        raise CacheRefused(f"value of {key!r} has {len(value)} bytes, at most {MAX_VALUE_BYTES} are kept")
    return ("SET", key, value, "PX", ttl // timedelta(milliseconds=1))


def _check_count(items: Sequence[Any] | Mapping[Any, Any]) -> None:
    if len(items) > MAX_KEYS:
        raise CacheRefused(f"{len(items)} keys or commands in one call, at most {MAX_KEYS} are sent")


def _raise_first(answers: list[Any]) -> None:
    for answer in answers:
        if isinstance(answer, CacheError):
            raise answer
