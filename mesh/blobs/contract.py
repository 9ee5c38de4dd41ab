"""The blob contract: what services may ask of the store that holds image bytes.

Keys are chosen by the caller, unguessable, and written once: a key names the same bytes for ever,
so every verb here may be repeated. Sizes are bytes, times milliseconds since the Unix epoch.
Every call spends at most what is left of the caller's deadline (:mod:`mesh.deadline`, whose
``DeadlineExceeded`` leaves as it is) and at most the store's own bound.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

PART_BYTES = 5 * 1024 * 1024
"""Bytes of every part of a multipart upload but the last: the least that S3 allows."""
MAX_PARTS = 10_000
"""Parts of one upload, by S3's limit."""
MAX_KEYS = 1_000
"""Keys of one ``delete_many`` or ``list``, by S3's limit."""
MAX_KEY_BYTES = 512
"""Length of a key; S3 allows 1,024, filesystems behind some stores less."""
MAX_PRESIGNED = timedelta(days=7)
"""The longest life of a presigned URL, by S3's limit."""

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.=-]*(/[A-Za-z0-9_-][A-Za-z0-9_.=-]*)*")
_CONTENT_TYPE = re.compile(r"[a-z0-9.+-]+/[A-Za-z0-9.+-]+(; ?[a-z-]+=[A-Za-z0-9.-]+)?")


class BlobError(Exception):
    """Base of every error that leaves a blob store."""


class BlobMissing(BlobError):
    """There is no such object, or no such upload under way."""


class BlobUnavailable(BlobError):
    """The store cannot be reached, is overloaded or did not answer in time; it may have done the work."""


class BlobTooLarge(BlobError):
    """More bytes than the caller allowed; nothing was stored, nothing was returned."""


class BlobRefused(BlobError):
    """The request is one the store does not accept (key, type, credentials, bucket): not worth a retry."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What the store knows of an object. A listing leaves ``content_type`` empty."""

    key: str
    size: int
    etag: str
    modified_ms: int
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that are durable in the store. ``sha256`` is the hex digest of all of them."""

    key: str
    size: int
    sha256: str
    etag: str


@dataclass(frozen=True, slots=True)
class Part:
    """One uploaded part: ``number`` from 1, at least ``PART_BYTES`` long except for the last."""

    number: int
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that was begun and neither completed nor aborted."""

    key: str
    upload_id: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class BlobHealth:
    """Whether the store answers for its bucket, and why not."""

    ready: bool
    reason: str = ""


class BlobReader(Protocol):
    """An object being read: iterate it for chunks of at most 256 KiB."""

    size: int
    content_type: str
    etag: str

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class BlobStore(Protocol):
    """One bucket of one store. All methods may be called concurrently and may be repeated."""

    async def ensure_bucket(self) -> None:
        """Create the bucket, private, if it is not there; safe while others do the same."""

    async def put(self, key: str, data: bytes, content_type: str) -> Stored:
        """Store bytes that are in memory anyway; at most ``PART_BYTES`` make one request."""

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], content_type: str, max_bytes: int) -> Stored:
        """Store bytes as they come, never holding more than three parts of them.

        The iterator is asked for more only while there is room, so a slow store slows the sender.
        Past ``max_bytes`` :class:`BlobTooLarge` is raised and nothing is stored; nor is it when
        the iterator raises, or the caller is cancelled.
        """

    async def get(self, key: str, max_bytes: int) -> bytes:
        """The whole object; :class:`BlobTooLarge`, before any byte is read, if it is larger than allowed."""

    async def get_range(self, key: str, offset: int, length: int) -> bytes:
        """``length`` bytes (at least 1) from ``offset``: fewer where the object ends, none past its end."""

    def open(self, key: str) -> AbstractAsyncContextManager[BlobReader]:
        """Read an object piece by piece, as fast as the caller takes it."""

    async def stat(self, key: str) -> Blob:
        """Size, type and tag without the bytes."""

    async def delete(self, key: str) -> None:
        """Remove an object; it need not be there."""

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Remove up to ``MAX_KEYS`` objects; they need not be there."""

    async def list_blobs(self, prefix: str, limit: int, start_after: str = "") -> list[Blob]:
        """Objects whose key begins with ``prefix``, in key order, after ``start_after``; at most
        ``limit`` (1 to ``MAX_KEYS``) of them."""

    async def presigned_get(self, key: str, expires: timedelta) -> str:
        """A URL from which anyone may read the object until it expires (a second to a week)."""

    async def create_multipart(self, key: str, content_type: str) -> str:
        """Begin an upload by parts and return its id. Repeating begins another one."""

    async def presign_part(self, key: str, upload_id: str, number: int, expires: timedelta) -> str:
        """A URL to which anyone may PUT this part (1 to ``MAX_PARTS``) until it expires. It cannot
        bound the part's size: look at :meth:`list_parts` before completing."""

    async def list_parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts that have arrived, by number."""

    async def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> Blob:
        """Make one object of the parts; after an upload was completed, its object again."""

    async def abort(self, key: str, upload_id: str) -> None:
        """Drop an upload and its parts; it need not be there."""

    async def list_uploads(self, key: str, limit: int) -> list[Upload]:
        """Uploads under way of one key (at most ``limit``, 1 to ``MAX_KEYS``) in no promised order,
        for sweeping up what a client left behind. (By prefix would not do: MinIO lists by key only.)"""

    async def health(self) -> BlobHealth:
        """Whether the store answers and the bucket is there. Raises nothing."""

    async def close(self) -> None:
        """Release connections and threads. Idempotent."""


def check_key(key: str) -> None:
    """Refuse keys that some store or URL would change: one or more segments of A-Z a-z 0-9 _ . = -,
    none empty or beginning with a dot or an equals sign, joined by ``/``."""
    if len(key) > MAX_KEY_BYTES or not _KEY.fullmatch(key):
        raise BlobRefused(
            f"key {key[:80]!r} is not 1 to {MAX_KEY_BYTES} of A-Z a-z 0-9 _ . = - in segments joined by /"
        )


def check_content_type(content_type: str) -> None:
    """Refuse what is not a media type such as ``image/jpeg``."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise BlobRefused(f"content type {content_type[:80]!r} is not a media type such as image/jpeg")


def check_limit(name: str, value: int, highest: int = MAX_KEYS) -> None:
    """Refuse a number outside 1 to ``highest``."""
    if not 1 <= value <= highest:
        raise BlobRefused(f"{name} is {value}, not 1 to {highest}")
