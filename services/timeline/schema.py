"""The tables of feeds and author timelines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mesh.storage import Clustering, ColumnType, TableSpec, WriteMode

INT, BOOL = ColumnType.INT, ColumnType.BOOL
NEWEST_FIRST = (Clustering("post_id", INT, descending=True),)

AUTHOR_POSTS = TableSpec(
    "author_posts",
    partition={"author_id": INT, "bucket": INT},
    clustering=NEWEST_FIRST,
    columns={},
)
"""Every post an author ever made. A row never changes: what became of the post is the edge's to know."""

POST_STATES = TableSpec(
    "post_states",
    partition={"author_id": INT, "bucket": INT},
    clustering=NEWEST_FIRST,
    columns={"version": INT, "listed": BOOL},
    mode=WriteMode.COMPARE_AND_SET,
)
"""Whether a post is neither archived nor deleted, as of its newest version heard of."""

AUTHOR_BUCKETS = TableSpec(
    "author_buckets",
    partition={"author_id": INT},
    clustering=(Clustering("bucket", INT, descending=True),),
    columns={"listed": INT, "recount": INT},
    mode=WriteMode.COMPARE_AND_SET,
)
"""The directory of an author's buckets that hold posts, each with its number of listed posts."""

AUTHORS = TableSpec(
    "authors",
    partition={"author_id": INT},
    columns={"listed": INT, "recount": INT},
    mode=WriteMode.COMPARE_AND_SET,
)
"""An author's number of listed posts: the sum over the directory."""

AUDIENCES = TableSpec(
    "audiences",
    partition={"shard": INT},
    clustering=(Clustering("author_id", INT),),
    columns={"pulled": BOOL, "pulled_post_id": INT},
)
"""Authors who are, or once were, pulled: how their next post travels, and their newest pulled post."""

PULLED_POSTS = TableSpec(
    "pulled_posts",
    partition={"hour": INT},
    clustering=(Clustering("noted_id", INT, descending=True),),
    columns={"post_id": INT, "author_id": INT},
    ttl=timedelta(days=7),
)
"""Posts that are pulled rather than pushed, in the order they became known: every process follows it."""

FANOUTS = TableSpec(
    "fanouts",
    partition={"post_id": INT},
    clustering=(Clustering("shard", INT),),
    columns={"after_user_id": INT, "done": BOOL, "pulled": BOOL},
    ttl=timedelta(days=7),
)
"""The ledger: how far each shard of followers was pushed to. Shard -1 is the post's own row."""

ACTIVITY = TableSpec(
    "activity",
    partition={"reader_id": INT},
    columns={"seen_ms": INT, "whole": BOOL},
    ttl=timedelta(days=30),
)
"""Readers who came within the time to live; ``whole`` once their feed was rebuilt after an absence."""

HOME = TableSpec(
    "home",
    partition={"reader_id": INT, "bucket": INT},
    clustering=NEWEST_FIRST,
    columns={"author_id": INT},
    ttl=timedelta(days=60),
)
"""The pushed feed: one row a post, never deleted, gone with its time."""


def home_table(days: int) -> TableSpec:
    """The home feed with the configured time to live."""
    return replace(HOME, ttl=timedelta(days=days))


def activity_table(days: int) -> TableSpec:
    """The activity marks with the configured time to live."""
    return replace(ACTIVITY, ttl=timedelta(days=days))


AUTHOR_TABLES = (AUTHOR_POSTS, POST_STATES, AUTHOR_BUCKETS, AUTHORS, AUDIENCES, PULLED_POSTS, FANOUTS)
TABLES = (*AUTHOR_TABLES, HOME, ACTIVITY)
"""Every table, with the default times to live."""
