"""The tables that the conformance tests use, and fresh keys in them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from datetime import timedelta
from typing import TypeAlias

from mesh.storage import Clustering, ColumnType, Row, TableSpec, Value, WriteMode

INT, FLOAT, BOOL = ColumnType.INT, ColumnType.FLOAT, ColumnType.BOOL
TEXT, BYTES = ColumnType.TEXT, ColumnType.BYTES

NOTES = TableSpec(
    name="notes",
    partition={"owner": INT},
    clustering=(Clustering("id", INT),),
    columns={"body": TEXT, "size": INT, "score": FLOAT, "pinned": BOOL, "raw": BYTES},
)
FEED = TableSpec(
    name="feed",
    partition={"reader": INT, "bucket": TEXT},
    clustering=(Clustering("post", INT, descending=True),),
    columns={"author": INT},
)
EVENTS = TableSpec(
    name="events",
    partition={"stream": INT},
    clustering=(Clustering("at", INT, descending=True), Clustering("id", INT, descending=True)),
    columns={"body": TEXT},
)
MIXED = TableSpec(
    name="mixed",
    partition={"part": INT},
    clustering=(Clustering("a", INT), Clustering("b", TEXT, descending=True), Clustering("c", INT)),
    columns={"body": TEXT},
)
WORDS = TableSpec(name="words", partition={"part": INT}, clustering=(Clustering("word", TEXT),), columns={})
BLOBS = TableSpec(
    name="blobs", partition={"part": BYTES}, clustering=(Clustering("chunk", BYTES, descending=True),), columns={}
)
FLAGS = TableSpec(
    name="flags",
    partition={"part": INT},
    clustering=(Clustering("on", BOOL), Clustering("id", INT)),
    columns={"body": TEXT},
)
PROFILES = TableSpec(name="profiles", partition={"name": TEXT}, columns={"bio": TEXT, "age": INT})
KEYWORDS = TableSpec(
    name="order",
    partition={"select": INT},
    clustering=(Clustering("limit", INT),),
    columns={"token": TEXT, "group": TEXT, "key": INT, "values": INT, "table": INT},
)
SESSIONS = TableSpec(
    name="sessions",
    partition={"person": INT},
    clustering=(Clustering("id", INT),),
    columns={"agent": TEXT},
    ttl=timedelta(hours=1),
)
CLAIMS = TableSpec(
    name="claims",
    partition={"name": TEXT},
    columns={"owner": INT, "claim": TEXT, "verified": BOOL},
    mode=WriteMode.COMPARE_AND_SET,
)
LIKES = TableSpec(
    name="likes",
    partition={"post": INT},
    clustering=(Clustering("person", INT),),
    columns={"state": TEXT},
    mode=WriteMode.COMPARE_AND_SET,
)
REQUESTS = TableSpec(
    name="requests",
    partition={"request": TEXT},
    columns={"answer": TEXT},
    ttl=timedelta(seconds=2),
    mode=WriteMode.COMPARE_AND_SET,
)
TABLES = (
    NOTES,
    FEED,
    EVENTS,
    MIXED,
    WORDS,
    BLOBS,
    FLAGS,
    PROFILES,
    KEYWORDS,
    SESSIONS,
    CLAIMS,
    LIKES,
    REQUESTS,
)

Values: TypeAlias = dict[str, Value]
"""A row or a key under construction."""

_numbers = itertools.count(random.randrange(2**60))


def fresh() -> int:
    """A number nobody used before: each test works in partitions of its own."""
    return next(_numbers)


def column(rows: Iterable[Row], name: str) -> list[object]:
    """One column of many rows."""
    return [row[name] for row in rows]
