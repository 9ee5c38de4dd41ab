"""The graph's tables: one compare-and-set truth per edge, and what is derived from it.

A ``…_since`` column is the id of the event that made the fact true (so it sorts by time), 0 where
it is not true.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh.personal import Holding, Kind, owned
from mesh.storage import Packed, WriteMode, table


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """The truth about user_id towards target_id. ``…_counted``: whether that following is part of the
    count of the same name, as of the ``…_tick`` of the count."""

    user_id: int
    target_id: int
    following_since: int
    requested_since: int
    blocking_since: int
    muting_since: int
    close_friend_since: int
    declined: bool
    ever_followed: bool
    version: int
    event_ids: Packed
    followers_counted: bool = False
    followers_tick: int = 0
    following_counted: bool = False
    following_tick: int = 0


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many follow a person (kind "followers"), or whom they follow ("following")."""

    user_id: int
    kind: str
    value: int
    tick: int
    pending: bytes


@dataclass(frozen=True, slots=True)
class RelationRow:
    """Both directions of a pair in one row, as user_id sees it."""

    user_id: int
    target_id: int
    following_since: int = 0
    requested_since: int = 0
    blocking_since: int = 0
    muting_since: int = 0
    close_friend_since: int = 0
    version: int = 0
    followed_by_since: int = 0
    requested_by_since: int = 0
    blocked_by_since: int = 0
    close_friend_of_since: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Somebody whom a person follows, blocks, mutes or counts as a close friend."""

    user_id: int
    list: str
    since: int
    target_id: int


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody who follows a person, or asks to."""

    target_id: int
    list: str
    shard: int
    since: int
    user_id: int


@dataclass(frozen=True, slots=True)
class Follower:
    """A follower, in the order of ids."""

    author_id: int
    shard: int
    follower_id: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands to another: ``own`` and ``theirs`` are sets of :class:`services.graph.circles.Fact`."""

    user_id: int
    other_id: int
    own: int = 0
    theirs: int = 0


@dataclass(frozen=True, slots=True)
class CircleVersion:
    """The number of the latest change of a person's circle."""

    user_id: int
    version: int


EDGES = table(
    "edges",
    EdgeRow,
    partition=("user_id", "target_id"),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id", "target_id"),
)

COUNTS = table(
    "counts",
    CountRow,
    partition=("user_id", "kind"),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)

RELATIONS = table(
    "relations",
    RelationRow,
    partition=("user_id", "target_id"),
    personal=owned("user_id", "target_id"),
)
"""One cheap read per person shown. Each direction has a writer of its own, so rows are written by halves."""

OUTGOING = table(
    "outgoing",
    Outgoing,
    partition=("user_id", "list"),
    clustering=("since desc", "target_id"),
    personal=owned("user_id", "target_id"),
)
"""Newest first; bounded by limits."""

INCOMING = table(
    "incoming",
    Incoming,
    partition=("target_id", "list", "shard"),
    clustering=("since desc", "user_id"),
    personal=owned("user_id", "target_id"),
)
"""Newest first in each shard of the one who does."""

FOLLOWERS = table(
    "followers",
    Follower,
    partition=("author_id", "shard"),
    clustering=("follower_id",),
    personal=owned("author_id", "follower_id"),
)
"""For fan-out: each shard is read on its own and can be resumed."""

CIRCLES = table(
    "circles",
    Standing,
    partition=("user_id",),
    clustering=("other_id",),
    personal=owned("user_id", "other_id"),
)
"""How a person stands to everybody they have to do with, in one partition: what they said themselves, and of
what others said of them only that they block them or count them among their close friends. So it is bounded
by the limits of the lists and by how many those others are; who follows a person is not in it."""

CIRCLE_VERSIONS = table("circle_versions", CircleVersion, partition=("user_id",), personal=owned("user_id"))
"""A number that is new after every change of a person's circle, written after it: where it is the same, so is
the circle. The row of nobody (0) says that the circles of every edge that is older than this table are there."""

TABLES = (EDGES, COUNTS, RELATIONS, OUTGOING, INCOMING, FOLLOWERS, CIRCLES, CIRCLE_VERSIONS)

HOLDINGS = (Holding(Kind.STREAM, "RelationChanged", owned("user_id", "target_id")),)
