"""What every blob store promises. An engine's test class supplies the ``store`` fixture and nothing more."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from mesh import deadline
from mesh.blobs.contract import (
    MAX_KEYS,
    MAX_PARTS,
    PART_BYTES,
    Blob,
    BlobMissing,
    BlobRefused,
    BlobStore,
    BlobTooLarge,
    Part,
)

JPEG = "image/jpeg"
MINUTE = timedelta(minutes=1)
PLENTY = 64 * 1024 * 1024
KEYS = ("a", "m/a", "m/a/b")
"""The keys under which these tests begin uploads."""
REFUSED_KEYS = ["", "/a", "a/", "a//b", "a/../b", ".", "..", "a b", "ä", "a?b", "a#b", "a%2Fb", "a\nb", "x" * 513]


async def chunks_of(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    """The bytes as a sender would bring them."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def put_part(url: str, data: bytes) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.put(url, content=data)).status_code


async def upload_parts(store: BlobStore, key: str, upload_id: str, parts: list[bytes]) -> None:
    for number, data in enumerate(parts, start=1):
        assert await put_part(await store.presign_part(key, upload_id, number, MINUTE), data) == 200


async def emptied(store: BlobStore) -> BlobStore:
    """The store with nothing in its bucket that a test left there."""
    await store.ensure_bucket()
    await store.delete_many([blob.key for blob in await store.list_blobs("", MAX_KEYS)])
    for key in KEYS:
        for upload in await store.list_uploads(key, MAX_KEYS):
            await store.abort(key, upload.upload_id)
    return store


class BlobConformance:
    """Subclass it and give it a fixture ``store``: an empty bucket of a running store."""

    @pytest.fixture
    def store(self) -> BlobStore:
        raise NotImplementedError

    async def test_put_then_get_returns_the_same_bytes(self, store: BlobStore) -> None:
        await store.put("posts/1/original.jpg", b"picture", JPEG)
        assert await store.get("posts/1/original.jpg", PLENTY) == b"picture"

    async def test_put_reports_size_and_sha256(self, store: BlobStore) -> None:
        stored = await store.put("a", b"picture", JPEG)
        assert (stored.key, stored.size, stored.sha256) == ("a", 7, hashlib.sha256(b"picture").hexdigest())

    async def test_put_may_be_repeated(self, store: BlobStore) -> None:
        first = await store.put("a", b"picture", JPEG)
        assert await store.put("a", b"picture", JPEG) == first

    async def test_put_keeps_every_byte_value(self, store: BlobStore) -> None:
        every = bytes(range(256)) * 33
        await store.put("a", every, "application/octet-stream")
        assert await store.get("a", PLENTY) == every

    async def test_an_empty_object_is_an_object(self, store: BlobStore) -> None:
        await store.put("empty", b"", JPEG)
        assert await store.get("empty", PLENTY) == b""
        assert (await store.stat("empty")).size == 0

    async def test_get_of_a_missing_object_says_missing(self, store: BlobStore) -> None:
        with pytest.raises(BlobMissing, match="nothing"):
            await store.get("nothing", PLENTY)

    async def test_get_of_exactly_the_allowed_size_is_allowed(self, store: BlobStore) -> None:
        await store.put("a", b"12345", JPEG)
        assert await store.get("a", 5) == b"12345"

    async def test_get_of_more_than_the_allowed_size_is_too_large(self, store: BlobStore) -> None:
        await store.put("a", b"123456", JPEG)
        with pytest.raises(BlobTooLarge, match="6 bytes, 5"):
            await store.get("a", 5)

    async def test_range_returns_the_bytes_asked_for(self, store: BlobStore) -> None:
        await store.put("a", b"0123456789", JPEG)
        assert await store.get_range("a", 3, 4) == b"3456"
        assert await store.get_range("a", 0, 1) == b"0"

    async def test_range_over_the_end_returns_what_is_there(self, store: BlobStore) -> None:
        await store.put("a", b"0123456789", JPEG)
        assert await store.get_range("a", 8, 100) == b"89"

    async def test_range_past_the_end_is_empty(self, store: BlobStore) -> None:
        await store.put("a", b"0123456789", JPEG)
        assert await store.get_range("a", 10, 5) == b""

    @pytest.mark.parametrize(("offset", "length"), [(-1, 5), (0, 0), (3, -2)])
    async def test_a_range_without_sense_is_refused(self, store: BlobStore, offset: int, length: int) -> None:
        await store.put("a", b"0123456789", JPEG)
        with pytest.raises(BlobRefused, match="range"):
            await store.get_range("a", offset, length)

    async def test_range_of_a_missing_object_says_missing(self, store: BlobStore) -> None:
        with pytest.raises(BlobMissing):
            await store.get_range("nothing", 0, 1)

    async def test_stat_knows_size_type_tag_and_time(self, store: BlobStore) -> None:
        stored = await store.put("a", b"picture", "image/webp")
        blob = await store.stat("a")
        assert (blob.key, blob.size, blob.content_type, blob.etag) == ("a", 7, "image/webp", stored.etag)
        assert blob.modified_ms > 1_700_000_000_000

    async def test_stat_of_a_missing_object_says_missing(self, store: BlobStore) -> None:
        with pytest.raises(BlobMissing):
            await store.stat("nothing")

    async def test_delete_removes(self, store: BlobStore) -> None:
        await store.put("a", b"picture", JPEG)
        await store.delete("a")
        with pytest.raises(BlobMissing):
            await store.get("a", PLENTY)

    async def test_delete_may_be_repeated(self, store: BlobStore) -> None:
        await store.delete("never-there")
        await store.delete("never-there")

    async def test_delete_many_removes_all_of_them_and_no_others(self, store: BlobStore) -> None:
        for key in ("a/1", "a/2", "b/1"):
            await store.put(key, b"x", JPEG)
        await store.delete_many(["a/1", "a/2", "a/never-there"])
        assert [blob.key for blob in await store.list_blobs("", 10)] == ["b/1"]

    async def test_delete_many_of_none_does_nothing(self, store: BlobStore) -> None:
        await store.delete_many([])

    async def test_delete_many_is_bounded(self, store: BlobStore) -> None:
        with pytest.raises(BlobRefused, match="1001"):
            await store.delete_many(["a"] * 1001)

    async def test_list_is_in_key_order_and_under_the_prefix(self, store: BlobStore) -> None:
        for key in ("p/b", "p/a/z", "q/a", "p/c"):
            await store.put(key, b"x", JPEG)
        assert [blob.key for blob in await store.list_blobs("p/", 10)] == ["p/a/z", "p/b", "p/c"]

    async def test_list_goes_on_after_a_key(self, store: BlobStore) -> None:
        keys = [f"p/{number:02d}" for number in range(7)]
        for key in keys:
            await store.put(key, b"x", JPEG)
        seen: list[str] = []
        while page := await store.list_blobs("p/", 3, seen[-1] if seen else ""):
            assert len(page) <= 3
            seen += [blob.key for blob in page]
        assert seen == keys

    async def test_list_knows_sizes(self, store: BlobStore) -> None:
        stored = await store.put("p/a", b"12345", JPEG)
        (blob,) = await store.list_blobs("p/", 10)
        assert blob == Blob("p/a", 5, stored.etag, blob.modified_ms)

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    async def test_list_without_a_bound_is_refused(self, store: BlobStore, limit: int) -> None:
        with pytest.raises(BlobRefused, match="limit"):
            await store.list_blobs("", limit)

    @pytest.mark.parametrize("key", REFUSED_KEYS)
    async def test_keys_that_a_url_would_change_are_refused(self, store: BlobStore, key: str) -> None:
        with pytest.raises(BlobRefused, match="key"):
            await store.put(key, b"x", JPEG)
        with pytest.raises(BlobRefused, match="key"):
            await store.get(key, PLENTY)

    @pytest.mark.parametrize("content_type", ["", "jpeg", "image/jpeg\r\nx-evil: 1", "a/b/c"])
    async def test_content_types_that_are_none_are_refused(self, store: BlobStore, content_type: str) -> None:
        with pytest.raises(BlobRefused, match="content type"):
            await store.put("a", b"x", content_type)

    async def test_open_reads_the_whole_object_in_chunks(self, store: BlobStore) -> None:
        data = os.urandom(700_000)
        await store.put("a", data, JPEG)
        async with store.open("a") as blob:
            assert (blob.size, blob.content_type) == (700_000, JPEG)
            read = [chunk async for chunk in blob]
        assert b"".join(read) == data
        assert max(map(len, read)) <= 256 * 1024

    async def test_open_may_be_left_in_the_middle(self, store: BlobStore) -> None:
        await store.put("a", os.urandom(3_000_000), JPEG)
        for _ in range(40):
            async with store.open("a") as blob:
                async for _chunk in blob:
                    break
        assert (await store.stat("a")).size == 3_000_000

    async def test_open_of_a_missing_object_says_missing(self, store: BlobStore) -> None:
        with pytest.raises(BlobMissing):
            async with store.open("nothing"):
                pass

    @pytest.mark.parametrize("size", [0, 1, 99_999, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 7])
    async def test_a_stream_of_any_length_arrives_whole(self, store: BlobStore, size: int) -> None:
        data = os.urandom(size)
        stored = await store.put_stream("a", chunks_of(data), JPEG, PLENTY)
        assert (stored.size, stored.sha256) == (size, hashlib.sha256(data).hexdigest())
        assert await store.get("a", PLENTY) == data
        blob = await store.stat("a")
        assert (blob.etag, blob.content_type) == (stored.etag, JPEG)

    @pytest.mark.parametrize("chunk", [1_000_003, PART_BYTES, 2 * PART_BYTES + 1, 12_000_000])
    async def test_a_stream_in_chunks_of_any_size_arrives_whole(self, store: BlobStore, chunk: int) -> None:
        data = os.urandom(12_000_000)
        await store.put_stream("a", chunks_of(data, chunk), JPEG, PLENTY)
        assert await store.get("a", PLENTY) == data

    async def test_a_stream_of_exactly_the_allowed_size_is_stored(self, store: BlobStore) -> None:
        assert (await store.put_stream("a", chunks_of(b"12345", 2), JPEG, 5)).size == 5

    @pytest.mark.parametrize("size", [6, PART_BYTES + 2, 3 * PART_BYTES])
    async def test_a_stream_past_the_allowed_size_stores_nothing(self, store: BlobStore, size: int) -> None:
        with pytest.raises(BlobTooLarge, match="allowed"):
            await store.put_stream("a", chunks_of(bytes(size)), JPEG, size - 1)
        await self.nothing_is_left(store)

    async def test_a_stream_past_the_allowed_size_is_not_read_on(self, store: BlobStore) -> None:
        taken = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal taken
            while True:
                taken += 1
                yield bytes(1000)

        with pytest.raises(BlobTooLarge):
            await store.put_stream("a", endless(), JPEG, 10_500)
        assert taken == 11

    @pytest.mark.parametrize("after", [10, PART_BYTES + 10, 2 * PART_BYTES + 10])
    async def test_a_sender_that_fails_leaves_nothing(self, store: BlobStore, after: int) -> None:
        async def failing() -> AsyncIterator[bytes]:
            yield bytes(after)
            raise ConnectionResetError("sender went away")

        with pytest.raises(ConnectionResetError, match="went away"):
            await store.put_stream("a", failing(), JPEG, PLENTY)
        await self.nothing_is_left(store)

    async def test_a_cancelled_stream_leaves_nothing(self, store: BlobStore) -> None:
        waiting = asyncio.Event()

        async def stalling() -> AsyncIterator[bytes]:
            yield bytes(2 * PART_BYTES)
            waiting.set()
            await asyncio.Event().wait()

        upload = asyncio.create_task(store.put_stream("a", stalling(), JPEG, PLENTY))
        await waiting.wait()
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        await self.nothing_is_left(store)

    async def test_a_stream_whose_deadline_passed_leaves_nothing(self, store: BlobStore) -> None:
        async def late() -> AsyncIterator[bytes]:
            yield bytes(PART_BYTES)
            yield bytes(PART_BYTES)
            while (deadline.remaining() or 0) > 0:  # noqa: ASYNC110 - the deadline has no event
                await asyncio.sleep(0.01)
            yield bytes(PART_BYTES)

        with deadline.limit(0.5), pytest.raises(deadline.DeadlineExceeded):
            await store.put_stream("a", late(), JPEG, PLENTY)
        await self.nothing_is_left(store)

    async def test_a_deadline_that_passed_sends_nothing(self, store: BlobStore) -> None:
        with deadline.limit(0), pytest.raises(deadline.DeadlineExceeded):
            await store.put("a", b"x", JPEG)
        assert await store.list_blobs("", 10) == []

    async def test_a_refused_stream_is_not_read(self, store: BlobStore) -> None:
        async def untouched() -> AsyncIterator[bytes]:
            raise AssertionError("read")
            yield b""

        with pytest.raises(BlobRefused):
            await store.put_stream("a/../b", untouched(), JPEG, PLENTY)

    async def test_streams_at_the_same_time_do_not_mix(self, store: BlobStore) -> None:
        datas = [os.urandom(PART_BYTES + number) for number in range(4)]
        await asyncio.gather(
            *(store.put_stream(f"s/{n}", chunks_of(data), JPEG, PLENTY) for n, data in enumerate(datas))
        )
        assert [await store.get(f"s/{n}", PLENTY) for n in range(4)] == datas

    async def test_a_presigned_url_reads_without_credentials(self, store: BlobStore) -> None:
        await store.put("p/a.jpg", b"picture", JPEG)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(await store.presigned_get("p/a.jpg", MINUTE))
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"picture", JPEG)

    async def test_without_the_signature_nothing_is_public(self, store: BlobStore) -> None:
        await store.put("p/a.jpg", b"picture", JPEG)
        url = (await store.presigned_get("p/a.jpg", MINUTE)).partition("?")[0]
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(url)).status_code == 403
            assert (await client.put(url, content=b"other")).status_code == 403
        assert await store.get("p/a.jpg", PLENTY) == b"picture"

    async def test_a_presigned_url_is_for_its_key_alone(self, store: BlobStore) -> None:
        await store.put("p/a", b"a", JPEG)
        await store.put("p/b", b"b", JPEG)
        url = (await store.presigned_get("p/a", MINUTE)).replace("/p/a?", "/p/b?")
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(url)).status_code == 403

    @pytest.mark.parametrize("expires", [timedelta(0), timedelta(seconds=-1), timedelta(days=8)])
    async def test_presigned_urls_live_a_second_to_a_week(self, store: BlobStore, expires: timedelta) -> None:
        with pytest.raises(BlobRefused, match="presigned"):
            await store.presigned_get("a", expires)

    async def test_presigned_parts_become_one_object(self, store: BlobStore) -> None:
        parts = [os.urandom(PART_BYTES), os.urandom(1000)]
        upload = await store.create_multipart("m/a", JPEG)
        await upload_parts(store, "m/a", upload, parts)
        blob = await store.complete("m/a", upload, await store.list_parts("m/a", upload))
        assert (blob.size, blob.content_type) == (PART_BYTES + 1000, JPEG)
        assert await store.get("m/a", PLENTY) == b"".join(parts)

    async def test_parts_are_listed_with_number_and_size(self, store: BlobStore) -> None:
        upload = await store.create_multipart("m/a", JPEG)
        assert await store.list_parts("m/a", upload) == []
        await upload_parts(store, "m/a", upload, [bytes(PART_BYTES), bytes(10)])
        parts = await store.list_parts("m/a", upload)
        assert [(part.number, part.size) for part in parts] == [(1, PART_BYTES), (2, 10)]
        await store.abort("m/a", upload)

    async def test_a_part_may_be_sent_again(self, store: BlobStore) -> None:
        upload = await store.create_multipart("m/a", JPEG)
        await upload_parts(store, "m/a", upload, [b"first"])
        await upload_parts(store, "m/a", upload, [b"second"])
        await store.complete("m/a", upload, await store.list_parts("m/a", upload))
        assert await store.get("m/a", PLENTY) == b"second"

    async def test_complete_may_be_repeated(self, store: BlobStore) -> None:
        upload = await store.create_multipart("m/a", JPEG)
        await upload_parts(store, "m/a", upload, [b"picture"])
        parts = await store.list_parts("m/a", upload)
        first = await store.complete("m/a", upload, parts)
        assert await store.complete("m/a", upload, parts) == first

    async def test_parts_are_not_an_object_before_complete(self, store: BlobStore) -> None:
        upload = await store.create_multipart("m/a", JPEG)
        await upload_parts(store, "m/a", upload, [b"picture"])
        with pytest.raises(BlobMissing):
            await store.get("m/a", PLENTY)
        await store.abort("m/a", upload)

    async def test_abort_drops_the_parts_and_may_be_repeated(self, store: BlobStore) -> None:
        upload = await store.create_multipart("m/a", JPEG)
        await upload_parts(store, "m/a", upload, [b"picture"])
        await store.abort("m/a", upload)
        await store.abort("m/a", upload)
        with pytest.raises(BlobMissing):
            await store.list_parts("m/a", upload)
        await self.nothing_is_left(store)

    async def test_complete_of_an_unknown_upload_says_missing(self, store: BlobStore) -> None:
        upload = await store.create_multipart("m/a", JPEG)
        await store.abort("m/a", upload)
        with pytest.raises(BlobMissing):
            await store.complete("m/a", upload, [Part(1, "d41d8cd98f00b204e9800998ecf8427e", 0)])

    async def test_complete_without_parts_is_refused(self, store: BlobStore) -> None:
        with pytest.raises(BlobRefused, match="parts"):
            await store.complete("m/a", "any", [])

    @pytest.mark.parametrize("number", [0, MAX_PARTS + 1])
    async def test_part_numbers_are_bounded(self, store: BlobStore, number: int) -> None:
        with pytest.raises(BlobRefused, match="part number"):
            await store.presign_part("m/a", "any", number, MINUTE)

    async def test_uploads_under_way_are_listed(self, store: BlobStore) -> None:
        first, second = [await store.create_multipart("m/a", JPEG) for _ in range(2)]
        other = await store.create_multipart("m/a/b", JPEG)
        uploads = await store.list_uploads("m/a", 10)
        assert {(upload.key, upload.upload_id) for upload in uploads} == {("m/a", first), ("m/a", second)}
        assert min(upload.started_ms for upload in uploads) > 1_700_000_000_000
        for key, upload_id in (("m/a", first), ("m/a", second), ("m/a/b", other)):
            await store.abort(key, upload_id)
        assert await store.list_uploads("m/a", 10) == []

    async def test_ensure_bucket_may_be_repeated_and_keeps_what_is_there(self, store: BlobStore) -> None:
        await store.put("a", b"x", JPEG)
        await asyncio.gather(store.ensure_bucket(), store.ensure_bucket())
        assert await store.get("a", PLENTY) == b"x"

    async def test_a_store_that_answers_is_healthy(self, store: BlobStore) -> None:
        assert (await store.health()).ready

    async def nothing_is_left(self, store: BlobStore) -> None:
        """Neither an object nor an upload under way, of the keys that these tests use."""
        assert await store.list_blobs("", 10) == []
        assert [await store.list_uploads(key, 10) for key in KEYS] == [[]] * len(KEYS)
