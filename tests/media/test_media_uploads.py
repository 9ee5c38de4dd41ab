"""An upload is acknowledged when it is durable, leaves nothing behind when it fails, and has one effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tintype.events.v1.media_pb2 import AssetProcessed, AssetUploaded
from tintype.media.v1 import assets_pb2

from mesh.claims import RequestIds
from mesh.errors import Problem
from mesh.storage import TimedOut, Unavailable
from mesh.storage.sqlite.engine import SqliteStore
from services.media.schema import REQUEST_IDS
from services.media.store import MediaStore
from tests.media.conftest import PHOTO, Media

pytestmark = pytest.mark.asyncio(loop_scope="module")
MIB = 1024 * 1024
OTHER_PHOTO = PHOTO[:-2] + b"\xff\xfe\x00\x04!!" + PHOTO[-2:]


async def refused(media: Media, user: int, *chunks: bytes, **fields: Any) -> Problem:
    """The refusal of an upload, which left nothing behind."""
    before = await media.leftovers()
    with pytest.raises(Problem) as problem:
        await media.upload(user, *chunks, **fields)
    assert await media.leftovers() == before
    return problem.value


class Sender:
    """A client that sends photo-like bytes for ever and knows how much it was asked for."""

    def __init__(self, head: bytes, chunk_bytes: int) -> None:
        self.sent = 0
        self._head = head
        self._chunk = bytes(chunk_bytes)

    async def requests(self) -> AsyncIterator[assets_pb2.UploadRequest]:
        yield assets_pb2.UploadRequest(chunk=self._head)
        while True:
            self.sent += len(self._chunk)
            yield assets_pb2.UploadRequest(chunk=self._chunk)
            await asyncio.sleep(0)


async def test_an_acknowledged_upload_is_durable_and_becomes_ready(media: Media, user: int) -> None:
    asset = await media.upload(user, PHOTO[:10], PHOTO[10:], filename="sea.jpg", content_type="image/png")
    assert asset.state == assets_pb2.ASSET_STATE_PROCESSING
    assert (asset.owner_id, asset.filename, asset.size_bytes) == (user, "sea.jpg", len(PHOTO))
    await media.harness.settle()
    ready = await media.asset(asset.asset_id)
    assert ready.state == assets_pb2.ASSET_STATE_READY
    assert (ready.width, ready.height) == (400, 300)
    assert ready.blurhash
    assert ready.dominant_colour.startswith("#")
    assert {(v.name, v.format) for v in ready.variants} >= {("150", "jpeg"), ("150", "webp"), ("320", "webp")}


async def test_variants_are_in_the_store_under_keys_that_nothing_tells(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    asset = await media.asset(asset_id)
    for variant in asset.variants:
        blob = await media.blobs.stat(variant.object_key)
        assert (blob.size, blob.content_type) == (variant.size_bytes, f"image/{variant.format}")
        assert str(asset_id) not in variant.object_key
        assert str(user) not in variant.object_key


async def test_events_tell_of_the_upload_and_of_its_end(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    assert [e.owner_id for e in await media.events_of(AssetUploaded, asset_id=asset_id)] == [user]
    assert [e.ready for e in await media.events_of(AssetProcessed, asset_id=asset_id)] == [True]


async def test_a_repeated_upload_is_one_asset(media: Media, user: int) -> None:
    first = await media.upload(user, request_id="r1")
    before = await media.leftovers()
    again = await media.upload(user, request_id="r1")
    assert again.asset_id == first.asset_id
    assert await media.leftovers() == before
    assert len(await media.events_of(AssetUploaded, owner_id=user)) == 1


async def test_a_request_id_is_its_users_own(media: Media, user: int) -> None:
    mine = await media.upload(user, request_id="r1")
    theirs = await media.upload(user + 500_000, request_id="r1")
    assert mine.asset_id != theirs.asset_id


async def test_without_a_request_id_every_upload_is_an_asset(media: Media, user: int) -> None:
    first, second = await media.upload(user), await media.upload(user)
    assert first.asset_id != second.asset_id


async def test_another_file_under_the_same_request_id_is_refused(media: Media, user: int) -> None:
    await media.upload(user, request_id="r1")
    assert (await refused(media, user, OTHER_PHOTO, request_id="r1")).reason == "REQUEST_ID_REUSED"


async def test_two_devices_at_once_make_one_asset(media: Media, user: int) -> None:
    originals, _ = await media.leftovers()
    assets = await asyncio.gather(*(media.upload(user, request_id="r1") for _ in range(5)))
    assert len({asset.asset_id for asset in assets}) == 1
    after, _ = await media.leftovers()
    assert len(after - originals) == 1
    assert len({e.asset_id for e in await media.events_of(AssetUploaded, owner_id=user)}) == 1


async def test_two_devices_with_different_files_make_one_asset_and_one_refusal(media: Media, user: int) -> None:
    uploads = [media.upload(user, photo, request_id="r1") for photo in (PHOTO, OTHER_PHOTO)]
    results = await asyncio.gather(*uploads, return_exceptions=True)
    (problem,) = [result for result in results if isinstance(result, Problem)]
    assert problem.reason == "REQUEST_ID_REUSED"


async def test_a_crash_between_claim_and_row_is_made_good_by_the_repeat(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(MediaStore, "original_written", _raise(RuntimeError("power cut")))
        with pytest.raises(Problem):
            await media.upload(user, request_id="r1")
    before = await media.leftovers()
    asset = await media.upload(user, request_id="r1")
    assert await media.leftovers() == before
    await media.harness.settle()
    assert (await media.asset(asset.asset_id)).state == assets_pb2.ASSET_STATE_READY


async def test_a_lost_answer_of_the_claim_is_read_back(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = SqliteStore.insert_if_absent

    async def lose_answer(self: SqliteStore, table: Any, row: Any) -> Any:
        outcome = await insert(self, table, row)
        if table is REQUEST_IDS:
            raise TimedOut("done, but reported as timed out")
        return outcome

    originals, _ = await media.leftovers()
    monkeypatch.setattr(SqliteStore, "insert_if_absent", lose_answer)
    first = await media.upload(user, request_id="r1")
    assert (await media.upload(user, request_id="r1")).asset_id == first.asset_id
    after, _ = await media.leftovers()
    assert len(after - originals) == 1


async def test_a_claim_that_was_refused_leaves_no_object(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestIds, "claim", _raise(Unavailable("away")))
    assert (await refused(media, user, request_id="r1")).reason == "DEPENDENCY_UNAVAILABLE"


@pytest.mark.parametrize(
    ("head", "seen"),
    [(b"hello, this is only some text, no photo", "begins like no image"), (b"GIF89a" + bytes(40), "image/gif")],
)
async def test_what_is_no_photo_is_refused_before_the_rest_is_read(
    media: Media, user: int, head: bytes, seen: str
) -> None:
    sender = Sender(head, 64 * 1024)
    with pytest.raises(Problem) as problem:
        await media.stream(user, sender.requests())
    assert problem.value.reason == "NOT_AN_IMAGE"
    assert seen in problem.value.message
    assert sender.sent == 0


async def test_an_upload_is_refused_as_soon_as_it_passes_the_limit(media: Media, user: int) -> None:
    before = await media.leftovers()
    sender = Sender(PHOTO, 256 * 1024)
    with pytest.raises(Problem) as problem:
        await media.stream(user, sender.requests())
    assert problem.value.reason == "PAYLOAD_TOO_LARGE"
    assert 12 * MIB - len(PHOTO) < sender.sent <= 12 * MIB + 256 * 1024
    assert await media.leftovers() == before


async def test_a_size_beyond_the_limit_is_refused_before_anything_is_read(media: Media, user: int) -> None:
    problem = await refused(media, user, size_bytes=12 * MIB + 1)
    assert (problem.reason, problem.metadata["max_bytes"]) == ("PAYLOAD_TOO_LARGE", str(12 * MIB))


async def test_an_empty_upload_is_incomplete(media: Media, user: int) -> None:
    assert (await refused(media, user, b"")).reason == "UPLOAD_INCOMPLETE"


async def test_a_stream_without_messages_is_incomplete(media: Media, user: int) -> None:
    async def nothing() -> AsyncIterator[assets_pb2.UploadRequest]:
        for request in ():
            yield request

    with pytest.raises(Problem) as problem:
        await media.stream(user, nothing())
    assert problem.value.reason == "UPLOAD_INCOMPLETE"


async def test_a_file_that_came_short_is_incomplete(media: Media, user: int) -> None:
    problem = await refused(media, user, PHOTO[:-10], size_bytes=len(PHOTO))
    assert problem.reason == "UPLOAD_INCOMPLETE"


async def test_an_upload_that_breaks_off_leaves_nothing(media: Media, user: int) -> None:
    async def broken() -> AsyncIterator[assets_pb2.UploadRequest]:
        yield assets_pb2.UploadRequest(chunk=PHOTO, request_id="r1")
        for _ in range(7):
            yield assets_pb2.UploadRequest(chunk=bytes(MIB))
        raise ConnectionError("the line broke")

    before = await media.leftovers()
    with pytest.raises(Problem):
        await media.stream(user, broken())
    assert await media.leftovers() == before
    assert await media.events_of(AssetUploaded, owner_id=user) == []


async def test_an_upload_that_is_cancelled_leaves_nothing(media: Media, user: int) -> None:
    far = asyncio.Event()

    async def endless() -> AsyncIterator[assets_pb2.UploadRequest]:
        yield assets_pb2.UploadRequest(chunk=PHOTO, request_id="r1")
        for _ in range(7):
            yield assets_pb2.UploadRequest(chunk=bytes(MIB))
        far.set()
        await asyncio.Event().wait()

    before = await media.leftovers()
    upload = asyncio.create_task(media.stream(user, endless()))
    await far.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await media.leftovers() == before
    assert await media.events_of(AssetUploaded, owner_id=user) == []


@pytest.mark.parametrize("fields", [{"request_id": "no spaces"}, {"filename": "x" * 256}, {"size_bytes": -1}])
async def test_bad_fields_are_refused(media: Media, user: int, fields: dict[str, Any]) -> None:
    problem = await refused(media, user, **fields)
    assert problem.reason == "INVALID_FIELD"
    assert problem.fields[0].field == next(iter(fields))


def _raise(error: Exception) -> Any:
    def fail(*_: Any) -> None:
        raise error

    return fail
