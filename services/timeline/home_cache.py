"""The newest posts of each active reader's feed, in Redis.

A feed is a list of packed refs, newest first, that holds every pushed post from its oldest entry on;
where nothing older exists its last entry is the END mark. A push goes only into a list that is there:
one that is missing is rebuilt from the table by its next reader. While it is being rebuilt, pushes wait
beside it and join it in the end, and `forget` makes a rebuild under way fail: so no post is missed
between reading the table and writing the list.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from mesh.cache.client import Cache
from mesh.cache.script import Script
from services.timeline.concurrency import for_each
from services.timeline.model import PACKED, Ref, pack, unpack
from services.timeline.schema import FEEDS

NEWEST = 400
"""Posts of one feed that are cached."""
_SLACK = 48
"""Entries a list may grow beyond that before it is cut: cutting costs more than pushing."""
READERS_AT_ONCE = 500
"""Readers of one script call: keeps it under 2 ms."""
_BATCHES = 2
"""Script calls under way at a time: one runs while the next is on its way."""
_BUILD_MS = 10_000
END = PACKED.pack(0, 0)
"""The last entry of a list that reaches the end of its feed."""

# Ids are compared as two 32-bit halves: a double cannot hold 64 bits, and Lua compares text by locale.
_PUSH_ONE = f"""
local call, unpacked = redis.call, struct.unpack
local function push(list, entry, high, low)
  local head = call('LINDEX', list, 0)
  if not head then
    local rebuilding = list .. ':rebuilding'
    if redis.call('EXISTS', rebuilding) == 1 then
      redis.call('RPUSH', list .. ':arrived', entry)
      redis.call('PEXPIRE', list .. ':arrived', {_BUILD_MS})
    end
    return
  end
  local h, l = unpacked('>I4', head), 0
  if high == h then l = unpacked('>I4', head, 5) end
  if high > h or (high == h and low > l) then
    if call('LPUSH', list, entry) > {NEWEST + _SLACK} then call('LTRIM', list, 0, {NEWEST - 1}) end
    return
  end
  for _, other in ipairs(redis.call('LRANGE', list, 0, -1)) do
    if other == entry then return end
    h, l = struct.unpack('>I4I4', other)
    if high > h or (high == h and low > l) then
      redis.call('LINSERT', list, 'BEFORE', other, entry)
      return
    end
  end
end
"""
_PUSH = Script(
    "push",
    _PUSH_ONE
    + """
local entry, ids, area, sub = ARGV[1], ARGV[2], KEYS[1] .. ':{', string.sub
local high, low = struct.unpack('>I4I4', entry)
for at = 1, #ids, 16 do
  push(area .. sub(ids, at, at + 15) .. '}', entry, high, low)
end
""",
)
"""Names its keys itself, so one call carries hundreds of readers: the one script whose keys have many owners, which
one Redis can run and a cluster could not."""
_READ = Script(
    "read",
    """
local entries = redis.call('LRANGE', KEYS[1], 0, ARGV[2])
if #entries == 0 then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return table.concat(entries)
""",
)
_FILL = Script(
    "fill",
    _PUSH_ONE
    + """
local list, rebuilding, arrived = KEYS[1], KEYS[2], KEYS[3]
if redis.call('GET', rebuilding) ~= ARGV[1] then return 0 end
local entries = {}
for at = 1, #ARGV[3], 16 do entries[#entries + 1] = string.sub(ARGV[3], at, at + 15) end
redis.call('DEL', list)
redis.call('RPUSH', list, unpack(entries))
for _, entry in ipairs(redis.call('LRANGE', arrived, 0, -1)) do
  push(list, entry, struct.unpack('>I4I4', entry))
end
redis.call('DEL', rebuilding, arrived)
redis.call('PEXPIRE', list, ARGV[2])
return 1
""",
)


class HomeCache:
    """Cached feeds. Raises :class:`mesh.cache.errors.CacheError` where Redis is away."""

    def __init__(self, cache: Cache, ttl_hours: int) -> None:
        self._cache = cache
        self._ttl_ms = ttl_hours * 3_600_000

    async def push(self, readers: Sequence[int], ref: Ref) -> None:
        """Put one post into the feeds that are cached. Their tables hold it already. May be repeated."""
        entry = PACKED.pack(*ref)
        batches = (readers[first : first + READERS_AT_ONCE] for first in range(0, len(readers), READERS_AT_ONCE))
        await for_each(batches, lambda batch: self._push(batch, entry), _BATCHES)

    async def _push(self, readers: Sequence[int], entry: bytes) -> None:
        names = struct.pack(f">{len(readers)}q", *readers).hex()  # One pass in C instead of one name at a time.
        await self._cache.run(_PUSH, [FEEDS.name.encode()], [entry, names])

    async def read(self, reader_id: int, newest: int = 0) -> list[tuple[int, int]] | None:
        """A feed's ``newest`` posts (0: all that are cached), the END mark last where nothing older exists;
        None: not cached."""
        packed: bytes | None = await self._cache.run(_READ, [_list(reader_id)], [self._ttl_ms, newest - 1])
        return unpack(packed) if packed else None

    async def begin_rebuild(self, reader_id: int, token: int) -> None:
        """From now on pushes wait for :meth:`fill` with this token. Read the table after this."""
        await self._cache.execute("SET", _list(reader_id) + b":rebuilding", str(token), "PX", _BUILD_MS)

    async def fill(self, reader_id: int, token: int, refs: Sequence[Ref]) -> bool:
        """Cache what the table held, fewer than ``NEWEST`` refs meaning all there are; whether it was kept."""
        entries = pack(refs) + ([END] if len(refs) < NEWEST else [])
        name = _list(reader_id)
        keys = [name, name + b":rebuilding", name + b":arrived"]
        return bool(await self._cache.run(_FILL, keys, [str(token), self._ttl_ms, b"".join(entries)]))

    async def forget(self, reader_id: int) -> None:
        """The table changed otherwise than by a push: drop the list, and any rebuild under way."""
        name = _list(reader_id)
        await self._cache.delete(name, name + b":rebuilding", name + b":arrived")


def _list(reader_id: int) -> bytes:
    return FEEDS.key(f"{reader_id:016x}")
