"""The words of this service."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from mesh.ids import first_id_at, time_ms

DAY_MS = 86_400_000
HOME_BUCKET_MS = 10 * DAY_MS
AUTHOR_BUCKET_MS = 90 * DAY_MS
"""Shorter than a quarter's posts of the busiest author, longer than most pages: twenty years are 80 buckets."""


class Ref(NamedTuple):
    """A post and its author; refs sort by post id, which is by time."""

    post_id: int
    author_id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Post ids of a stretch of a feed, newest first; ``next_before`` is 0 at the end."""

    post_ids: list[int]
    next_before: int


PACKED = struct.Struct(">qq")
"""A ref in the cache: post id, author id, big-endian."""


def pack(refs: Iterable[Ref]) -> list[bytes]:
    """Refs as the cache keeps them."""
    return [PACKED.pack(*ref) for ref in refs]


def unpack(packed: bytes) -> list[tuple[int, int]]:
    """(post id, author id) pairs from their concatenation: hundreds for a page of twenty, so not made refs yet."""
    return list(PACKED.iter_unpack(packed))


def home_bucket(post_id: int) -> int:
    """The time bucket of the home feed that a post falls in."""
    return time_ms(post_id) // HOME_BUCKET_MS


def author_bucket(post_id: int) -> int:
    """The time bucket of its author's timeline that a post falls in."""
    return time_ms(post_id) // AUTHOR_BUCKET_MS


def oldest_id(now_ms: int, days: int) -> int:
    """The smallest id a post of the last ``days`` can have."""
    return first_id_at(now_ms - days * DAY_MS)
