"""Muting and close friends through the REST door: who sees what, and who learns of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mesh.mesh_client import Person, Rest, eventually, image_url


async def feed_of(rest: Rest, reader: Person) -> list[str]:
    answer = await rest.ok("GET", "/v1/feed", reader)
    return [item["post"]["postId"] for item in answer["items"]]


async def in_feed(rest: Rest, reader: Person, post: Any) -> bool:
    return post["postId"] in await feed_of(rest, reader)


async def test_who_is_muted_stays_out_of_the_feed_and_can_still_be_looked_at(rest: Rest) -> None:
    author, reader = await rest.register("ana"), await rest.register("ben")
    await rest.follow(reader, author)
    post = await rest.publish(author)
    await eventually(lambda: in_feed(rest, reader, post))
    muted = await rest.ok("PUT", f"/v1/me/mutes/{author.at}", reader)
    assert muted["viewer"]["muting"] is True
    assert muted["viewer"]["following"] == "FOLLOWING"
    assert not await in_feed(rest, reader, post), "one's own doing holds at once"
    assert (await rest.ok("GET", f"/v1/posts/{post['postId']}", reader))["post"]["postId"] == post["postId"]
    unmuted = await rest.ok("DELETE", f"/v1/me/mutes/{author.at}", reader)
    assert unmuted["viewer"]["muting"] is False
    assert await in_feed(rest, reader, post)


async def test_a_post_for_close_friends_is_there_for_them_alone_and_only_while_they_are(rest: Rest) -> None:
    author, friend, follower = [await rest.register(name) for name in ("ana", "ben", "eve")]
    for reader in (friend, follower):
        await rest.follow(reader, author)
    added = await rest.ok("PUT", f"/v1/me/close-friends/{friend.at}", author)
    assert added["viewer"]["closeFriend"] is True
    post = await rest.publish(author, audience="CLOSE_FRIENDS")
    await eventually(lambda: in_feed(rest, friend, post))
    path = f"/v1/posts/{post['postId']}"
    url = image_url((await rest.ok("GET", path, friend))["post"])
    assert (await rest.ask("GET", url)).status_code == 200
    assert await rest.refused("GET", path, follower) == (404, "POST_NOT_FOUND")
    assert not await in_feed(rest, follower, post)

    assert (await rest.ok("DELETE", f"/v1/me/close-friends/{friend.at}", author))["viewer"]["closeFriend"] is False

    async def gone() -> bool:
        refused = (await rest.ask("GET", path, friend)).status_code == 404
        return refused and (await rest.ask("GET", url)).status_code == 404 and not await in_feed(rest, friend, post)

    await eventually(gone)


@pytest.mark.parametrize("circle", ["mutes", "close-friends"])
async def test_a_circle_is_its_owners_list_and_nobody_elses_business(rest: Rest, circle: str) -> None:
    owner, *people = [await rest.register(name) for name in ("ana", "ben", "eve", "joe")]
    for person in people:
        for _ in range(2):  # repeated, it changes nothing
            await rest.ok("PUT", f"/v1/me/{circle}/{person.at}", owner)
    await rest.ok("DELETE", f"/v1/me/{circle}/{people[1].at}", owner)
    first = await rest.ok("GET", f"/v1/me/{circle}?pageSize=1", owner)
    rest_of_it = await rest.ok("GET", f"/v1/me/{circle}?pageToken={first['nextPageToken']}", owner)
    listed = [user["userId"] for page in (first, rest_of_it) for user in page["users"]]
    assert listed == [people[2].user_id, people[0].user_id], "newest first"
    seen = (await rest.ok("GET", f"/v1/users/{owner.at}", people[0]))["user"]["viewer"]
    assert seen == {
        "following": "NONE",
        "followedBy": False,
        "blocking": False,
        "muting": False,
        "closeFriend": False,
    }
    assert (await rest.ok("GET", f"/v1/me/{circle}", people[0]))["users"] == []


@pytest.mark.parametrize("circle", ["mutes", "close-friends"])
async def test_a_circle_takes_neither_oneself_nor_nobody(rest: Rest, circle: str) -> None:
    owner = await rest.register("ana")
    assert await rest.refused("PUT", f"/v1/me/{circle}/{owner.at}", owner) == (400, "SELF_NOT_ALLOWED")
    assert await rest.refused("PUT", f"/v1/me/{circle}/@nobody.of.that.name", owner) == (404, "USER_NOT_FOUND")
    assert await rest.refused("PUT", f"/v1/me/{circle}/{owner.at}") == (401, "TOKEN_MISSING")
