"""The tables of likes, comments and counts."""

from __future__ import annotations

from datetime import timedelta

from mesh.cache.keys import KeyFamily
from mesh.claims import request_table
from mesh.personal import Holding, Kind, nobodys, owned
from mesh.storage import Clustering, ColumnType, TableSpec, WriteMode

INT, BOOL, TEXT, BYTES = ColumnType.INT, ColumnType.BOOL, ColumnType.TEXT, ColumnType.BYTES

LIKES = TableSpec(
    "likes",
    partition={"post_id": INT, "person_id": INT},
    columns={
        "liked": BOOL,
        "version": INT,
        "event_id": INT,
        "like_id": INT,
        "bucket": INT,
        "counted": BOOL,
        "counted_version": INT,
    },
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("person_id"),
)
"""The claim: one row for each person who ever liked a post; contention only with oneself.
``counted`` is the state that the post's tally includes, as of ``counted_version``."""

LIKERS = TableSpec(
    "likers",
    partition={"post_id": INT, "bucket": INT},
    clustering=(Clustering("like_id", INT, descending=True),),
    columns={"person_id": INT},
    personal=owned("person_id"),
)
"""Who likes a post, newest first. A row counts only where the claim still names its ``like_id``."""

COMMENTS = TableSpec(
    "comments",
    partition={"comment_id": INT},
    columns={
        "post_id": INT,
        "author_id": INT,
        "parent_id": INT,
        "text": TEXT,
        "create_time_ms": INT,
        "edit_time_ms": INT,
        "live": BOOL,
        "version": INT,
        "event_id": INT,
        "bucket": INT,
        "counted": BOOL,
        "counted_version": INT,
        "reply_counted": BOOL,
        "reply_counted_version": INT,
    },
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("author_id"),
)
"""A comment, counted by its post's tally and, where it is a reply, by its parent's."""

THREADS = TableSpec(
    "threads",
    partition={"thread_id": INT, "bucket": INT},
    clustering=(Clustering("comment_id", INT, descending=True),),
    columns={},
    personal=owned("comment_id", through="engagement.comments.author_id"),
)
"""Ids of the top-level comments of a post, and of the replies to a comment (ids never collide)."""

COMMENT_LOG = TableSpec(
    "comment_log",
    partition={"post_id": INT, "day": INT},
    clustering=(Clustering("event_id", INT),),
    columns={"comment_id": INT},
    ttl=timedelta(days=2),
    personal=owned("comment_id", through="engagement.comments.author_id"),
)
"""Which comments changed when: what a live stream resumes from."""

TALLIES = TableSpec(
    "tallies",
    partition={"subject_id": INT},
    columns={
        "likes": INT,
        "comments": INT,
        "peak_likes": INT,
        "peak_comments": INT,
        "fold": INT,
        "batch": BYTES,
    },
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("batch", through="engagement.likes.person_id"),
)
"""Counts of a post, or of a comment's replies, with the last batch of claims they include: ids of people and
comments, until the next batch."""

REQUEST_IDS = request_table()
"""The comments that request ids stand for."""

TABLES = (LIKES, LIKERS, COMMENTS, THREADS, COMMENT_LOG, TALLIES, REQUEST_IDS)

COUNTS = KeyFamily("counts", nobodys("how many liked and commented on a post, not who"))
LIKED = KeyFamily("liked", owned("person_id"))

HOLDINGS = (
    COUNTS,
    LIKED,
    Holding(Kind.STREAM, "LikeChanged", owned("user_id")),
    Holding(Kind.STREAM, "CommentChanged", owned("author_id")),
    Holding(Kind.STREAM, "CountsChanged", nobodys("how many liked and commented on a post, not who")),
)
