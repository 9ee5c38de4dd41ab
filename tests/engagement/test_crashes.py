"""No like and no comment is lost or counted twice when a process dies: at any write, with Redis or without."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from engagement_client import BEN, EVE, Client
from served_posts import media_module

from mesh.clock import FakeClock
from mesh.errors import Problem
from mesh.events.outbox import ServiceOutbox
from mesh.storage import Unavailable
from mesh.storage.sqlite.engine import SqliteStore
from mesh.testing.harness import Harness, running
from services.engagement.module import MODULE
from stack.redis import RedisServer

NOW_MS = 1_770_000_000_000
WRITES = 12
"""More writes than any one call makes."""
_VERBS = ("put", "delete", "write", "insert_if_absent", "update_if")


@pytest.fixture
async def mesh(own_redis: RedisServer, tmp_path: Path) -> AsyncIterator[Harness]:
    async with running([media_module({}), MODULE], tmp_path, redis_url=own_redis.url, clock=FakeClock(NOW_MS)) as mesh:
        yield mesh


@contextmanager
def dying_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process does so many more writes and then nothing any more: no write, no publication."""
    left = writes

    def mortal(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left <= 0:
                raise Unavailable("the process is dead")
            left -= 1
            return await method(self, *args, **kwargs)

        return call

    confirm = ServiceOutbox.confirm

    async def mortal_confirm(self: ServiceOutbox, event: Any) -> None:
        if left <= 0:
            raise Unavailable("the process is dead")
        await confirm(self, event)

    with monkeypatch.context() as patch:
        for verb in _VERBS:
            patch.setattr(SqliteStore, verb, mortal(getattr(SqliteStore, verb)))
        patch.setattr(ServiceOutbox, "confirm", mortal_confirm)
        yield


async def recover(mesh: Harness) -> None:
    """Another process sweeps what the dead one left."""
    assert isinstance(mesh.process.clock, FakeClock)
    mesh.process.clock.advance(61_000)
    await mesh.process.events.sweep()
    await mesh.settle()


@pytest.mark.parametrize("retried", [False, True])
@pytest.mark.parametrize("wiped", [False, True])
async def test_a_like_survives_death_at_every_write(
    mesh: Harness, monkeypatch: pytest.MonkeyPatch, wiped: bool, retried: bool
) -> None:
    for writes in range(WRITES):
        client = Client(mesh, 1_000 + writes)
        await client.like(EVE)
        await mesh.settle()
        with dying_after(writes, monkeypatch):
            try:
                await client.like(BEN)
            except Problem:
                pass
        if wiped:
            await mesh.process.cache.execute("FLUSHALL")
        if retried:
            await client.like(BEN)
        await recover(mesh)
        await agrees(client, expected=[BEN, EVE] if retried else None)


@pytest.mark.parametrize("retried", [False, True])
async def test_an_unlike_survives_death_at_every_write(
    mesh: Harness, monkeypatch: pytest.MonkeyPatch, retried: bool
) -> None:
    for writes in range(WRITES):
        client = Client(mesh, 2_000 + writes)
        await client.like(EVE)
        await client.like(BEN)
        await mesh.settle()
        with dying_after(writes, monkeypatch):
            try:
                await client.unlike(BEN)
            except Problem:
                pass
        if retried:
            await client.unlike(BEN)
        await recover(mesh)
        await agrees(client, expected=[EVE] if retried else None)


async def test_a_like_whose_process_died_can_be_taken_back_before_anybody_sweeps(
    mesh: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for writes in range(WRITES):
        client = Client(mesh, 3_000 + writes)
        with dying_after(writes, monkeypatch):
            try:
                await client.like(BEN)
            except Problem:
                pass
        assert (await client.unlike(BEN)).like_count == 0
        assert (await client.like(BEN)).like_count == 1
        await recover(mesh)
        await agrees(client, expected=[BEN])


async def agrees(client: Client, expected: list[int] | None) -> None:
    """The count, the list, and what each person sees of themselves are one truth."""
    likers = await client.likers()
    counts = {person: (await client.counts(person))[0] for person in (BEN, EVE)}
    assert sorted(likers) == [person for person, seen in counts.items() if seen.liked]
    assert {seen.like_count for seen in counts.values()} == {len(likers)}
    if expected is not None:
        assert sorted(likers) == sorted(expected)


@pytest.mark.parametrize("retried", [False, True])
async def test_a_comment_survives_death_at_every_write(
    mesh: Harness, monkeypatch: pytest.MonkeyPatch, retried: bool
) -> None:
    for writes in range(WRITES + 6):
        client = Client(mesh, 4_000 + writes)
        parent = await client.say(EVE, "parent")
        await mesh.settle()
        request_id = f"00000000-0000-4000-8000-{writes:012d}"
        with dying_after(writes, monkeypatch):
            try:
                await client.say(BEN, "reply", parent=parent.comment_id, request_id=request_id)
            except Problem:
                pass
        if retried:
            await client.say(BEN, "reply", parent=parent.comment_id, request_id=request_id)
        await recover(mesh)
        replies = [reply.text for reply in await client.replies(parent.comment_id)]
        assert replies in ([["reply"]] if retried else [[], ["reply"]])
        assert (await client.comments())[0].reply_count == len(replies)
        assert (await client.counts())[0].comment_count == 1 + len(replies)


async def test_a_deletion_with_its_replies_survives_death_at_every_write(
    mesh: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for writes in range(WRITES):
        client = Client(mesh, 5_000 + writes)
        parent = await client.say(EVE, "parent")
        await client.say(BEN, "reply", parent=parent.comment_id)
        await mesh.settle()
        with dying_after(writes, monkeypatch):
            try:
                await client.delete(EVE, parent.comment_id)
            except Problem:
                pass
        await recover(mesh)
        left = len(await client.comments()) + len(await client.replies(parent.comment_id))
        assert left in (0, 2)
        assert (await client.counts())[0].comment_count == left


async def test_counts_stay_exact_when_redis_loses_everything(mesh: Harness) -> None:
    client = Client(mesh, 6_000)
    for person in range(100, 120):
        await client.like(person)
        if person % 5 == 0:
            await mesh.process.cache.execute("FLUSHALL")
    for person in range(100, 110):
        await client.unlike(person)
    await recover(mesh)
    assert (await client.counts())[0].like_count == 10
    assert sorted(await client.likers()) == list(range(110, 120))


async def test_likes_and_counts_go_on_while_redis_is_dead(mesh: Harness, own_redis: RedisServer) -> None:
    client = Client(mesh, 7_000)
    await client.like(EVE)
    assert (await client.counts(EVE))[0].like_count == 1
    await own_redis.process.stop()
    assert (await client.like(BEN)).like_count == 2
    seen = (await client.counts(BEN))[0]
    assert (seen.like_count, seen.liked) == (2, True)
    await own_redis.process.start()
    await recover(mesh)
    assert sorted(await client.likers()) == [BEN, EVE]
    assert (await client.counts())[0].like_count == 2
