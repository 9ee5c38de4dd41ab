"""Uploads: bytes go to the blob store as they come; an asset exists once they are durable there."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

from mesh.blobs.contract import BlobError, BlobStore, Stored
from mesh.claims import Request
from mesh.clock import Clock
from mesh.deadline import DeadlineExceeded
from mesh.errors import Code, Problem, invalid
from mesh.events import Outbox
from mesh.ids import IdGenerator
from mesh.storage import Unavailable
from services.media import events
from services.media.imaging import formats
from services.media.model import Asset, Attempt, Original
from services.media.store import MediaStore

_KEY_BYTES = 24
"""192 random bits: a key that nobody guesses and that never meets another."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client says before the bytes. ``size_bytes`` is 0 where it does not know."""

    owner_id: int
    request_id: str = ""
    filename: str = ""
    size_bytes: int = 0


class Uploads:
    """Takes files. ``max_bytes`` bounds one."""

    def __init__(
        self, store: MediaStore, blobs: BlobStore, outbox: Outbox, ids: IdGenerator, clock: Clock, max_bytes: int
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._outbox = outbox
        self._ids = ids
        self._clock = clock
        self._max_bytes = max_bytes

    async def upload(self, offer: Offer, chunks: AsyncIterator[bytes]) -> Asset:
        """Store a file and make it an asset; with a request id it may be repeated.

        Chunks are taken as fast as the blob store takes them, at most three of its parts are held. Raises
        NOT_AN_IMAGE, PAYLOAD_TOO_LARGE, UPLOAD_INCOMPLETE and REQUEST_ID_REUSED, which leave nothing behind.
        """
        content_type, chunks = await _sniffed(_measured(chunks, offer.size_bytes, self._max_bytes))
        earlier = await self._store.upload_requests.find(offer.owner_id, offer.request_id)
        if earlier:
            earlier.must_match(await _digest(chunks))
            return await self._write(_recalled(earlier))
        attempt = Attempt(self._ids.next(), offer.owner_id, offer.request_id, _new_key("originals"))
        await self._store.begin(attempt)
        stored = await self._blobs.put_stream(attempt.object_key, chunks, content_type, self._max_bytes)
        original = self._original(attempt, offer, content_type, stored)
        # Every byte has arrived: a client that hangs up now cannot leave the rest half done.
        return await asyncio.shield(asyncio.create_task(self._acknowledge(original)))

    def _original(self, attempt: Attempt, offer: Offer, content_type: str, stored: Stored) -> Original:
        return Original(
            asset_id=attempt.asset_id,
            owner_id=attempt.owner_id,
            request_id=attempt.request_id,
            object_key=stored.key,
            variant_prefix=_new_key("variants"),
            content_type=content_type,
            filename=offer.filename,
            size_bytes=stored.size,
            sha256=stored.sha256,
            create_time_ms=self._clock.now_ms(),
        )

    async def _acknowledge(self, original: Original) -> Asset:
        try:
            request = await self._claim(original)
        except (Unavailable, Problem):  # nothing was applied, so nothing names the object
            await self._discard(original.object_key)
            raise
        if request.answer_id == original.asset_id:
            # Should this fail, a repeat goes on from the claim.
            return await self._commit(original)
        await self._discard(original.object_key)
        return await self._write(_recalled(request))

    async def _claim(self, original: Original) -> Request:
        """The upload that counts: of two at a time with the same request id, the first to get here."""
        digest, memo = bytes.fromhex(original.sha256), json.dumps(asdict(original)).encode()
        return await self._store.upload_requests.claim(
            original.owner_id, original.request_id, original.asset_id, digest, memo
        )

    async def _write(self, original: Original) -> Asset:
        """The asset of an upload that counts, made now where an earlier attempt ended in between."""
        return await self._store.asset(original.asset_id) or await self._commit(original)

    async def _commit(self, original: Original) -> Asset:
        await self._outbox.commit(self._store.original_written(original), [events.asset_uploaded(original)])
        return Asset(original)

    async def _discard(self, key: str) -> None:
        """Remove an object that no row names. Where the store is away, the sweep does."""
        with contextlib.suppress(BlobError, DeadlineExceeded):
            await self._blobs.delete(key)


def _new_key(folder: str) -> str:
    return f"{folder}/{secrets.token_urlsafe(_KEY_BYTES)}"


async def _measured(chunks: AsyncIterator[bytes], declared: int, most: int) -> AsyncIterator[bytes]:
    """The chunks that are not empty, refused at the first byte too many and at an end that comes too early."""
    if declared > most:
        raise _too_large(most)
    total = 0
    async for chunk in chunks:
        total += len(chunk)
        if total > most:
            raise _too_large(most)
        if chunk:
            yield chunk
    if total == 0 or (declared and total != declared):
        expected = f" of {declared}" if declared else ""
        raise invalid("chunk", f"{total}{expected} bytes arrived: send the whole file again", "UPLOAD_INCOMPLETE")


async def _sniffed(chunks: AsyncIterator[bytes]) -> tuple[str, AsyncIterator[bytes]]:
    """The content type that the first bytes tell, and all the chunks. Raises NOT_AN_IMAGE."""
    head: list[bytes] = []
    while sum(map(len, head)) < formats.HEAD_BYTES and (chunk := await anext(chunks, b"")):
        head.append(chunk)
    kind = formats.sniff(b"".join(head)[: formats.HEAD_BYTES])
    if kind not in formats.ACCEPTED:
        seen = f"is {kind}" if kind else "begins like no image"
        raise invalid("chunk", f"the file {seen}: send JPEG, PNG or WebP", "NOT_AN_IMAGE")
    return kind, _chained(head, chunks)


async def _chained(head: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while head:
        yield head.pop(0)  # not kept: a first chunk may be a whole MiB
    async for chunk in rest:
        yield chunk


def _recalled(request: Request) -> Original:
    return Original(**json.loads(request.memo))


async def _digest(chunks: AsyncIterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    async for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def _too_large(most: int) -> Problem:
    message = f"the file has more than the {most} bytes allowed: send a smaller one"
    return Problem(Code.INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE", message, metadata={"max_bytes": str(most)})
