"""Time buckets of the indexes in id order."""

from __future__ import annotations

from datetime import UTC, datetime

from mesh.ids import time_ms
from services.media.schema import BUCKET_MS


def bucket_of(an_id: int) -> int:
    """The bucket of an id, counted from the Unix epoch; for 0 that of the earliest id there can be."""
    return time_ms(an_id) // BUCKET_MS


def year_of(bucket: int) -> int:
    """The calendar year (UTC) that a bucket begins in."""
    return datetime.fromtimestamp(bucket * BUCKET_MS / 1000, UTC).year


def years(after_post_id: int, now_ms: int) -> range:
    """The years that posts after this one may be from. Ids may run ahead of a clock, by minutes at most."""
    return range(year_of(bucket_of(after_post_id)), year_of(now_ms // BUCKET_MS + 1) + 1)
