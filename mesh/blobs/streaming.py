"""An upload of unknown length: received and sent at the same time, a few parts in memory at most."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextvars import Context

from mesh.blobs.client import S3Client
from mesh.blobs.contract import PART_BYTES, BlobError, BlobTooLarge, Part, Stored
from mesh.blobs.threads import Threads

PARTS_UNDER_WAY = 2
"""Parts of one upload that travel at a time, while one more is received: the store works on one as the other
arrives."""
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
    """Parts travel while the next is received; an upload under one part is a single PUT."""

    def __init__(self, client: S3Client, threads: Threads, key: str, content_type: str) -> None:
        self._client = client
        self._threads = threads
        self._key = key
        self._content_type = content_type
        self._digest = hashlib.sha256()
        self._size = 0
        self._upload_id = ""
        self._short: bytes | None = None
        self._number = 0
        self._parts: list[Part] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def add(self, chunks: list[bytes]) -> None:
        """Take the next part as soon as there is room for it, and begin to send it."""
        await self._settle(PARTS_UNDER_WAY - 1)
        data = await self._threads.run(lambda: self._take(chunks), tries=1)
        if len(data) < PART_BYTES and not self._upload_id:
            self._short = data  # the first part and the last: `finish` puts it
            return
        if not self._upload_id:
            self._upload_id = await self._threads.run(lambda: self._client.create_upload(self._key, self._content_type))
        self._number += 1
        self._sending.add(asyncio.create_task(self._send(self._number, data)))

    async def finish(self) -> Stored:
        """The stored object, once every byte is durable."""
        await self._settle(0)
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

    async def _settle(self, under_way: int) -> None:
        """Wait until at most so many parts are under way. Raises what became of one that failed."""
        while len(self._sending) > under_way:
            done, self._sending = await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
            for error in _errors(done):
                raise error

    async def _send(self, number: int, data: bytes) -> None:
        part = await self._threads.run(lambda: self._client.upload_part(self._key, self._upload_id, number, data))
        self._parts.append(part)

    def _take(self, chunks: list[bytes]) -> bytes:
        data = b"".join(chunks)
        chunks.clear()
        self._digest.update(data)
        self._size += len(data)
        return data

    async def _abandon(self) -> None:
        if self._sending:
            done, _ = await asyncio.wait(self._sending, timeout=ABANDON_SECONDS)
            _errors(done)
        if self._upload_id:
            try:
                await self._threads.run(lambda: self._client.abort_upload(self._key, self._upload_id))
            except BlobError:
                return  # the store is away: the sweep over `list_uploads` finds it later


def _errors(done: Iterable[asyncio.Task[None]]) -> list[BaseException]:
    """What went wrong in tasks that ended; looked at all, so that none is reported as forgotten."""
    return [error for task in done if not task.cancelled() and (error := task.exception())]
