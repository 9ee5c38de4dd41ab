"""What a crash leaves half done, the sweep or the next call finishes: lists, counts and events end exact."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tintype.events.v1.graph_pb2 import RelationChanged

from mesh.clock import FakeClock
from mesh.config import EventsSection
from mesh.errors import Problem
from mesh.events import Event
from mesh.events.events import OUTBOX_TABLES, Events
from mesh.ids import IdGenerator
from mesh.storage import StorageError, open_store
from mesh.testing.chaos import ChaosStore, Crash
from services.graph import schema
from services.graph.changes import Changes
from services.graph.counts import Counts
from services.graph.events import relation_changed
from services.graph.relations import Relations
from services.graph.service import Graph, Limits, Person
from services.graph.store import KINDS, GraphStore
from stack.redis import RedisServer

PRIVATE = 3
EVERYBODY = range(1, 5)
PAIRS = [(one, other) for one in EVERYBODY for other in EVERYBODY if one != other]


class World:
    """Three processes of the graph over one store and one bus."""

    def __init__(self, store: Any, outbox_store: Any, events: Events, clock: FakeClock) -> None:
        self.tables = store
        self.clock = clock
        self.events = events
        self.store = GraphStore(store, shards=3)
        outbox = events.outbox("graph", outbox_store, {RelationChanged: self._holds})
        self.published: list[Event] = []
        events.tail("graph", {RelationChanged: self._note})
        self.changes, self.graphs = [], []
        for _ in range(3):
            relations = Relations(self.store, clock, ttl_ms=0, remembered=1000)
            changes = Changes(self.store, Counts(self.store), relations, outbox, relation_changed)
            self.changes.append(changes)
            self.graphs.append(Graph(self.store, changes, relations, _person, Limits(following=100, listed=100)))

    async def _holds(self, event: Event) -> bool:
        return await self.changes[0].settle(event.message.user_id, event.message.target_id, event.id)

    async def _note(self, event: Event) -> None:
        self.published.append(event)

    async def recover(self) -> None:
        """As after a restart: the intents left behind are settled."""
        self.tables.chance = 0.0
        self.clock.advance(30_000)
        await self.events.sweep()
        await self.events.settle()

    async def check(self) -> None:
        """Everything derived says what the edges say, and every change was announced once or more."""
        edges = {pair: await self.store.edge(*pair) for pair in PAIRS}
        for (one, other), edge in edges.items():
            back = edges[other, one].state
            (relation,) = await self.store.relations(one, [other])
            own = (relation.following, relation.requested, relation.blocking, relation.close_friend)
            assert own == (edge.state.following, edge.state.requested, edge.state.blocking, edge.state.close_friend)
            assert (relation.followed_by, relation.blocked_by) == (back.following, back.blocking)
            friendly = edge.state.following or edge.state.requested or edge.state.close_friend
            assert not (friendly and (edge.state.blocking or back.blocking))
            told = {
                (e.id, e.message.version)
                for e in self.published
                if (e.message.user_id, e.message.target_id) == (one, other)
            }
            assert sorted(version for _, version in told) == list(range(1, edge.version + 1))
        for who in EVERYBODY:
            await self._check_lists(who, edges)

    async def _check_lists(self, who: int, edges: Any) -> None:
        following = {other for (one, other), edge in edges.items() if one == who and edge.state.following}
        followers = {one for (one, other), edge in edges.items() if other == who and edge.state.following}
        asking = {one for (one, other), edge in edges.items() if other == who and edge.state.requested}
        graph = self.graphs[0]
        (counts,) = await graph.counts([who])
        assert (counts.followers, counts.following) == (len(followers), len(following))
        assert sorted((await graph.list_own(who, "following", 50, b"")).user_ids) == sorted(following)
        assert sorted((await graph.list_towards(who, "following", 50, b"")).user_ids) == sorted(followers)
        assert sorted((await graph.list_towards(who, "requested", 50, b"")).user_ids) == sorted(asking)
        scanned = [each for shard in range(3) for each in await graph.scan_followers(who, shard, 0, 100)]
        assert sorted(scanned) == sorted(followers)


async def _person(user_id: int) -> Person | None:
    return Person(user_id, private=user_id == PRIVATE, hidden=False)


@pytest.fixture
async def world(own_redis: RedisServer, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    clock = FakeClock(1_800_000_000_000)
    store = await open_store("sqlite::memory:", "graph", clock)
    await store.create([*schema.TABLES, *OUTBOX_TABLES])
    events = Events(own_redis.url, clock, IdGenerator(clock), EventsSection(shards=1))
    world = World(ChaosStore(store, getattr(request, "param", 0)), store, events, clock)
    await events.start()
    yield world
    await events.stop()
    await store.close()


async def _storm(world: World, seed: int, calls: int) -> None:
    """Random calls of random people at random processes, many at once."""
    chosen = random.Random(seed)

    async def one_client() -> None:
        for _ in range(calls):
            graph = chosen.choice(world.graphs)
            one, other = chosen.sample(EVERYBODY, 2)
            deeds = [graph.follow] * 3 + [
                graph.unfollow,
                graph.remove_follower,
                graph.block,
                graph.unblock,
                graph.unblock,
            ]
            try:
                if chosen.random() < 0.8:
                    await chosen.choice(deeds)(one, other)
                else:
                    await chosen.choice([graph.answer, graph.set_close_friend])(one, other, True)
            except (Crash, StorageError, Problem):
                continue

    await asyncio.gather(*(one_client() for _ in range(6)))


@pytest.mark.parametrize("world", [1, 2, 3], indirect=True)
async def test_concurrent_changes_end_exact(world):
    await _storm(world, seed=1, calls=25)
    await world.events.settle()
    await world.check()


@pytest.mark.parametrize("world", [4, 5, 6, 7], indirect=True)
async def test_crashes_anywhere_are_healed_by_the_sweep(world):
    world.tables.chance = 0.03
    await _storm(world, seed=2, calls=25)
    await world.recover()
    await world.check()


async def test_a_follow_that_died_after_its_claim_is_finished_by_repeating_it(world, monkeypatch):
    async def dies(*_: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "project", dies)
        with pytest.raises(Crash):
            await world.graphs[0].follow(1, 2)
    relation = await world.graphs[1].follow(1, 2)
    assert relation.following
    (counts,) = await world.graphs[1].counts([2])
    assert counts.followers == 1
    await world.recover()
    await world.check()


async def test_a_count_that_died_before_marking_its_edge_counts_it_once(world, monkeypatch):
    async def dies(*_: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "mark_counted", dies)
        with pytest.raises(Crash):
            await world.graphs[0].follow(1, 2)
    assert [count.value for count in await world.store.counts([(2, "followers")])] == [1]
    await world.graphs[1].unfollow(1, 2)
    await world.graphs[2].follow(4, 2)
    assert [count.value for count in await world.store.counts([(2, kind) for kind in KINDS])] == [1, 0]
    await world.recover()
    await world.check()


async def test_a_straggler_that_writes_last_leaves_what_is_true(world, monkeypatch):
    project, overtaken = world.store.project, False

    async def slow(edge: Any) -> None:
        nonlocal overtaken
        if not overtaken:
            overtaken = True
            await world.graphs[1].block(1, 2)
        await project(edge)

    monkeypatch.setattr(world.store, "project", slow)
    with pytest.raises(Problem) as problem:
        await world.graphs[0].follow(1, 2)
    assert problem.value.reason == "USER_NOT_FOUND"
    await world.events.settle()
    await world.check()
