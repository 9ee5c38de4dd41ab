"""The graph's tables: one compare-and-set truth per edge, and what is derived from it.

A ``…_since`` column is the id of the event that made the fact true (so it sorts by time), 0 where
it is not true.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh.personal import Holding, Kind, owned
from mesh.storage import Clustering, ColumnType, TableSpec, WriteMode, table

INT, BOOL, TEXT, BYTES = ColumnType.INT, ColumnType.BOOL, ColumnType.TEXT, ColumnType.BYTES


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


EDGES = TableSpec(
    name="edges",
    partition={"user_id": INT, "target_id": INT},
    columns={
        "following_since": INT,
        "requested_since": INT,
        "blocking_since": INT,
        "muting_since": INT,
        "close_friend_since": INT,
        "declined": BOOL,
        "ever_followed": BOOL,
        "version": INT,
        "event_ids": BYTES,
        "followers_counted": BOOL,
        "followers_tick": INT,
        "following_counted": BOOL,
        "following_tick": INT,
    },
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id", "target_id"),
)
"""The truth about user_id towards target_id. ``…_counted``: whether that following is part of the
count of the same name, as of the ``…_tick`` of the count."""

COUNTS = TableSpec(
    name="counts",
    partition={"user_id": INT, "kind": TEXT},
    columns={"value": INT, "tick": INT, "pending": BYTES},
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""How many follow a person (kind "followers"), or whom they follow ("following")."""

RELATIONS = TableSpec(
    name="relations",
    partition={"user_id": INT, "target_id": INT},
    columns={
        "following_since": INT,
        "requested_since": INT,
        "blocking_since": INT,
        "muting_since": INT,
        "close_friend_since": INT,
        "version": INT,
        "followed_by_since": INT,
        "requested_by_since": INT,
        "blocked_by_since": INT,
        "close_friend_of_since": INT,
    },
    personal=owned("user_id", "target_id"),
)
"""Both directions of a pair in one row, as user_id sees it: one cheap read per person shown."""

OUTGOING = TableSpec(
    name="outgoing",
    partition={"user_id": INT, "list": TEXT},
    columns={},
    clustering=(Clustering("since", INT, descending=True), Clustering("target_id", INT)),
    personal=owned("user_id", "target_id"),
)
"""Whom a person follows, blocks, mutes or counts as close friends, newest first; bounded by limits."""

INCOMING = TableSpec(
    name="incoming",
    partition={"target_id": INT, "list": TEXT, "shard": INT},
    columns={},
    clustering=(Clustering("since", INT, descending=True), Clustering("user_id", INT)),
    personal=owned("user_id", "target_id"),
)
"""Who follows a person, or asks to, newest first in each shard of the one who does."""

FOLLOWERS = TableSpec(
    name="followers",
    partition={"author_id": INT, "shard": INT},
    columns={},
    clustering=(Clustering("follower_id", INT),),
    personal=owned("author_id", "follower_id"),
)
"""Followers in id order, for fan-out: each shard is read on its own and can be resumed."""

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
