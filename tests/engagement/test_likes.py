"""A like is one like, however often, from however many devices and in whatever order it is said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tintype.events.v1.engagement_pb2 import LikeChanged

from mesh.errors import Problem
from mesh.events import NewEvent
from mesh.testing.harness import running
from stack.redis import RedisServer
from tests.engagement.engagement_client import ANA, BEN, EVE, Client


async def test_a_like_is_counted_once_and_the_answer_includes_it(client: Client) -> None:
    first = await client.like(BEN)
    again = await client.like(BEN)
    assert (first.like_count, first.liked) == (1, True)
    assert (again.like_count, again.liked) == (1, True)
    assert (await client.like(EVE)).like_count == 2


async def test_an_unlike_takes_exactly_ones_own_like_away(client: Client) -> None:
    await client.like(BEN)
    await client.like(EVE)
    gone = await client.unlike(BEN)
    again = await client.unlike(BEN)
    assert (gone.like_count, gone.liked) == (1, False)
    assert (again.like_count, again.liked) == (1, False)
    assert await client.likers() == [EVE]


async def test_unliking_what_was_never_liked_changes_nothing(client: Client) -> None:
    counts = await client.unlike(BEN)
    assert (counts.like_count, counts.liked) == (0, False)


async def test_two_devices_of_one_person_make_one_like(client: Client) -> None:
    await asyncio.gather(*(client.like(BEN) for _ in range(12)))
    assert (await client.counts(BEN))[0].like_count == 1
    assert await client.likers() == [BEN]


async def test_devices_that_toggle_at_once_leave_counts_and_list_agreeing_with_the_state(client: Client) -> None:
    await asyncio.gather(
        *(client.like(BEN) if turn % 2 else client.unlike(BEN) for turn in range(16)), return_exceptions=True
    )
    await client.mesh.settle()
    counts = (await client.counts(BEN))[0]
    assert counts.like_count == int(counts.liked)
    assert await client.likers() == ([BEN] if counts.liked else [])


async def test_likes_of_many_at_once_are_all_counted(client: Client) -> None:
    people = range(1000, 1200)
    answers = await asyncio.gather(*(client.like(person) for person in people))
    assert max(answer.like_count for answer in answers) == 200
    assert all(answer.liked and answer.like_count >= 1 for answer in answers)
    await client.mesh.settle()
    assert (await client.counts())[0].like_count == 200
    assert sorted(await client.likers()) == list(people)


async def test_likes_of_one_post_in_two_processes_are_all_counted(
    client: Client, modules: list[Any], own_redis: RedisServer, tmp_path: Path
) -> None:
    flags = {"engagement.bucket_rows": "4", "node": "1"}
    async with running(modules, tmp_path, redis_url=own_redis.url, flags=flags) as mesh:
        elsewhere = Client(mesh, client.post)
        people = range(1000, 1080)
        await asyncio.gather(*((client if person % 2 else elsewhere).like(person) for person in people))
        await asyncio.gather(*((elsewhere if person % 2 else client).unlike(person) for person in people[:20]))
        await client.mesh.settle()
        assert (await client.counts())[0].like_count == (await elsewhere.counts())[0].like_count == 60
        assert sorted(await elsewhere.likers()) == list(people[20:])


async def test_likers_are_listed_newest_first_across_partitions_and_pages(client: Client) -> None:
    people = list(range(1000, 1023))
    for person in people:
        await client.like(person)
    for page_size in (1, 5, 50):
        assert await client.likers(page_size) == people[::-1]


async def test_who_likes_again_stands_first_and_once(client: Client) -> None:
    for person in (BEN, EVE, ANA):
        await client.like(person)
    await client.unlike(BEN)
    await client.like(BEN)
    assert await client.likers() == [BEN, ANA, EVE]


async def test_events_that_come_again_or_late_change_nothing(client: Client) -> None:
    for person in (BEN, EVE, ANA):
        await client.like(person)
    await client.unlike(EVE)
    await client.mesh.settle()
    outbox = client.mesh.process.events._outboxes["engagement"]
    for person, liked, version in ((BEN, True, 1), (EVE, True, 1), (EVE, False, 2), (ANA, False, 0), (99, True, 1)):
        again = LikeChanged(post_id=client.post, user_id=person, liked=liked, version=version)
        await outbox.commit([], [NewEvent(again, client.post)])
    await client.mesh.settle()
    assert (await client.counts())[0].like_count == 2
    assert await client.likers() == [ANA, BEN]


async def test_a_post_id_that_is_none_is_refused(client: Client) -> None:
    with pytest.raises(Problem) as refusal:
        await client.like(BEN, post=-1)
    assert refusal.value.reason == "INVALID_FIELD"


async def test_counts_come_in_the_order_asked_with_the_callers_own_likes(client: Client) -> None:
    posts = [client.post + step for step in (0, 1_000_000, 2_000_000)]
    await client.like(BEN, posts[1])
    await client.like(EVE, posts[1])
    await client.like(EVE, posts[2])
    for _ in range(2):  # from the tables, then from the cache
        found = await client.counts(BEN, *posts[::-1], posts[1])
        assert [(c.post_id, c.like_count, c.liked) for c in found] == [
            (posts[2], 1, False),
            (posts[1], 2, True),
            (posts[0], 0, False),
            (posts[1], 2, True),
        ]
    assert [c.liked for c in await client.counts(0, *posts)] == [False] * 3
