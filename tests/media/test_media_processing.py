"""An asset comes to exactly one outcome, whatever fails on the way; who watches it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tintype.events.v1.media_pb2 import AssetProcessed
from tintype.media.v1 import assets_pb2
from tintype.media.v1.assets_pb2_grpc import AssetsServiceStub

from mesh.blobs.contract import BlobUnavailable
from mesh.blobs.s3 import S3BlobStore
from mesh.clock import FakeClock
from mesh.errors import Problem
from services.media.imaging.pool import ImageWorker
from services.media.imaging.reasons import WorkerCrashed
from services.media.model import Attempt, Failed, Ready
from services.media.processing import TRIES, Processing
from services.media.schema import BUCKET_MS, TABLES
from services.media.store import MediaStore
from services.media.sweep import ABANDONED_BUCKETS, GRACE_MS, Sweep
from tests.media.conftest import PHOTO, Media
from tests.media.imaging_sources import encoded, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")
READY, FAILED = assets_pb2.ASSET_STATE_READY, assets_pb2.ASSET_STATE_FAILED
PROCESSING = assets_pb2.ASSET_STATE_PROCESSING


class Failing:
    """Fails a coroutine function some times, then lets it work."""

    def __init__(self, original: Any, error: Exception, times: int) -> None:
        self.calls = 0
        self._original, self._error, self._times = original, error, times

    def method(self) -> Any:
        async def call(owner: Any, *arguments: Any) -> Any:
            self.calls += 1
            if self.calls <= self._times:
                raise self._error
            return await self._original(owner, *arguments)

        return call


async def own_store(media: Media) -> MediaStore:
    """A second view of the service's tables."""
    return MediaStore(await media.harness.process.open_store("media", TABLES, {}))


async def hold_events(media: Media, monkeypatch: pytest.MonkeyPatch) -> list[Processing]:
    """Events are taken and lost from now on; the workers that took them."""
    workers: list[Processing] = []

    async def lose(worker: Processing, _: int) -> None:
        workers.append(worker)

    monkeypatch.setattr(Processing, "process", lose)
    return workers


def _raise(error: Exception) -> Any:
    def fail(*_: Any) -> None:
        raise error

    return fail


async def processed(media: Media, asset_id: int) -> assets_pb2.Asset:
    await media.harness.settle()
    return await media.asset(asset_id)


async def test_a_file_that_is_no_whole_photo_fails_with_a_sentence(media: Media, user: int) -> None:
    cut = encoded(photo(600, 400))[:5000]
    asset = await processed(media, (await media.upload(user, cut)).asset_id)
    assert asset.state == FAILED
    assert asset.failure_reason == "TRUNCATED"
    assert len(asset.failure_message) > 20
    assert [event.ready for event in await media.events_of(AssetProcessed, asset_id=asset.asset_id)] == [False]


async def test_a_crash_of_the_worker_is_tried_again(media: Media, user: int, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = Failing(ImageWorker.render, WorkerCrashed("killed"), TRIES - 1)
    monkeypatch.setattr(ImageWorker, "render", crash.method())
    assert (await processed(media, (await media.upload(user)).asset_id)).state == READY
    assert crash.calls == TRIES


async def test_a_file_that_keeps_crashing_the_worker_fails(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = Failing(ImageWorker.render, WorkerCrashed("killed"), 1000)
    monkeypatch.setattr(ImageWorker, "render", crash.method())
    asset = await processed(media, (await media.upload(user)).asset_id)
    assert (asset.state, asset.failure_reason) == (FAILED, "PROCESSING_FAILED")
    assert crash.calls == TRIES


async def test_a_store_that_is_away_delays_but_fails_nothing(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Failing(S3BlobStore.put, BlobUnavailable("away"), 10)
    asset_id = (await media.upload(user)).asset_id
    monkeypatch.setattr(S3BlobStore, "put", away.method())
    assert (await processed(media, asset_id)).state == READY
    assert away.calls > 10


async def test_the_first_outcome_stands_whatever_another_worker_comes_to(media: Media, user: int) -> None:
    asset = await media.asset(await media.ready(user))
    store = await own_store(media)
    standing = await store.decide(asset.asset_id, Failed("PROCESSING_FAILED", "a worker that came late"))
    assert isinstance(standing, Ready)
    assert {variant.object_key for variant in standing.variants} == {v.object_key for v in asset.variants}


async def test_an_event_that_comes_again_changes_nothing(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = await hold_events(media, monkeypatch)
    asset_id = (await media.upload(user)).asset_id
    await media.harness.settle()
    monkeypatch.undo()
    await asyncio.gather(workers[0].process(asset_id), workers[0].process(asset_id))
    first = await media.asset(asset_id)
    before = await media.keys("variants")
    await workers[0].process(asset_id)
    assert await media.asset(asset_id) == first
    assert await media.keys("variants") == before
    assert len(await media.events_of(AssetProcessed, asset_id=asset_id)) == 1


async def test_a_crash_before_the_outcome_is_written_ends_in_the_same_objects(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        workers = await hold_events(media, crash)
        asset_id = (await media.upload(user)).asset_id
        await media.harness.settle()
    with monkeypatch.context() as crash:
        crash.setattr(MediaStore, "outcome_written", _raise(RuntimeError("power cut")))
        with pytest.raises(RuntimeError):
            await workers[0].process(asset_id)
    before = await media.keys("variants")
    await workers[0].process(asset_id)
    assert (await media.asset(asset_id)).state == READY
    assert await media.keys("variants") == before


async def test_the_sweep_takes_up_what_a_dead_process_left(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        workers = await hold_events(media, crash)
        asset_id = (await media.upload(user)).asset_id
        await media.harness.settle()
    clock = FakeClock(media.harness.process.clock.now_ms())
    taken: list[int] = []

    async def take(taken_id: int) -> None:
        taken.append(taken_id)
        await workers[0].process(taken_id)

    sweep = Sweep(await own_store(media), media.blobs, clock, take)
    await sweep.unfinished_assets()
    assert asset_id not in taken
    clock.advance(GRACE_MS)
    await sweep.unfinished_assets()
    assert asset_id in taken
    assert (await media.asset(asset_id)).state == READY
    taken.clear()
    await sweep.unfinished_assets()
    assert taken == []


async def test_the_sweep_removes_what_a_dead_upload_stored_and_nothing_else(media: Media, user: int) -> None:
    asset = await media.upload(user, request_id="kept")
    store, clock = await own_store(media), FakeClock(media.harness.process.clock.now_ms())
    ids = media.harness.process.ids
    dead = [Attempt(ids.next(), user, request, f"originals/dead-{user}-{request}-") for request in ("", "r1", "r2")]
    for attempt in dead:
        await store.begin(attempt)
        await media.blobs.put(attempt.object_key, PHOTO, "image/jpeg")
    await media.blobs.create_multipart(dead[0].object_key, "image/jpeg")
    before, _ = await media.leftovers()
    sweep = Sweep(store, media.blobs, clock, _raise(AssertionError("nothing to process")))
    await sweep.abandoned_objects()
    assert (await media.leftovers())[0] == before
    clock.advance((ABANDONED_BUCKETS + 1) * BUCKET_MS)
    await sweep.abandoned_objects()
    after, under_way = await media.leftovers()
    assert before - after == {attempt.object_key for attempt in dead}
    assert not under_way & {attempt.object_key for attempt in dead}
    assert (await processed(media, asset.asset_id)).state == READY


async def test_a_lost_original_fails_with_a_sentence(media: Media, user: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = asyncio.Event()
    process = Processing.process

    async def hold(worker: Processing, asset_id: int) -> None:
        await gone.wait()
        await process(worker, asset_id)

    monkeypatch.setattr(Processing, "process", hold)
    before = await media.keys("originals")
    asset_id = (await media.upload(user)).asset_id
    (original,) = await media.keys("originals") - before
    await media.blobs.delete(original)
    gone.set()
    asset = await processed(media, asset_id)
    assert (asset.state, asset.failure_reason) == (FAILED, "PROCESSING_FAILED")


async def test_a_watcher_sees_the_asset_at_once_and_its_end(media: Media, user: int) -> None:
    asset = await media.upload(user)
    seen = [answer.asset.state async for answer in media.watch(asset.asset_id) if answer.HasField("asset")]
    assert seen in ([PROCESSING, READY], [READY])


async def test_a_watcher_of_a_finished_asset_sees_it_and_no_more(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    assert [answer.asset.state async for answer in media.watch(asset_id)] == [READY]


async def test_a_watcher_hears_heartbeats_and_misses_no_end_that_nobody_told(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()
    render = ImageWorker.render

    async def held(worker: ImageWorker, source: Any) -> Any:
        await go_on.wait()
        return await render(worker, source)

    monkeypatch.setattr(ImageWorker, "render", held)
    monkeypatch.setattr("services.media.assets.Assets.changed", lambda *_: None)
    asset = await media.upload(user)
    answers = media.watch(asset.asset_id)
    assert (await anext(answers)).asset.state == PROCESSING
    assert not (await anext(answers)).HasField("asset")
    go_on.set()
    assert [a.asset.state async for a in answers if a.HasField("asset")] == [READY]


async def test_a_watcher_is_told_that_the_server_drains(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def held(worker: ImageWorker, source: Any) -> Any:
        await go_on.wait()
        return await render(worker, source)

    go_on, render, closing = asyncio.Event(), ImageWorker.render, media.harness.process.registry.closing
    monkeypatch.setattr(ImageWorker, "render", held)
    answers = media.watch((await media.upload(user)).asset_id)
    assert (await anext(answers)).asset.state == PROCESSING
    closing.set()
    try:
        last = [answer async for answer in answers][-1]
    finally:
        closing.clear()
        go_on.set()
    assert (last.HasField("asset"), last.end_reason) == (False, "DRAINING")


async def test_watching_what_is_not_there_is_refused(media: Media) -> None:
    with pytest.raises(Problem) as problem:
        await anext(media.watch(4711))
    assert problem.value.reason == "MEDIA_NOT_FOUND"


async def test_batch_get_keeps_the_order_and_leaves_out_what_is_not_there(media: Media, user: int) -> None:
    first, second = await media.ready(user), await media.ready(user)
    with media.harness.user(user):
        request = assets_pb2.BatchGetAssetsRequest(asset_ids=[second, 4711, first, second])
        answer = await media.harness.stub(AssetsServiceStub).BatchGetAssets(request)
    assert [asset.asset_id for asset in answer.assets] == [second, first, second]
