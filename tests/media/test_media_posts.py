"""Posts: made once of ready assets, changed version by version, ended by a tombstone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tintype.events.v1.media_pb2 import PostChanged
from tintype.type.v1 import content_pb2

from mesh.clock import FakeClock
from mesh.errors import Problem
from mesh.storage import TimedOut
from mesh.storage.sqlite.engine import SqliteStore
from services.media.schema import BUCKET_MS, POST_CLAIMS, REQUEST_IDS
from services.media.store import MediaStore
from stack.ports import free_port
from stack.redis import redis_server
from stack.s3 import S3Server
from tests.media.conftest import Media, serving, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
CAFE = content_pb2.Place(name="Café Central", latitude=48.2101, longitude=16.3651)


async def refused(media: Media, user: int, *asset_ids: int, **fields: Any) -> Problem:
    """The refusal of a post, which made none."""
    with pytest.raises(Problem) as problem:
        await media.create(user, *asset_ids, **fields)
    assert await media.events_of(PostChanged, author_id=user) == []
    return problem.value


async def versions(media: Media, post_id: int) -> list[int]:
    return [event.version for event in await media.events_of(PostChanged, post_id=post_id)]


async def test_a_post_shows_its_assets_in_order_and_everybody_may_see_it(media: Media, user: int) -> None:
    first, second = await media.ready(user), await media.ready(user)
    post = await media.create(user, second, first, caption="At the #Sea\r\n#海", place=CAFE)
    assert (post.author_id, post.version, post.audience) == (user, 1, content_pb2.AUDIENCE_EVERYONE)
    assert [asset.asset_id for asset in post.assets] == [second, first]
    assert post.caption == "At the #Sea\n#海"
    assert post.hashtags == ["sea", "海"]
    assert post.place.place_id
    assert await media.posts(post.post_id) == [post]


async def test_the_event_carries_all_that_others_index(media: Media, user: int) -> None:
    post = await media.create(user, await media.ready(user), caption="#sea", place=CAFE)
    (event,) = await media.events_of(PostChanged, author_id=user)
    assert (event.post_id, event.caption, event.hashtags, event.version) == (post.post_id, "#sea", ["sea"], 1)
    assert (event.place, event.audience, event.create_time_ms) == (post.place, post.audience, post.create_time_ms)


async def test_an_asset_may_be_in_several_posts(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    first, second = await media.create(user, asset_id), await media.create(user, asset_id)
    assert first.post_id != second.post_id


async def test_a_repeated_creation_is_one_post(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    posts = [await media.create(user, asset_id, request_id="r1", caption="one") for _ in range(2)]
    assert posts[0] == posts[1]
    assert await versions(media, posts[0].post_id) == [1]


async def test_two_devices_at_once_make_one_post(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    posts = await asyncio.gather(*(media.create(user, asset_id, request_id="r1") for _ in range(6)))
    assert len({post.post_id for post in posts}) == 1
    assert set(await versions(media, posts[0].post_id)) == {1}


async def test_another_post_under_the_same_request_id_is_refused(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    await media.create(user, asset_id, request_id="r1", caption="one")
    with pytest.raises(Problem) as problem:
        await media.create(user, asset_id, request_id="r1", caption="two")
    assert problem.value.reason == "REQUEST_ID_REUSED"


async def test_a_crash_between_claim_and_post_is_made_good_by_the_repeat(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset_id = await media.ready(user)
    with monkeypatch.context() as crash:
        crash.setattr(MediaStore, "post_written", _power_cut)
        with pytest.raises(Problem):
            await media.create(user, asset_id, request_id="r1")
    post = await media.create(user, asset_id, request_id="r1")
    assert await media.posts(post.post_id) == [post]
    assert await versions(media, post.post_id) == [1]


@pytest.mark.parametrize("table", [REQUEST_IDS, POST_CLAIMS])
async def test_a_lost_answer_of_a_claim_is_read_back(
    media: Media, user: int, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = SqliteStore.insert_if_absent

    async def lose_answer(self: SqliteStore, into: Any, row: Any) -> Any:
        outcome = await insert(self, into, row)
        if into is table:
            raise TimedOut("done, but reported as timed out")
        return outcome

    asset_id = await media.ready(user)
    monkeypatch.setattr(SqliteStore, "insert_if_absent", lose_answer)
    post = await media.create(user, asset_id, request_id="r1")
    changed = await media.update(user, post.post_id, caption="new")
    assert (changed.version, changed.caption) == (2, "new")
    assert await versions(media, post.post_id) == [1, 2]


async def test_assets_must_be_ready_and_ones_own(media: Media, user: int, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = await media.ready(user + 500_000)
    broken = (await media.upload(user, b"\xff\xd8\xff nothing more")).asset_id
    await media.harness.settle()
    assert (await refused(media, user, theirs)).reason == "MEDIA_NOT_FOUND"
    assert (await refused(media, user, 4711)).reason == "MEDIA_NOT_FOUND"
    assert (await refused(media, user, broken)).reason == "MEDIA_FAILED"


async def test_an_asset_that_is_processing_is_not_ready(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.media.processing.Processing.process", _nothing)
    asset = await media.upload(user)
    assert (await refused(media, user, asset.asset_id)).reason == "MEDIA_NOT_READY"


@pytest.mark.parametrize(
    ("asset_ids", "fields", "named"),
    [
        ((), {}, "asset_ids"),
        ((1, 1), {}, "asset_ids"),
        (tuple(range(1, 12)), {}, "asset_ids"),
        ((0,), {}, "asset_ids[0]"),
        ((1,), {"caption": "x" * 2201}, "caption"),
        ((1,), {"caption": "bell\a"}, "caption"),
        ((1,), {"caption": " ".join(f"#t{n}" for n in range(31))}, "caption"),
        ((1,), {"audience": 99}, "audience"),
        ((1,), {"request_id": "no spaces"}, "request_id"),
        ((1,), {"place": content_pb2.Place()}, "place.name"),
        ((1,), {"place": content_pb2.Place(name="x", latitude=1)}, "place"),
        ((1,), {"place": content_pb2.Place(name="x", latitude=91, longitude=0)}, "place.latitude"),
    ],
)
async def test_bad_input_is_refused_by_name(
    media: Media, user: int, asset_ids: tuple[int, ...], fields: dict[str, Any], named: str
) -> None:
    problem = await refused(media, user, *asset_ids, **fields)
    assert problem.reason == "INVALID_FIELD"
    assert problem.fields[0].field == named


async def test_the_longest_post_there_can_be_is_kept(media: Media, user: int) -> None:
    caption = " ".join("#" + "𠀀" * 69 + f"{n:02}" for n in range(30))
    post = await media.create(user, await media.ready(user), caption=caption.ljust(2200, "𠀀"))
    assert len(post.hashtags) == 30
    assert await versions(media, post.post_id) == [1]


async def test_an_update_changes_the_named_fields_alone(media: Media, user: int) -> None:
    post = await media.create(user, await media.ready(user), caption="#old", place=CAFE)
    assert await media.posts(post.post_id) == [post]
    changed = await media.update(
        user, post.post_id, "caption", "archived", caption="#new", archived=True, comments_disabled=True
    )
    assert (changed.caption, changed.hashtags, changed.archived, changed.version) == ("#new", ["new"], True, 2)
    assert not changed.comments_disabled
    assert changed.place == post.place
    assert await media.posts(post.post_id) == [changed]
    assert await versions(media, post.post_id) == [1, 2]


async def test_every_field_can_be_changed_and_changed_back(media: Media, user: int) -> None:
    post = await media.create(user, await media.ready(user))
    for n in range(1, 4):
        changed = await media.update(
            user,
            post.post_id,
            place=CAFE,
            audience=content_pb2.AUDIENCE_CLOSE_FRIENDS,
            comments_disabled=True,
            archived=True,
            caption=f"{n}",
        )
    assert changed.version == 4
    back = await media.update(user, post.post_id, "place", "audience", "comments_disabled", "archived", "caption")
    post.version = 5
    assert back == post


async def test_a_repeated_update_makes_no_version(media: Media, user: int) -> None:
    post = await media.create(user, await media.ready(user))
    first = await media.update(user, post.post_id, caption="new")
    assert await media.update(user, post.post_id, caption="new") == first
    assert await versions(media, post.post_id) == [1, 2]


async def test_changes_made_at_once_all_hold(media: Media, user: int) -> None:
    post = await media.create(user, await media.ready(user))
    changes: list[dict[str, Any]] = [{"caption": "new"}, {"archived": True}, {"comments_disabled": True}]
    await asyncio.gather(*(media.update(user, post.post_id, **change) for change in changes))
    (after,) = await media.posts(post.post_id)
    assert (after.caption, after.archived, after.comments_disabled, after.version) == ("new", True, True, 4)
    assert set(await versions(media, post.post_id)) == {1, 2, 3, 4}


async def test_a_crash_between_claim_and_version_is_made_good_by_the_next_writer(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await media.create(user, await media.ready(user))
    with monkeypatch.context() as crash:
        crash.setattr(MediaStore, "post_written", _power_cut)
        with pytest.raises(Problem):
            await media.update(user, post.post_id, caption="first")
    assert await media.posts(post.post_id) == [post]
    after = await media.update(user, post.post_id, archived=True)
    assert (after.caption, after.archived, after.version) == ("first", True, 3)
    assert await versions(media, post.post_id) == [1, 2, 3]


@pytest.mark.parametrize("path", ["author_id", "hashtags", "nonsense"])
async def test_other_paths_are_refused(media: Media, user: int, path: str) -> None:
    post = await media.create(user, await media.ready(user))
    with pytest.raises(Problem) as problem:
        await media.update(user, post.post_id, "caption", path, caption="new")
    assert problem.value.reason == "INVALID_FIELD_MASK"
    assert await media.posts(post.post_id) == [post]


async def test_only_its_author_may_change_a_post(media: Media, user: int) -> None:
    post = await media.create(user, await media.ready(user))
    for change in (
        media.update(user + 500_000, post.post_id, caption="mine"),
        media.delete(user + 500_000, post.post_id),
    ):
        with pytest.raises(Problem) as problem:
            await change
        assert problem.value.reason == "NOT_OWNER"
    assert await media.posts(post.post_id) == [post]


async def test_a_deleted_post_is_gone_and_stays_gone(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    post = await media.create(user, asset_id, request_id="r1", caption="#secret")
    assert await media.posts(post.post_id) == [post]
    await media.delete(user, post.post_id)
    await media.delete(user, post.post_id)
    assert await media.posts(post.post_id) == []
    *_, event = await media.events_of(PostChanged, post_id=post.post_id)
    assert (event.deleted, event.version, event.caption, event.hashtags) == (True, 2, "", [])
    for attempt in (
        media.update(user, post.post_id, caption="back"),
        media.create(user, asset_id, request_id="r1", caption="#secret"),
    ):
        with pytest.raises(Problem) as problem:
            await attempt
        assert problem.value.reason == "POST_NOT_FOUND"
    assert len(await versions(media, post.post_id)) == 2


async def test_a_post_that_never_was_is_not_found(media: Media, user: int) -> None:
    for change in (media.update(user, 4711, caption="x"), media.delete(user, 4711)):
        with pytest.raises(Problem) as problem:
            await change
        assert problem.value.reason == "POST_NOT_FOUND"


async def test_batch_get_keeps_the_order_and_leaves_out_what_is_not_there(media: Media, user: int) -> None:
    asset_id = await media.ready(user)
    first, second = await media.create(user, asset_id), await media.create(user, asset_id)
    for _ in range(2):
        found = await media.posts(second.post_id, 4711, first.post_id, second.post_id)
        assert [post.post_id for post in found] == [second.post_id, first.post_id, second.post_id]


async def test_posts_are_listed_in_id_order_over_years(tmp_path: Path, s3: S3Server) -> None:
    clock = FakeClock(1_767_225_000_000)  # half an hour before 2026
    redis = redis_server(tmp_path / "redis", free_port())
    await redis.process.start()
    async with serving(tmp_path / "state", redis, s3, clock=clock) as media:
        asset_id = await media.ready(7)
        made = []
        for _ in range(7):
            made.append((await media.create(7, asset_id)).post_id)
            clock.advance(BUCKET_MS - 60_000)
        await media.delete(7, made[3])
        listed: list[int] = []
        page = await media.listed(page_size=2)
        while page.next_after_post_id:
            assert len(page.posts) <= 2
            listed += [post.post_id for post in page.posts]
            page = await media.listed(page_size=2, after=page.next_after_post_id)
        listed += [post.post_id for post in page.posts]
        assert listed == [post_id for post_id in made if post_id != made[3]]
    await redis.process.stop()


async def test_another_process_sees_a_change(tmp_path: Path, s3: S3Server) -> None:
    redis = redis_server(tmp_path / "redis", free_port())
    await redis.process.start()
    async with (
        serving(tmp_path / "state", redis, s3, node="1") as one,
        serving(tmp_path / "state", redis, s3, node="2", media__image_processes="1") as other,
    ):
        post = await one.create(7, await one.ready(7))
        assert await other.posts(post.post_id) == [post]
        changed = await one.update(7, post.post_id, caption="new")
        assert await one.posts(post.post_id) == [changed]

        async def seen() -> bool:
            return await other.posts(post.post_id) == [changed]

        await until(seen)
    await redis.process.stop()


async def test_posts_are_read_and_changed_while_redis_is_away(tmp_path: Path, s3: S3Server) -> None:
    redis = redis_server(tmp_path / "redis", free_port())
    await redis.process.start()
    async with serving(tmp_path / "state", redis, s3) as media:
        post = await media.create(7, await media.ready(7))
        await redis.process.stop()
        changed = await media.update(7, post.post_id, caption="new")
        assert await media.posts(post.post_id) == [changed]
        again = await media.create(7, changed.assets[0].asset_id, request_id="r1")
        assert len(await media.posts(post.post_id, again.post_id)) == 2


def _power_cut(*_: Any) -> None:
    raise RuntimeError("power cut")


async def _nothing(*_: Any) -> None:
    pass
