"""No like and no comment is lost, counted twice or left untold, whatever fails at any write, with Redis or without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from tintype.events.v1.engagement_pb2 import CommentChanged, LikeChanged

from mesh.app import process
from mesh.clock import FakeClock
from mesh.errors import Problem
from mesh.events import Event
from mesh.storage import Store, open_store
from mesh.testing.chaos import Fault, Scenario, Stage, StagedStore
from mesh.testing.harness import Harness, running
from services.engagement.module import MODULE
from stack.redis import RedisServer
from tests.engagement.engagement_client import BEN, EVE, Client
from tests.neighbours.served_posts import media_module


class World:
    """The service, the post of each scenario, and what was told of it."""

    def __init__(self, mesh: Harness, stage: Stage, clock: FakeClock) -> None:
        self.mesh, self.stage, self._clock = mesh, stage, clock
        self._told: dict[tuple[int, ...], set[tuple[int, int]]] = {}
        mesh.process.events.tail("engagement", {LikeChanged: self._like, CommentChanged: self._comment})

    async def _like(self, event: Event) -> None:
        key = (event.message.post_id, event.message.user_id)
        self._told.setdefault(key, set()).add((event.message.version, event.id))

    async def _comment(self, event: Event) -> None:
        key = (event.message.post_id, event.message.comment_id, 0)
        self._told.setdefault(key, set()).add((event.message.version, event.id))

    async def sweep(self, ms: int) -> None:
        """Another process sweeps what a dead one left."""
        self._clock.advance(ms)
        await self.mesh.process.events.sweep()
        await self.mesh.settle()

    async def agree(self, client: Client, because: str) -> list[int]:
        """The count, the list, and what each person sees of themselves are one truth, each version of which was
        told: who likes the post."""
        likers = await client.likers()
        seen = {person: (await client.counts(person))[0] for person in (BEN, EVE)}
        assert sorted(likers) == [person for person, counts in seen.items() if counts.liked], because
        assert {counts.like_count for counts in seen.values()} == {len(likers)}, because
        for person in (BEN, EVE):
            # A like's odd versions are likes.
            versions = self.versions(client.post, person, because)
            assert len(versions) % 2 == (person in likers), because
        return sorted(likers)

    def versions(self, *key_and_because: int | str) -> list[int]:
        """The versions told, each by one event, in one run from 1."""
        *key, because = key_and_because
        told = sorted(version for version, _ in self._told.get(tuple(key), set()))  # type: ignore[arg-type]
        assert told == list(range(1, len(told) + 1)), because
        return told


class EngagementCrashes:
    """Promises of services/engagement: a like and a comment. A subclass says where the tables are."""

    @pytest.fixture
    async def world(
        self,
        storage_url: str,
        service: str,
        stage: Stage,
        clock: FakeClock,
        own_redis: RedisServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> AsyncIterator[World]:
        async def staged(url: str, name: str, clock: FakeClock) -> Store:
            return StagedStore(await open_store(storage_url, f"{service}_{name}", clock), stage)

        monkeypatch.setattr(process, "open_store", staged)
        modules, flags = [media_module({}), MODULE], {"events.shards": "1"}
        async with running(modules, tmp_path, redis_url=own_redis.url, clock=clock, flags=flags) as mesh:
            yield World(mesh, stage, clock)

    async def test_a_like(self, world: World) -> None:
        for post, scenario in enumerate(world.stage.scenarios(), 1_000):
            client = Client(world.mesh, post)
            await client.like(EVE)
            await scenario.play(lambda client=client: client.like(BEN), world.sweep)
            likers = await world.agree(client, str(scenario))
            assert likers in ([[BEN, EVE]] if scenario.repeated else [[EVE], [BEN, EVE]]), str(scenario)

    async def test_a_reply(self, world: World) -> None:
        for post, scenario in enumerate(world.stage.scenarios(), 5_000):
            client = Client(world.mesh, post)
            parent = await client.say(EVE, "parent")
            await scenario.play(lambda c=client, p=parent: _reply(c, p.comment_id), world.sweep)
            await self._one_reply_at_most(client, world, scenario, parent.comment_id)

    async def _one_reply_at_most(self, client: Client, world: World, scenario: Scenario, parent: int) -> None:
        replies = await client.replies(parent)
        assert len(replies) in ([1] if scenario.repeated else [0, 1]), str(scenario)
        assert (await client.comments())[0].reply_count == len(replies), str(scenario)
        assert (await client.counts())[0].comment_count == 1 + len(replies), str(scenario)
        for reply in replies:
            assert world.versions(client.post, reply.comment_id, 0, str(scenario)) == [1], str(scenario)


class MoreEngagementCrashes(EngagementCrashes):
    """What goes the same way, or comes after."""

    async def test_an_unlike(self, world: World) -> None:
        for post, scenario in enumerate(world.stage.scenarios(), 2_000):
            client = Client(world.mesh, post)
            await client.like(EVE)
            await client.like(BEN)
            await scenario.play(lambda client=client: client.unlike(BEN), world.sweep)
            likers = await world.agree(client, str(scenario))
            assert likers in ([[EVE]] if scenario.repeated else [[EVE], [BEN, EVE]]), str(scenario)

    async def test_a_like_taken_back_before_anybody_sweeps(self, world: World) -> None:
        async def act(client: Client) -> None:
            await client.like(BEN)
            assert (await client.unlike(BEN)).like_count == 0
            assert (await client.like(BEN)).like_count == 1

        for post, scenario in enumerate(world.stage.scenarios(Fault.DIES_AFTER, Fault.LATE), 3_000):
            client = Client(world.mesh, post)
            await scenario.play(lambda client=client: act(client), world.sweep)
            likers = await world.agree(client, str(scenario))
            assert likers == [BEN] or not scenario.repeated, str(scenario)

    async def test_a_like_when_redis_is_wiped_too(self, world: World) -> None:
        for write in count():
            client = Client(world.mesh, 4_000 + write)
            with world.stage.striking(Fault.DIES_AFTER, write), suppress(Problem):
                await client.like(BEN)
            await world.mesh.process.cache.execute("FLUSHALL")
            await world.sweep(61_000)
            assert await world.agree(client, f"write {write}") in ([], [BEN])
            if not world.stage.struck:
                break

    async def test_an_edit(self, world: World) -> None:
        for post, scenario in enumerate(world.stage.scenarios(), 6_000):
            client = Client(world.mesh, post)
            comment = (await client.say(EVE, "before")).comment_id
            await scenario.play(lambda c=client, id=comment: c.edit(EVE, id, "after"), world.sweep)
            text = (await client.comments())[0].text
            assert text == "after" or not scenario.repeated, str(scenario)
            expected = [1, 2] if text == "after" else [1]
            assert world.versions(post, comment, 0, str(scenario)) == expected, str(scenario)

    async def test_a_deletion_takes_its_replies_along(self, world: World) -> None:
        for post, scenario in enumerate(world.stage.scenarios(), 7_000):
            client = Client(world.mesh, post)
            parent = await client.say(EVE, "parent")
            await _reply(client, parent.comment_id)
            await world.sweep(0)
            await scenario.play(lambda c=client, p=parent: c.delete(EVE, p.comment_id), world.sweep)
            left = len(await client.comments()) + len(await client.replies(parent.comment_id))
            assert left in ([0] if scenario.repeated else [0, 2]), str(scenario)
            assert (await client.counts())[0].comment_count == left, str(scenario)
            versions = world.versions(post, parent.comment_id, 0, str(scenario))
            assert len(versions) == (1 if left else 2), str(scenario)


async def _reply(client: Client, parent: int) -> None:
    request_id = f"00000000-0000-4000-8000-{client.post:012d}"
    await client.say(BEN, "reply", parent=parent, request_id=request_id)
