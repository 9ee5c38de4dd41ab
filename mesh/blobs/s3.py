"""The blob contract on any S3 store."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from urllib3.response import BaseHTTPResponse

from mesh.blobs.client import S3Client, S3Options
from mesh.blobs.contract import (
    MAX_KEYS,
    MAX_PARTS,
    MAX_PRESIGNED,
    PART_BYTES,
    Blob,
    BlobError,
    BlobHealth,
    BlobReader,
    BlobRefused,
    BlobTooLarge,
    Part,
    Stored,
    Upload,
    check_content_type,
    check_key,
    check_limit,
)
from mesh.blobs.streaming import StreamedUpload, parts_of
from mesh.blobs.threads import Threads
from mesh.deadline import DeadlineExceeded

CHUNK_BYTES = 256 * 1024
"""Bytes of one chunk read: where the cost of a gRPC message no longer shows."""


class S3BlobStore:
    """A :class:`mesh.blobs.contract.BlobStore`. Nothing is sent before the first call."""

    def __init__(self, options: S3Options) -> None:
        self._client = S3Client(options)
        self._threads = Threads(options.concurrency, options.max_waiting, options.seconds)
        self._bucket = options.bucket
        self._reading = asyncio.Semaphore(options.concurrency)

    async def ensure_bucket(self) -> None:
        if not await self._threads.run(self._client.bucket_exists):
            await self._threads.run(self._client.make_bucket)

    async def put(self, key: str, data: bytes, content_type: str) -> Stored:
        check_key(key)
        check_content_type(content_type)
        etag = await self._threads.run(lambda: self._client.put(key, data, content_type))
        digest = await self._threads.run(lambda: hashlib.sha256(data).hexdigest())
        return Stored(key, len(data), digest, etag)

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], content_type: str, max_bytes: int) -> Stored:
        check_key(key)
        check_content_type(content_type)
        check_limit("max_bytes", max_bytes, PART_BYTES * MAX_PARTS)
        upload = StreamedUpload(self._client, self._threads, key, content_type)
        try:
            async for part in parts_of(chunks, max_bytes):
                await upload.add(part)
            return await upload.finish()
        except BaseException:
            await upload.abandon()
            raise

    async def get(self, key: str, max_bytes: int) -> bytes:
        check_key(key)
        return await self._threads.run(lambda: _read_whole(self._client.get(key), key, max_bytes))

    async def get_range(self, key: str, offset: int, length: int) -> bytes:
        check_key(key)
        if offset < 0 or length < 1:
            raise BlobRefused(f"range of {length} bytes from {offset} is not at least 1 byte from at least 0")
        return await self._threads.run(lambda: self._client.get_range(key, offset, length))

    @asynccontextmanager
    async def _open(self, key: str) -> AsyncIterator[BlobReader]:
        check_key(key)
        async with self._reading:
            response = await self._threads.run(lambda: self._client.get(key))
            try:
                yield S3Reader(response, self._threads)
            finally:
                response.close()  # what is unread cannot be skipped, so the connection goes with it
                response.release_conn()

    def open(self, key: str) -> AbstractAsyncContextManager[BlobReader]:
        return self._open(key)

    async def stat(self, key: str) -> Blob:
        check_key(key)
        return await self._threads.run(lambda: self._client.stat(key))

    async def delete(self, key: str) -> None:
        check_key(key)
        await self._threads.run(lambda: self._client.delete(key))

    async def delete_many(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        check_limit("number of keys", len(keys))
        for key in keys:
            check_key(key)
        await self._threads.run(lambda: self._client.delete_many(keys))

    async def list_blobs(self, prefix: str, limit: int, start_after: str = "") -> list[Blob]:
        check_limit("limit", limit, MAX_KEYS)
        return await self._threads.run(lambda: self._client.list_blobs(prefix, limit, start_after))

    async def presigned_get(self, key: str, expires: timedelta) -> str:
        check_key(key)
        _check_expiry(expires)
        return self._client.presigned_get(key, expires)

    async def create_multipart(self, key: str, content_type: str) -> str:
        check_key(key)
        check_content_type(content_type)
        return await self._threads.run(lambda: self._client.create_upload(key, content_type))

    async def presign_part(self, key: str, upload_id: str, number: int, expires: timedelta) -> str:
        check_key(key)
        check_limit("part number", number, MAX_PARTS)
        _check_expiry(expires)
        return self._client.presign_part(key, upload_id, number, expires)

    async def list_parts(self, key: str, upload_id: str) -> list[Part]:
        check_key(key)
        return await self._threads.run(lambda: self._client.list_parts(key, upload_id))

    async def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> Blob:
        check_key(key)
        check_limit("number of parts", len(parts), MAX_PARTS)
        await self._threads.run(lambda: self._client.complete_upload(key, upload_id, parts))
        return await self._threads.run(lambda: self._client.stat(key))

    async def abort(self, key: str, upload_id: str) -> None:
        check_key(key)
        await self._threads.run(lambda: self._client.abort_upload(key, upload_id))

    async def list_uploads(self, key: str, limit: int) -> list[Upload]:
        check_key(key)
        check_limit("limit", limit, MAX_KEYS)
        return await self._threads.run(lambda: self._client.list_uploads(key, limit))

    async def health(self) -> BlobHealth:
        try:
            there = await self._threads.run(self._client.bucket_exists, tries=1)
        except (BlobError, DeadlineExceeded) as error:
            return BlobHealth(False, str(error) or "no time left to ask the S3 store")
        return BlobHealth(there, "" if there else f"bucket {self._bucket} does not exist")

    async def close(self) -> None:
        self._threads.close()
        self._client.close()


class S3Reader:
    """The body of one GET, read in threads as it is iterated."""

    def __init__(self, response: BaseHTTPResponse, threads: Threads) -> None:
        self._response = response
        self._threads = threads
        self.size = int(response.headers.get("content-length", 0))
        self.content_type = response.headers.get("content-type", "")
        self.etag = response.headers.get("etag", "").strip('"')

    async def __aiter__(self) -> AsyncIterator[bytes]:
        # A chunk that failed is not asked for again: bytes may have been lost between.
        while chunk := await self._threads.run(lambda: self._response.read(CHUNK_BYTES), tries=1):
            yield chunk


def _read_whole(response: BaseHTTPResponse, key: str, max_bytes: int) -> bytes:
    try:
        size = int(response.headers.get("content-length", 0))
        if size > max_bytes:
            raise BlobTooLarge(f"{key} has {size} bytes, {max_bytes} are allowed")
        return response.read()
    finally:
        response.close()
        response.release_conn()


def _check_expiry(expires: timedelta) -> None:
    if not timedelta(seconds=1) <= expires <= MAX_PRESIGNED:
        raise BlobRefused(f"a presigned URL lives 1 second to {MAX_PRESIGNED.days} days, not {expires}")
