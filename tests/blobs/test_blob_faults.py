"""The blob store when S3 is away, slow, killed, or not ours."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from mesh import deadline
from mesh.blobs.client import S3Options
from mesh.blobs.contract import PART_BYTES, BlobRefused, BlobUnavailable, check_content_type, check_key
from mesh.blobs.s3 import S3BlobStore
from mesh.blobs.streaming import parts_of
from stack.ports import free_port
from stack.s3 import S3Server

JPEG = "image/jpeg"


def options(s3: S3Server, bucket: str = "faults") -> S3Options:
    return S3Options(s3.url, bucket, s3.access_key, s3.secret_key, seconds=5)


@pytest.fixture
async def silent() -> AsyncIterator[S3Options]:
    """A store that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield S3Options(f"http://127.0.0.1:{listener.getsockname()[1]}", "faults", "key", "secret", seconds=0.2)


async def test_acknowledged_blobs_survive_a_kill_and_an_unfinished_one_is_not_there(own_s3: S3Server) -> None:
    store = S3BlobStore(options(own_s3))
    await store.ensure_bucket()
    datas = {f"kept/{number}": os.urandom(50_000) for number in range(40)}
    await asyncio.gather(*(store.put(key, data, JPEG) for key, data in datas.items()))

    async def killing() -> AsyncIterator[bytes]:
        yield bytes(2 * PART_BYTES)
        own_s3.process.kill()
        yield bytes(2 * PART_BYTES)

    with pytest.raises(BlobUnavailable):
        await store.put_stream("lost", killing(), JPEG, 10 * PART_BYTES)
    with pytest.raises(BlobUnavailable, match="does not answer"):
        await store.get("kept/0", 100_000)
    assert not (await store.health()).ready
    await own_s3.process.start()
    assert {key: await store.get(key, 100_000) for key in datas} == datas
    assert [blob.key for blob in await store.list_blobs("", 100)] == sorted(datas)
    await store.close()


async def test_a_store_that_is_away_is_unavailable_not_missing() -> None:
    store = S3BlobStore(S3Options(f"http://127.0.0.1:{free_port()}", "faults", "key", "secret"))
    with pytest.raises(BlobUnavailable, match="does not answer"):
        await store.stat("a")
    await store.close()


async def test_a_silent_store_is_given_up_after_the_bound(silent: S3Options) -> None:
    store = S3BlobStore(silent)
    with pytest.raises(BlobUnavailable):
        await store.get("a", 10)
    health = await store.health()
    assert not health.ready
    assert health.reason
    await store.close()


async def test_a_silent_store_is_given_up_at_the_callers_deadline(silent: S3Options) -> None:
    store = S3BlobStore(replace(silent, seconds=60))
    with deadline.limit(0.2), pytest.raises((BlobUnavailable, deadline.DeadlineExceeded)):
        await store.get("a", 10)
    await store.close()


async def test_requests_that_wait_are_bounded(silent: S3Options) -> None:
    store = S3BlobStore(replace(silent, concurrency=1, max_waiting=1))
    answers = await asyncio.gather(*(store.health() for _ in range(3)))
    assert sum("wait for the S3 store already" in answer.reason for answer in answers) == 1
    await store.close()


async def test_wrong_credentials_are_refused(s3: S3Server) -> None:
    store = S3BlobStore(replace(options(s3), secret_key="wrong"))
    with pytest.raises(BlobRefused, match="refused"):
        await store.put("a", b"x", JPEG)
    await store.close()


async def test_a_bucket_that_is_not_there_is_named(s3: S3Server) -> None:
    store = S3BlobStore(options(s3, "never-made"))
    with pytest.raises(BlobRefused, match="bucket never-made does not exist"):
        await store.get("a", 10)
    health = await store.health()
    assert (health.ready, health.reason) == (False, "bucket never-made does not exist")
    await store.close()


async def test_presigned_urls_name_the_public_endpoint(s3: S3Server) -> None:
    store = S3BlobStore(replace(options(s3), public_endpoint="https://pictures.example"))
    url = await store.presigned_get("p/a.jpg", timedelta(minutes=1))
    assert url.startswith("https://pictures.example/faults/p/a.jpg?")
    await store.close()


@pytest.mark.parametrize("endpoint", ["", "localhost:9000", "ftp://host", "http://", "http://host/path"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(BlobRefused, match="endpoint"):
        S3BlobStore(S3Options(endpoint, "b", "key", "secret"))


def test_secrets_do_not_show() -> None:
    assert "hush" not in repr(S3Options("http://host", "b", "hush-key", "hush-secret"))


async def test_a_slow_store_slows_the_sender(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3BlobStore(options(s3))
    await store.ensure_bucket()
    may_go_on, received = asyncio.Event(), 0
    upload_part = store._client.upload_part
    loop = asyncio.get_running_loop()

    def held_up(*arguments: object) -> object:
        asyncio.run_coroutine_threadsafe(may_go_on.wait(), loop).result()
        return upload_part(*arguments)  # type: ignore[arg-type]

    async def sender() -> AsyncIterator[bytes]:
        nonlocal received
        for _ in range(5 * PART_BYTES // 131_072):
            received += 131_072
            yield bytes(131_072)

    monkeypatch.setattr(store._client, "upload_part", held_up)
    upload = asyncio.create_task(store.put_stream("slow", sender(), JPEG, 10 * PART_BYTES))
    until = time.monotonic() + 15
    while received < 3 * PART_BYTES and time.monotonic() < until:
        await asyncio.sleep(0.01)
    for _ in range(100):
        await asyncio.sleep(0)
    assert received == 3 * PART_BYTES
    may_go_on.set()
    assert (await upload).size == 5 * PART_BYTES
    await store.close()


async def test_parts_are_all_of_the_same_size_but_the_last() -> None:
    async def uneven() -> AsyncIterator[bytes]:
        for size in (1, PART_BYTES, 3_000_000, 0, 2 * PART_BYTES, 17):
            yield bytes(size)

    sizes = [sum(map(len, part)) async for part in parts_of(uneven(), 100 * PART_BYTES)]
    assert sizes == [PART_BYTES, PART_BYTES, PART_BYTES, 3_000_018]


@pytest.mark.parametrize("key", ["a", "A-z_0.9=", "a/b/c.jpg", "_x/-y", "x" * 512])
def test_plain_keys_are_accepted(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/vnd.apple.mpegurl", "text/plain; charset=utf-8"])
def test_media_types_are_accepted(content_type: str) -> None:
    check_content_type(content_type)
