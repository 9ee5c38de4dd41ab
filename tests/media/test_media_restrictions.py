"""What an operator puts on a post stands beside its content: told to all who index it, undone exactly."""

from __future__ import annotations

import asyncio

import pytest
from tintype.events.v1.media_pb2 import PostChanged
from tintype.media.v1 import posts_pb2
from tintype.type.v1 import content_pb2

from mesh.errors import Problem
from services.media.store import MediaStore
from tests.media.conftest import Media

pytestmark = pytest.mark.asyncio(loop_scope="module")
REMOVED = [content_pb2.RESTRICTION_REMOVED]


def content(post: posts_pb2.Post) -> posts_pb2.Post:
    """All but the version."""
    copy = posts_pb2.Post()
    copy.CopyFrom(post)
    copy.version = 0
    return copy


async def told(media: Media, post_id: int) -> list[tuple[int, list[int]]]:
    """Versions and restrictions as subscribers heard them."""
    heard = await media.events_of(PostChanged, post_id=post_id)
    return [(event.version, list(event.restrictions)) for event in heard]


async def test_a_removal_is_told_and_its_undoing_restores_the_post_as_it_was(media: Media, user: int) -> None:
    place = content_pb2.Place(name="Pier", latitude=1.5, longitude=2.5)
    made = await media.create(user, await media.ready(user), caption="#sea", place=place, comments_disabled=True)
    for _ in range(2):
        removed = await media.restrict(made.post_id, True)
        assert await media.posts(made.post_id) == [removed]
    assert (list(removed.restrictions), removed.caption) == (REMOVED, "#sea")
    for _ in range(2):
        restored = await media.restrict(made.post_id, False)
        assert await media.posts(made.post_id) == [restored]
    assert content(restored) == content(made)
    assert await told(media, made.post_id) == [(1, []), (2, REMOVED), (3, [])]


async def test_what_its_author_changes_meanwhile_stays_removed(media: Media, user: int) -> None:
    made = await media.create(user, await media.ready(user), caption="one")
    changes = [media.update(user, made.post_id, caption="two"), media.update(user, made.post_id, archived=True)]
    await asyncio.gather(media.restrict(made.post_id, True), *changes)
    after = await media.update(user, made.post_id, comments_disabled=True)
    assert (after.caption, after.archived, list(after.restrictions)) == ("two", True, REMOVED)
    assert (await told(media, made.post_id))[-1] == (after.version, REMOVED)
    restored = await media.restrict(made.post_id, False)
    assert (restored.caption, restored.archived, list(restored.restrictions)) == ("two", True, [])


async def test_a_removed_post_is_listed_as_such_for_whoever_rebuilds_an_index(media: Media, user: int) -> None:
    made = await media.create(user, await media.ready(user))
    await media.restrict(made.post_id, True)
    (listed,) = (await media.listed(1, made.post_id - 1)).posts
    assert list(listed.restrictions) == REMOVED


async def test_a_crash_halfway_is_made_good_by_the_repeat(
    media: Media, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await media.create(user, await media.ready(user))
    with monkeypatch.context() as patch:
        patch.setattr(MediaStore, "post_written", dies)
        with pytest.raises(Problem):
            await media.restrict(made.post_id, True)
    assert list((await media.restrict(made.post_id, True)).restrictions) == REMOVED
    assert await told(media, made.post_id) == [(1, []), (2, REMOVED)]


def dies(*_: object) -> None:
    raise RuntimeError("the process died")


async def test_the_author_may_still_delete_it_and_then_there_is_nothing_to_restore(media: Media, user: int) -> None:
    made = await media.create(user, await media.ready(user))
    await media.restrict(made.post_id, True)
    await media.delete(user, made.post_id)
    for post_id in (made.post_id, 1):
        with pytest.raises(Problem) as problem:
            await media.restrict(post_id, False)
        assert problem.value.reason == "POST_NOT_FOUND"
