"""An upload of unknown length: received and sent at the same time, two parts in memory at most."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextvars import Context

from mesh.blobs.client import S3Client
from mesh.blobs.contract import PART_BYTES, BlobError, BlobTooLarge, Part, Stored
from mesh.blobs.threads import Threads

ABANDON_SECONDS = 2.0
"""How long an abandoned upload waits for the part under way, which could outlive the abort."""


async def parts_of(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[list[bytes]]:
    """The chunks grouped into parts of exactly ``PART_BYTES``, the last one shorter (or absent).

    S3 lets the parts differ; some stores do not. Raises :class:`BlobTooLarge` at the chunk that
    passes ``max_bytes``.
    """
    part: list[bytes] = []
    room, total = PART_BYTES, 0
    async for chunk in chunks:
        total += len(chunk)
        if total > max_bytes:
            raise BlobTooLarge(f"more than the allowed {max_bytes} bytes")
        while len(chunk) >= room:
            yield [*part, chunk[:room]]
            part, chunk, room = [], chunk[room:], PART_BYTES
        if chunk:
            part.append(chunk)
            room -= len(chunk)
    if part:
        yield part


class StreamedUpload:
    """One part travels while the next is received; an upload under one part is a single PUT."""

    def __init__(self, client: S3Client, threads: Threads, key: str, content_type: str) -> None:
        self._client = client
        self._threads = threads
        self._key = key
        self._content_type = content_type
        self._digest = hashlib.sha256()
        self._size = 0
        self._upload_id = ""
        self._short: bytes | None = None
        self._parts: list[Part] = []
        self._sending: asyncio.Task[None] | None = None

    async def add(self, chunks: list[bytes]) -> None:
        """Take one part as soon as the one before has arrived, and begin to send it."""
        await self._settle()
        self._sending = asyncio.create_task(self._send(chunks))

    async def finish(self) -> Stored:
        """The stored object, once every byte is durable."""
        await self._settle()
        if self._upload_id:
            etag = await self._threads.run(
                lambda: self._client.complete_upload(self._key, self._upload_id, self._parts)
            )
        else:
            data = self._short or b""
            etag = await self._threads.run(lambda: self._client.put(self._key, data, self._content_type))
        return Stored(self._key, self._size, self._digest.hexdigest(), etag)

    async def abandon(self) -> None:
        """Leave nothing behind in the store, whatever became of the caller and its deadline."""
        cleaning = asyncio.create_task(self._abandon(), context=Context())
        await asyncio.shield(cleaning)

    async def _settle(self) -> None:
        if self._sending is not None:
            await self._sending
            self._sending = None

    async def _send(self, chunks: list[bytes]) -> None:
        data = await self._threads.run(lambda: self._take(chunks), tries=1)
        if len(data) < PART_BYTES and not self._upload_id:
            self._short = data  # the first part and the last: `finish` puts it
            return
        if not self._upload_id:
            self._upload_id = await self._threads.run(lambda: self._client.create_upload(self._key, self._content_type))
        number = len(self._parts) + 1
        part = await self._threads.run(lambda: self._client.upload_part(self._key, self._upload_id, number, data))
        self._parts.append(part)

    def _take(self, chunks: list[bytes]) -> bytes:
        data = b"".join(chunks)
        chunks.clear()
        self._digest.update(data)
        self._size += len(data)
        return data

    async def _abandon(self) -> None:
        if self._sending is not None:
            sending = asyncio.gather(self._sending, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(sending, ABANDON_SECONDS)
        if self._upload_id:
            try:
                await self._threads.run(lambda: self._client.abort_upload(self._key, self._upload_id))
            except BlobError:
                return  # the store is away: the sweep over `list_uploads` finds it later
