"""The tables of likes, comments and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mesh.cache.keys import KeyFamily
from mesh.claims import request_table
from mesh.personal import Holding, Kind, nobodys, owned
from mesh.storage import WriteMode, table
from services.engagement.model import Comment, Like, Tally


@dataclass(frozen=True, slots=True)
class Liker:
    """Who likes a post, in the list."""

    post_id: int
    bucket: int
    like_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """A comment in its thread: a top-level one under its post, a reply under its parent (ids never collide)."""

    thread_id: int
    bucket: int
    comment_id: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A change of a comment."""

    post_id: int
    day: int
    event_id: int
    comment_id: int


LIKES = table(
    "likes",
    Like,
    partition=("post_id", "person_id"),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("person_id"),
)
"""The claim: one row for each person who ever liked a post; contention only with oneself.
``counted`` is the state that the post's tally includes, as of ``counted_version``."""

LIKERS = table(
    "likers",
    Liker,
    partition=("post_id", "bucket"),
    clustering=("like_id desc",),
    personal=owned("person_id"),
)
"""Newest first. A row counts only where the claim still names its ``like_id``."""

COMMENTS = table(
    "comments",
    Comment,
    partition=("comment_id",),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("author_id"),
)
"""A comment, counted by its post's tally and, where it is a reply, by its parent's."""

THREADS = table(
    "threads",
    ThreadEntry,
    partition=("thread_id", "bucket"),
    clustering=("comment_id desc",),
    personal=owned("comment_id", through="engagement.comments.author_id"),
)

COMMENT_LOG = table(
    "comment_log",
    LogEntry,
    partition=("post_id", "day"),
    clustering=("event_id",),
    ttl=timedelta(days=2),
    personal=owned("comment_id", through="engagement.comments.author_id"),
)
"""Which comments changed when: what a live stream resumes from."""

TALLIES = table(
    "tallies",
    Tally,
    partition=("subject_id",),
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
