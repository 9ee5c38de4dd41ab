"""The tables of feeds and author timelines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from mesh.cache.keys import KeyFamily
from mesh.personal import owned
from mesh.storage import ColumnType, Table, WriteMode, table
from services.timeline.model import Ref


@dataclass(frozen=True, slots=True)
class AuthorPost:
    """A post in its author's timeline."""

    author_id: int
    bucket: int
    post_id: int


@dataclass(frozen=True, slots=True)
class PostState:
    """Whether a post is neither archived nor deleted, as of its newest version heard of."""

    author_id: int
    bucket: int
    post_id: int
    version: int
    listed: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many of a bucket's posts are listed, and how often they were counted."""

    author_id: int
    bucket: int
    listed: int = 0
    recount: int = 0


@dataclass(frozen=True, slots=True)
class Author:
    """How many posts of an author are listed: the sum over the directory; and how often they were counted."""

    author_id: int
    listed: int = 0
    recount: int = 0


@dataclass(frozen=True, slots=True)
class Audience:
    """Whether an author is pulled now, and their newest post that was (0: none ever)."""

    author_id: int
    pulled: bool = False
    pulled_post_id: int = 0


@dataclass(frozen=True, slots=True)
class PulledPost:
    """A post that is pulled, by when that became known."""

    noted_id: int
    post_id: int
    author_id: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a shard of followers was pushed to. Shard -1 is the post's own row."""

    post_id: int
    shard: int
    after_user_id: int
    done: bool
    pulled: bool


@dataclass(frozen=True, slots=True)
class Activity:
    """When a reader was last seen (0: not within the time to live); ``whole`` once their feed was rebuilt after
    an absence."""

    reader_id: int
    seen_ms: int = 0
    whole: bool = False


AUTHOR_POSTS = table(
    "author_posts",
    AuthorPost,
    partition=("author_id", "bucket"),
    clustering=("post_id desc",),
    personal=owned("author_id"),
)
"""Every post an author ever made. A row never changes: what became of the post is the edge's to know."""

POST_STATES = table(
    "post_states",
    PostState,
    partition=("author_id", "bucket"),
    clustering=("post_id desc",),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("author_id"),
)

AUTHOR_BUCKETS = table(
    "author_buckets",
    Bucket,
    partition=("author_id",),
    clustering=("bucket desc",),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("author_id"),
)
"""The directory of an author's buckets that hold posts."""

AUTHORS = table(
    "authors",
    Author,
    partition=("author_id",),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("author_id"),
)

AUDIENCES = table(
    "audiences",
    Audience,
    partition=("shard",),
    clustering=("author_id",),
    extra={"shard": ColumnType.INT},
    personal=owned("author_id"),
)
"""Authors who are, or once were, pulled: how their next post travels."""

PULLED_POSTS = table(
    "pulled_posts",
    PulledPost,
    partition=("hour",),
    clustering=("noted_id desc",),
    extra={"hour": ColumnType.INT},
    ttl=timedelta(days=7),
    personal=owned("author_id"),
)
"""Posts that are pulled rather than pushed, in the order they became known: every process follows it."""

FANOUTS = table(
    "fanouts",
    Progress,
    partition=("post_id",),
    clustering=("shard",),
    ttl=timedelta(days=7),
    personal=owned("post_id", through="media.posts.author_id"),
)
"""The ledger of each fan-out."""

ACTIVITY = table(
    "activity",
    Activity,
    partition=("reader_id",),
    ttl=timedelta(days=30),
    personal=owned("reader_id"),
)
"""Readers who came within the time to live."""

HOME = table(
    "home",
    Ref,
    partition=("reader_id", "bucket"),
    clustering=("post_id desc",),
    extra={"reader_id": ColumnType.INT, "bucket": ColumnType.INT},
    ttl=timedelta(days=60),
    personal=owned("reader_id", "author_id"),
)
"""The pushed feed: one row a post, never deleted, gone with its time."""


FEEDS = KeyFamily("home", owned("reader_id"))
"""The newest posts of each active reader's feed."""

HOLDINGS = (FEEDS,)


def home_table(days: int) -> Table[Ref]:
    """The home feed with the configured time to live."""
    return replace(HOME, ttl=timedelta(days=days))


def activity_table(days: int) -> Table[Activity]:
    """The activity marks with the configured time to live."""
    return replace(ACTIVITY, ttl=timedelta(days=days))


AUTHOR_TABLES = (AUTHOR_POSTS, POST_STATES, AUTHOR_BUCKETS, AUTHORS, AUDIENCES, PULLED_POSTS, FANOUTS)
TABLES = (*AUTHOR_TABLES, HOME, ACTIVITY)
"""Every table, with the default times to live."""
