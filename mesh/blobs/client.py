"""The S3 requests themselves, blocking, over the ``minio`` client.

That client keeps the single steps of a multipart upload to itself; this file is the only one that
reaches for them, so an upgrade of the client is checked here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.datatypes import Part as MinioPart
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from urllib3.response import BaseHTTPResponse

from mesh import deadline
from mesh.blobs.contract import Blob, BlobRefused, BlobUnavailable, Part, Upload

CONNECT_SECONDS = 2.0


@dataclass(frozen=True)
class S3Options:
    """Where the store is and who we are there.

    ``endpoint`` is ``http://host:port`` or ``https://host``; ``public_endpoint`` the one clients
    reach (presigned URLs are signed for a host name), the same if empty. ``seconds`` bounds one
    request, ``concurrency`` the requests at a time and the threads they take, ``max_waiting``
    the requests that wait for one of those threads.
    """

    endpoint: str
    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    public_endpoint: str = ""
    seconds: float = 10.0
    concurrency: int = 16
    max_waiting: int = 256


class S3Client:
    """One bucket, one blocking method per S3 request; errors are the client's own."""

    def __init__(self, options: S3Options) -> None:
        self._bucket = options.bucket
        self._region = options.region
        self._pool = _DeadlinePool(options.seconds, options.concurrency)
        self._minio = _minio(options, options.endpoint, self._pool)
        self._public = _minio(options, options.public_endpoint or options.endpoint, self._pool)

    def close(self) -> None:
        self._pool.clear()

    def bucket_exists(self) -> bool:
        return bool(self._minio.bucket_exists(self._bucket))

    def make_bucket(self) -> None:
        try:
            self._minio.make_bucket(self._bucket, self._region)
        except S3Error as error:
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists") or not self.bucket_exists():
                raise

    def put(self, key: str, data: bytes, content_type: str) -> str:
        """The object's ETag."""
        return cast(str, self._minio._put_object(self._bucket, key, data, {"Content-Type": content_type}).etag)

    def get(self, key: str, offset: int = 0, length: int = 0) -> BaseHTTPResponse:
        """The response with its body unread: ``close`` it, or read it to its end, and ``release_conn``."""
        return self._minio.get_object(self._bucket, key, offset, length)

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """The part of the range that the object has: nothing where it begins past the end."""
        try:
            response = self.get(key, offset, length)
        except S3Error as error:
            if error.code != "InvalidRange":
                raise
            return b""
        try:
            return bytes(response.read())
        finally:
            response.close()
            response.release_conn()

    def stat(self, key: str) -> Blob:
        return _blob(self._minio.stat_object(self._bucket, key))

    def delete(self, key: str) -> None:
        self._minio.remove_object(self._bucket, key)

    def delete_many(self, keys: Sequence[str]) -> None:
        errors = list(self._minio.remove_objects(self._bucket, [DeleteObject(key) for key in keys]))
        if errors:
            raise BlobUnavailable(f"{len(errors)} of {len(keys)} objects were not deleted: {errors[0].message}")

    def list_blobs(self, prefix: str, limit: int, start_after: str) -> list[Blob]:
        pages = self._minio._list_objects(self._bucket, prefix=prefix, start_after=start_after, max_keys=limit)
        return [_blob(found) for found in islice(pages, limit)]

    def presigned_get(self, key: str, expires: timedelta) -> str:
        return self._public.get_presigned_url("GET", self._bucket, key, expires)

    def presign_part(self, key: str, upload_id: str, number: int, expires: timedelta) -> str:
        part: dict[str, str | list[str] | tuple[str]] = {"partNumber": str(number), "uploadId": upload_id}
        return self._public.get_presigned_url("PUT", self._bucket, key, expires, extra_query_params=part)

    def create_upload(self, key: str, content_type: str) -> str:
        return self._minio._create_multipart_upload(self._bucket, key, {"Content-Type": content_type})

    def upload_part(self, key: str, upload_id: str, number: int, data: bytes) -> Part:
        etag = self._minio._upload_part(self._bucket, key, data, None, upload_id, number)
        return Part(number, etag, len(data))

    def list_parts(self, key: str, upload_id: str) -> list[Part]:
        parts: list[Part] = []
        marker = None
        while True:
            page = self._minio._list_parts(self._bucket, key, upload_id, part_number_marker=marker)
            parts += [Part(part.part_number, part.etag, part.size or 0) for part in page.parts]
            if not page.is_truncated or not page.parts:
                return parts
            marker = str(page.parts[-1].part_number)

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[Part]) -> str:
        """The object's ETag; that of the object which is there where the upload was completed before."""
        wanted = [MinioPart(part.number, part.etag) for part in sorted(parts, key=lambda part: part.number)]
        try:
            result = self._minio._complete_multipart_upload(self._bucket, key, upload_id, wanted)
        except S3Error as error:
            if error.code != "NoSuchUpload":
                raise
            return self.stat(key).etag
        if not result.etag:  # S3 may answer 200 and put the error into the body
            raise BlobUnavailable(f"the store did not complete the upload of {key}")
        return result.etag

    def abort_upload(self, key: str, upload_id: str) -> None:
        try:
            self._minio._abort_multipart_upload(self._bucket, key, upload_id)
        except S3Error as error:
            if error.code not in ("NoSuchUpload", "NoSuchKey"):
                raise

    def list_uploads(self, key: str, limit: int) -> list[Upload]:
        page = self._minio._list_multipart_uploads(self._bucket, prefix=key, max_uploads=limit)
        return [
            Upload(key, found.upload_id or "", _ms(found.initiated_time))
            for found in page.uploads
            if found.object_name == key
        ][:limit]


class _DeadlinePool(urllib3.PoolManager):
    """Connections that wait as long as the caller's deadline allows; retries are not their business."""

    def __init__(self, seconds: float, concurrency: int) -> None:
        super().__init__(num_pools=4, maxsize=concurrency, retries=False)
        self._seconds = seconds

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> BaseHTTPResponse:  # type: ignore[override]
        left = deadline.within(self._seconds)
        kw["timeout"] = urllib3.Timeout(connect=min(CONNECT_SECONDS, left), read=left)
        return super().urlopen(method, url, redirect, **kw)


def _minio(options: S3Options, endpoint: str, pool: urllib3.PoolManager) -> Minio:
    address = urlsplit(endpoint)
    if address.scheme not in ("http", "https") or not address.netloc or address.path.strip("/"):
        raise BlobRefused(f"S3 endpoint {endpoint!r} is not http://host:port or https://host")
    return Minio(
        address.netloc,
        options.access_key,
        options.secret_key,
        secure=address.scheme == "https",
        region=options.region,
        http_client=pool,
    )


def _blob(found: Object) -> Blob:
    etag = (found.etag or "").strip('"')
    return Blob(found.object_name or "", found.size or 0, etag, _ms(found.last_modified), found.content_type or "")


def _ms(moment: datetime | None) -> int:
    return int(moment.timestamp() * 1000) if moment is not None else 0
