"""The tables. Every column of a last-write-wins table has one deterministic writer, so that order and repetition
of writes do not matter; where two could differ, a compare-and-set claim decides first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mesh.claims import request_table
from mesh.personal import Holding, Kind, nobodys, owned
from mesh.storage import ColumnType, WriteMode, table
from services.media.model import AssetState, Attempt, Failed, Original, Outcome, Post, Ready

CLAIM_LIFE = timedelta(days=7)
"""How long a claim is kept once its effect is committed: longer than any writer can be stalled."""


@dataclass(frozen=True, slots=True)
class AssetOutcome:
    """What became of an asset: one of the two."""

    asset_id: int
    state: AssetState
    ready: Ready | None
    failed: Failed | None

    @property
    def outcome(self) -> Outcome:
        outcome = self.ready or self.failed
        assert outcome is not None, "an outcome's columns are written together"
        return outcome


@dataclass(frozen=True, slots=True)
class AssetRow:
    """An asset. Either part may arrive first: an atomic write is not an isolated one."""

    original: Original | None
    outcome: AssetOutcome | None


@dataclass(frozen=True, slots=True)
class Swept:
    """The first bucket of ``upload_attempts`` that a sweep has to look at. An old value costs a second look."""

    sweep: str
    bucket: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who may write a version of a post."""

    claim_id: int
    post: Post


@dataclass(frozen=True, slots=True)
class TimedPost:
    """A post in its time bucket."""

    bucket: int
    post_id: int


@dataclass(frozen=True, slots=True)
class PostBucket:
    """A bucket that holds anything: at most 52,704 a year."""

    year: int
    bucket: int


REQUEST_IDS = request_table()
"""Which upload and which post request ids stand for. An upload's memo is the whole :class:`Original`."""

ASSETS = table(
    "assets",
    AssetRow,
    partition=("asset_id",),
    personal=owned("owner_id"),
)
"""The upload writes what it knows of the original, the worker the outcome; a row without a state is processing."""

OUTCOMES = table(
    "asset_outcomes",
    AssetOutcome,
    partition=("asset_id",),
    ttl=CLAIM_LIFE,
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("asset_id", through="media.assets.owner_id"),
)
"""The first outcome stands, however many workers got the event."""

ATTEMPT_LIFE = timedelta(days=7)
"""How long the sweep looks after an upload that cannot be finished."""

ATTEMPTS = table(
    "upload_attempts",
    Attempt,
    partition=("bucket",),
    clustering=("asset_id",),
    extra={"bucket": ColumnType.INT},
    ttl=ATTEMPT_LIFE,
    personal=owned("owner_id"),
)
"""Every upload before its first byte is stored, by time: for the sweep. Never deleted, so that it reads no
tombstones."""

SWEPT = table(
    "swept",
    Swept,
    partition=("sweep",),
    personal=nobodys("how far a sweep has come"),
)

POSTS = table(
    "posts",
    Post,
    partition=("post_id",),
    clustering=("version desc",),
    personal=owned("author_id"),
)
"""A post is its newest version. Versions are never overwritten, so a writer that comes late changes nothing; the one
before the last is removed with each change."""

POST_CLAIMS = table(
    "post_claims",
    Claimed,
    partition=("post_id", "version"),
    ttl=CLAIM_LIFE,
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("author_id"),
)
"""Who may write which version, and what it says: whoever finds a claim without its version completes it."""

BUCKET_MS = 10 * 60 * 1000
"""Ten minutes: two million posts at 3.5 k/s, some 60 MB of ids."""

POSTS_BY_TIME = table(
    "posts_by_time",
    TimedPost,
    partition=("bucket",),
    clustering=("post_id",),
    personal=owned("post_id", through="media.posts.author_id"),
)

POST_BUCKETS = table(
    "post_buckets",
    PostBucket,
    partition=("year",),
    clustering=("bucket",),
    personal=nobodys("which stretches of time hold posts of anybody"),
)

TABLES = (
    REQUEST_IDS,
    ASSETS,
    OUTCOMES,
    ATTEMPTS,
    SWEPT,
    POSTS,
    POST_CLAIMS,
    POSTS_BY_TIME,
    POST_BUCKETS,
)

HOLDINGS = (
    Holding(Kind.BUCKET, "originals", owned("object_key", through="media.assets.owner_id")),
    Holding(Kind.BUCKET, "variants", owned("variant_prefix", through="media.assets.owner_id")),
    Holding(Kind.STREAM, "AssetUploaded", owned("owner_id")),
    Holding(Kind.STREAM, "AssetProcessed", owned("owner_id")),
    Holding(Kind.STREAM, "PostChanged", owned("author_id")),
)
