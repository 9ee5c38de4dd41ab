"""The graph's tables: one compare-and-set truth per edge, and what is derived from it.

A ``…_since`` column is the id of the event that made the fact true (so it sorts by time), 0 where
it is not true.
"""

from __future__ import annotations

from mesh.personal import Holding, Kind, owned
from mesh.storage import Clustering, ColumnType, TableSpec, WriteMode

INT, BOOL, TEXT, BYTES = ColumnType.INT, ColumnType.BOOL, ColumnType.TEXT, ColumnType.BYTES

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

TABLES = (EDGES, COUNTS, RELATIONS, OUTGOING, INCOMING, FOLLOWERS)

HOLDINGS = (Holding(Kind.STREAM, "RelationChanged", owned("user_id", "target_id")),)
