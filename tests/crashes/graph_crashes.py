"""What a crash leaves half done, the sweep or the next call finishes: lists, counts and events end exact."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import permutations
from typing import Any

import pytest
from tintype.events.v1.graph_pb2 import RelationChanged

from mesh.clock import FakeClock
from mesh.counting import ExactCounter
from mesh.errors import Problem
from mesh.events import Event
from mesh.events.events import OUTBOX_TABLES, Events
from mesh.ids import IdGenerator
from mesh.storage import StorageError, Store, open_store
from mesh.testing.chaos import ChaosStore, Crash, Stage, StagedStore
from services.graph import schema
from services.graph.changes import Changes
from services.graph.circle_store import CircleStore
from services.graph.circles import Circles, Fact, facts_of
from services.graph.events import relation_changed
from services.graph.relations import Relations
from services.graph.service import Graph, Limits, Person
from services.graph.store import KINDS, GraphStore
from stack.redis import RedisServer

Sweep = Callable[[int], Awaitable[None]]
SHARDS = 3
EVERYBODY = range(1, 5)
PRIVATE = 3


class World:
    """Three processes of the graph over one store and one bus."""

    def __init__(self, tables: Store, outbox_tables: Store, events: Events, clock: FakeClock) -> None:
        self.store, self.circles = GraphStore(tables, SHARDS), CircleStore(tables, IdGenerator(clock))
        outbox = events.outbox("graph", outbox_tables, {RelationChanged: self._holds})
        self._told: dict[tuple[int, int], set[tuple[int, int]]] = {}
        events.tail("graph", {RelationChanged: self._note})
        self.changes, self.graphs = [], []
        for _ in range(3):
            relations, circles = Relations(self.store, 0, remembered=1000), Circles(self.circles, 0, remembered=1000)
            changes = Changes(self.store, ExactCounter(self.store), circles, relations, outbox, relation_changed)
            self.changes.append(changes)
            self.graphs.append(Graph(self.store, changes, relations, _person, Limits(following=100, listed=100)))

    async def _holds(self, event: Event) -> bool:
        return await self.changes[0].settle(event.message.user_id, event.message.target_id, event.id)

    async def _note(self, event: Event) -> None:
        key = (event.message.user_id, event.message.target_id)
        self._told.setdefault(key, set()).add((event.message.version, event.id))

    async def check(self, *people: int, because: str = "") -> None:
        """Everything derived says what the edges say, and every change was announced by one event."""
        edges = {pair: await self.store.edge(*pair) for pair in permutations(people, 2)}
        for (one, other), edge in edges.items():
            back = edges[other, one].state
            (relation,) = await self.store.relations(one, [other])
            own = (relation.following, relation.requested, relation.blocking, relation.close_friend)
            state = edge.state
            assert own == (state.following, state.requested, state.blocking, state.close_friend), because
            assert (relation.followed_by, relation.blocked_by) == (back.following, back.blocking), because
            friendly = state.following or state.requested or state.close_friend
            assert not (friendly and (state.blocking or back.blocking)), because
            told = sorted(version for version, _ in self._told.get((one, other), ()))
            assert told == list(range(1, edge.version + 1)), because
        for who in people:
            await self._check_lists(who, edges, because)
            await self._check_circle(who, {pair: facts_of(edge.state) for pair, edge in edges.items()}, because)

    async def _check_lists(self, who: int, edges: dict[tuple[int, int], Any], because: str) -> None:
        following = {other for (one, other), edge in edges.items() if one == who and edge.state.following}
        followers = {one for (one, other), edge in edges.items() if other == who and edge.state.following}
        asking = {one for (one, other), edge in edges.items() if other == who and edge.state.requested}
        graph = self.graphs[0]
        (counts,) = await graph.counts([who])
        assert (counts.followers, counts.following) == (len(followers), len(following)), because
        assert sorted((await graph.list_own(who, "following", 50, b"")).user_ids) == sorted(following), because
        assert sorted((await graph.list_towards(who, "following", 50, b"")).user_ids) == sorted(followers), because
        assert sorted((await graph.list_towards(who, "requested", 50, b"")).user_ids) == sorted(asking), because
        shards = [await graph.scan_followers(who, shard, 0, 100) for shard in range(SHARDS)]
        assert sorted(each for shard in shards for each in shard) == sorted(followers), because

    async def _check_circle(self, who: int, facts: dict[tuple[int, int], Fact], because: str) -> None:
        circle = await self.circles.read(who, 1)
        for fact, ids in circle.own.items():
            held = sorted(other for (one, other), all_ in facts.items() if one == who and fact in all_)
            assert sorted(ids) == held, because
        for fact, ids in circle.theirs.items():
            held = sorted(one for (one, other), all_ in facts.items() if other == who and fact in all_)
            assert sorted(ids) == held, because


async def _person(user_id: int) -> Person | None:
    return Person(user_id, private=user_id == PRIVATE, hidden=False)


async def _opened(url: str, service: str, clock: FakeClock) -> Store:
    store = await open_store(url, service, clock)
    await store.create([*schema.TABLES, *OUTBOX_TABLES])
    return store


class GraphCrashes:
    """Promises of services/graph, write by write. A subclass says where the tables are."""

    @pytest.fixture
    async def world(
        self, storage_url: str, service: str, stage: Stage, events: Events, clock: FakeClock
    ) -> AsyncIterator[World]:
        store = await _opened(storage_url, service, clock)
        staged = StagedStore(store, stage)
        world = World(staged, staged, events, clock)
        await events.start()
        yield world
        await events.stop()
        await store.close()

    async def test_a_follow(self, world: World, stage: Stage, sweep: Sweep) -> None:
        for ana, scenario in enumerate(stage.scenarios(), 1_000):
            ben = ana + 1_000_000
            await scenario.play(lambda ana=ana, ben=ben: world.graphs[0].follow(ana, ben), sweep)
            await world.check(ana, ben, because=str(scenario))
            following = (await world.store.edge(ana, ben)).state.following
            assert following or not scenario.repeated, str(scenario)


class MoreGraphCrashes(GraphCrashes):
    """What changes two edges."""

    async def test_a_block_that_severs_both_ways(self, world: World, stage: Stage, sweep: Sweep) -> None:
        for ana, scenario in enumerate(stage.scenarios(), 1_000):
            ben = ana + 1_000_000
            await world.graphs[1].follow(ana, ben)
            await world.graphs[1].follow(ben, ana)
            await sweep(0)
            await scenario.play(lambda ana=ana, ben=ben: world.graphs[0].block(ana, ben), sweep)
            await world.check(ana, ben, because=str(scenario))
            blocking = (await world.store.edge(ana, ben)).state.blocking
            assert blocking or not scenario.repeated, str(scenario)


class GraphStorms:
    """Many at once, at several processes, any of which may die anywhere."""

    @pytest.fixture
    async def chaos(
        self, storage_url: str, service: str, clock: FakeClock, request: pytest.FixtureRequest
    ) -> AsyncIterator[ChaosStore]:
        store = await _opened(storage_url, service, clock)
        yield ChaosStore(store, getattr(request, "param", 0))
        await store.close()

    @pytest.fixture
    async def world(
        self, chaos: ChaosStore, events: Events, clock: FakeClock, own_redis: RedisServer
    ) -> AsyncIterator[World]:
        world = World(chaos, chaos._inner, events, clock)
        await events.start()
        yield world
        await events.stop()

    @pytest.mark.parametrize("chaos", [1, 2, 3], indirect=True)
    async def test_concurrent_changes_end_exact(self, world: World, events: Events) -> None:
        await _storm(world, seed=1, calls=25)
        await events.settle()
        await world.check(*EVERYBODY)

    @pytest.mark.parametrize("chaos", [4, 5, 6, 7], indirect=True)
    async def test_crashes_anywhere_are_healed_by_the_sweep(
        self, world: World, chaos: ChaosStore, sweep: Sweep
    ) -> None:
        chaos.chance = 0.03
        await _storm(world, seed=2, calls=25)
        chaos.chance = 0.0
        await sweep(11_000)
        await chaos.late.catch_up()
        await sweep(61_000)
        await world.check(*EVERYBODY)

    async def test_a_count_that_died_before_marking_its_edge_counts_it_once(
        self, world: World, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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
        await sweep(61_000)
        await world.check(*EVERYBODY)

    async def test_a_straggler_that_writes_last_leaves_what_is_true(
        self, world: World, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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
        await sweep(0)
        await world.check(*EVERYBODY)


async def _storm(world: World, seed: int, calls: int) -> None:
    """Random calls of random people at random processes, many at once."""
    chosen = random.Random(seed)

    async def one_client() -> None:
        for _ in range(calls):
            graph = chosen.choice(world.graphs)
            one, other = chosen.sample(EVERYBODY, 2)
            friendly = [graph.follow] * 3 + [graph.unfollow, graph.remove_follower]
            try:
                if chosen.random() < 0.8:
                    await chosen.choice([*friendly, graph.block, graph.unblock, graph.unblock])(one, other)
                else:
                    await chosen.choice([graph.answer, graph.set_close_friend])(one, other, True)
            except (Crash, StorageError, Problem):
                continue

    await asyncio.gather(*(one_client() for _ in range(6)))
