"""Counts of posts for feeds: one Redis round trip where cached, else the tables.

An entry carries the number of the fold (or the version of the like) it shows, and older never
replaces newer. Before a claim changes, its entries are marked: marked entries live one second and so
does whatever is filled in meanwhile. So a process that dies between the claim and the cache leaves
nothing wrong for longer than that second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from mesh.cache.client import Cache
from mesh.cache.errors import CacheError
from mesh.cache.script import Script
from mesh.deadline import DeadlineExceeded
from services.engagement.model import Like, PostCounts, Tally
from services.engagement.schema import COUNTS, LIKED
from services.engagement.store import ClaimStore

_log = structlog.get_logger("engagement")
STALE_MS = 1_000
"""How long an entry may live while a change of what it shows is under way."""
_MARK_MS = 15_000
"""How long a change may be under way: longer than any call's deadline."""
_PREFIX = 20
"""Decimal digits that an entry's number takes, so that comparing text compares numbers."""

_MARK = Script(
    "mark",
    f"for i = 1, #KEYS, 2 do redis.call('SET', KEYS[i + 1], 1, 'PX', {_MARK_MS}) "
    f"if redis.call('PTTL', KEYS[i]) > {STALE_MS} then redis.call('PEXPIRE', KEYS[i], {STALE_MS}) end end",
)
_FILL = Script(
    "fill",
    f"""
for i = 1, #KEYS, 2 do
  local entry, present = ARGV[(i + 3) / 2], redis.call('GET', KEYS[i])
  if not present or string.sub(present, 1, {_PREFIX}) <= string.sub(entry, 1, {_PREFIX}) then
    local ttl = redis.call('EXISTS', KEYS[i + 1]) == 1 and {STALE_MS} or ARGV[1]
    redis.call('SET', KEYS[i], entry, 'PX', ttl)
  end
end
""",
)


class Counts:
    """Reads counts through the cache and keeps the cache right."""

    def __init__(self, store: ClaimStore, cache: Cache, ttl_s: int) -> None:
        self._store = store
        self._cache = cache
        self._ttl_ms = ttl_s * 1000

    async def of(self, post_ids: Sequence[int]) -> list[PostCounts]:
        """Counts in the order asked: the same for all who look."""
        wanted = list(dict.fromkeys(post_ids))
        values = await self._cached([_counts_key(post) for post in wanted])
        found = {post: _counts(post, value) for post, value in zip(wanted, values, strict=True) if value}
        if missing := [post for post in wanted if post not in found]:
            found.update(await self._read_counts(missing))
        return [found[post] for post in post_ids]

    async def liked(self, person_id: int, post_ids: Sequence[int]) -> set[int]:
        """Those of the posts that a person likes."""
        wanted = list(dict.fromkeys(post_ids))
        values = await self._cached(LIKED.keys(person_id, wanted))
        found = {post: value[_PREFIX:] == b"1" for post, value in zip(wanted, values, strict=True) if value}
        if missing := [post for post in wanted if post not in found]:
            found.update(await self._read_likes(missing, person_id))
        return {post for post, liked in found.items() if liked}

    async def mark(self, post_id: int, person_id: int = 0) -> None:
        """Say that a change of a post's counts (and of a person's like) is about to happen."""
        marks = [self._run(_MARK, _pair(_counts_key(post_id)), [])]
        if person_id:
            marks.append(self._run(_MARK, _pair(_liked_key(person_id, post_id)), []))
        await asyncio.gather(*marks)

    async def show(self, tally: Tally, *, surely: bool = False) -> None:
        """Put a post's new counts into the cache. ``surely``: raises CacheUnavailable where that fails."""
        entry = _entry(tally.fold, f"{tally.likes},{tally.comments}")
        await self._fill([(_counts_key(tally.subject_id), entry)], surely)

    async def show_like(self, like: Like, *, surely: bool = False) -> None:
        """Put a person's like into the cache. ``surely`` as in :meth:`show`."""
        entry = _entry(like.version, str(int(like.liked)))
        await self._fill([(_liked_key(like.person_id, like.post_id), entry)], surely)

    async def _cached(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        try:
            return await self._cache.mget(keys)
        except CacheError:
            return [None] * len(keys)

    async def _read_counts(self, posts: Sequence[int]) -> dict[int, PostCounts]:
        tallies = await self._store.tallies(posts)
        await asyncio.gather(*(self.show(tally) for tally in tallies))
        return {tally.subject_id: counts_of(tally) for tally in tallies}

    async def _read_likes(self, posts: Sequence[int], person_id: int) -> dict[int, bool]:
        likes = dict(zip(posts, await self._store.likes_of(person_id, posts), strict=True))
        liked = {post: like is not None and like.liked for post, like in likes.items()}
        versions = {post: like.version if like else 0 for post, like in likes.items()}
        await self._fill(
            [(_liked_key(person_id, post), _entry(versions[post], str(int(liked[post])))) for post in posts]
        )
        return liked

    async def _fill(self, entries: Sequence[tuple[bytes, bytes]], surely: bool = False) -> None:
        """Entries of one hash tag."""
        keys = [part for name, _ in entries for part in _pair(name)]
        await self._run(_FILL, keys, [self._ttl_ms, *(entry for _, entry in entries)], surely)

    async def _run(
        self, script: Script, keys: Sequence[bytes], args: Sequence[bytes | int], surely: bool = False
    ) -> None:
        try:
            await self._cache.run(script, keys, args)
        except (CacheError, DeadlineExceeded) as error:
            _log.debug("cache not reached", script=script.name, error=str(error))
            if surely:
                raise


def counts_of(tally: Tally) -> PostCounts:
    """What a tally says of a post."""
    return PostCounts(tally.subject_id, tally.likes, tally.comments, fold=tally.fold)


def _counts_key(post_id: int) -> bytes:
    return COUNTS.key(post_id)


def _liked_key(person_id: int, post_id: int) -> bytes:
    return LIKED.key(person_id, post_id)


def _pair(name: bytes) -> list[bytes]:
    """A key and the mark that belongs to it."""
    return [name, name + b":changing"]


def _entry(number: int, payload: str) -> bytes:
    return f"{number:0{_PREFIX}d}{payload}".encode()


def _counts(post_id: int, value: bytes) -> PostCounts:
    likes, comments = value[_PREFIX:].split(b",")
    return PostCounts(post_id, int(likes), int(comments), fold=int(value[:_PREFIX]))
