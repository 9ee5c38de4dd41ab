"""The tables. Every column of a last-write-wins table has one deterministic writer, so that order and repetition
of writes do not matter; where two could differ, a compare-and-set claim decides first."""

from __future__ import annotations

from datetime import timedelta

from mesh.storage import Clustering, ColumnType, TableSpec, WriteMode

_INT, _FLOAT, _BOOL, _TEXT = ColumnType.INT, ColumnType.FLOAT, ColumnType.BOOL, ColumnType.TEXT

REQUEST_LIFE = timedelta(days=30)
"""How long a request_id is remembered: longer than a device keeps trying."""
CLAIM_LIFE = timedelta(days=7)
"""How long a claim is kept once its effect is committed: longer than any writer can be stalled."""

_ORIGINAL = {
    "object_key": _TEXT,
    "variant_prefix": _TEXT,
    "content_type": _TEXT,
    "filename": _TEXT,
    "size_bytes": _INT,
    "sha256": _TEXT,
    "create_time_ms": _INT,
}
OUTCOME_COLUMNS = {
    "state": _TEXT,
    "width": _INT,
    "height": _INT,
    "blurhash": _TEXT,
    "dominant_colour": _TEXT,
    "variants": _TEXT,  # JSON: at most eight, always read with their asset
    "failure_reason": _TEXT,
    "failure_message": _TEXT,
}

UPLOADS = TableSpec(
    "uploads",
    partition={"owner_id": _INT, "request_id": _TEXT},
    columns={"asset_id": _INT, **_ORIGINAL},
    ttl=REQUEST_LIFE,
    mode=WriteMode.COMPARE_AND_SET,
)
"""Which upload under a request id counts, with all that its asset's row says."""

ASSETS = TableSpec(
    "assets",
    partition={"asset_id": _INT},
    columns={"owner_id": _INT, "request_id": _TEXT, **_ORIGINAL, **OUTCOME_COLUMNS},
)
"""The upload writes what it knows of the original, the worker the outcome; a row without a state is processing."""

OUTCOMES = TableSpec(
    "asset_outcomes",
    partition={"asset_id": _INT},
    columns=OUTCOME_COLUMNS,
    ttl=CLAIM_LIFE,
    mode=WriteMode.COMPARE_AND_SET,
)
"""The first outcome stands, however many workers got the event."""

ATTEMPT_LIFE = timedelta(days=7)
"""How long the sweep looks after an upload that cannot be finished."""

ATTEMPTS = TableSpec(
    "upload_attempts",
    partition={"bucket": _INT},
    clustering=(Clustering("asset_id", _INT),),
    columns={"owner_id": _INT, "request_id": _TEXT, "object_key": _TEXT},
    ttl=ATTEMPT_LIFE,
)
"""Every upload before its first byte is stored, by time: for the sweep. Never deleted, so that it reads no
tombstones."""

SWEPT = TableSpec("swept", partition={"sweep": _TEXT}, columns={"bucket": _INT})
"""The first bucket of ``upload_attempts`` that a sweep has to look at. An old value costs a second look."""

POST_REQUESTS = TableSpec(
    "post_requests",
    partition={"author_id": _INT, "request_id": _TEXT},
    columns={"post_id": _INT, "fingerprint": _TEXT},
    ttl=REQUEST_LIFE,
    mode=WriteMode.COMPARE_AND_SET,
)

POST_COLUMNS = {
    "author_id": _INT,
    "asset_ids": _TEXT,  # JSON
    "caption": _TEXT,
    "hashtags": _TEXT,  # JSON
    "place_id": _TEXT,
    "place_name": _TEXT,
    "latitude": _FLOAT,
    "longitude": _FLOAT,
    "audience": _TEXT,
    "comments_disabled": _BOOL,
    "archived": _BOOL,
    "deleted": _BOOL,
    "create_time_ms": _INT,
}

POSTS = TableSpec(
    "posts",
    partition={"post_id": _INT},
    clustering=(Clustering("version", _INT, descending=True),),
    columns=POST_COLUMNS,
)
"""A post is its newest version. Versions are never overwritten, so a writer that comes late changes nothing; the one
before the last is removed with each change."""

POST_CLAIMS = TableSpec(
    "post_claims",
    partition={"post_id": _INT, "version": _INT},
    columns={"claim_id": _INT, **POST_COLUMNS},
    ttl=CLAIM_LIFE,
    mode=WriteMode.COMPARE_AND_SET,
)
"""Who may write which version, and what it says: whoever finds a claim without its version completes it."""

BUCKET_MS = 10 * 60 * 1000
"""Ten minutes: two million posts at 3.5 k/s, some 60 MB of ids."""

POSTS_BY_TIME = TableSpec(
    "posts_by_time",
    partition={"bucket": _INT},
    clustering=(Clustering("post_id", _INT),),
    columns={},
)
POST_BUCKETS = TableSpec(
    "post_buckets",
    partition={"year": _INT},
    clustering=(Clustering("bucket", _INT),),
    columns={},
)
"""Which buckets hold anything: at most 52,704 a year."""

TABLES = (
    UPLOADS,
    ASSETS,
    OUTCOMES,
    ATTEMPTS,
    SWEPT,
    POST_REQUESTS,
    POSTS,
    POST_CLAIMS,
    POSTS_BY_TIME,
    POST_BUCKETS,
)
