"""Relations are remembered for a moment: never past two seconds, never past one's own change."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tintype.events.v1.graph_pb2 import RelationChanged

from mesh.clock import FakeClock
from mesh.errors import Code, Problem
from mesh.ids import IdGenerator
from mesh.storage import Put, Store, open_store
from mesh.testing.harness import running
from services.accounts import module as accounts_module
from services.graph import circle_store, schema
from services.graph import module as graph_module
from services.graph.circle_store import CircleStore
from services.graph.circles import Circles, Fact
from services.graph.edges import Edge, State
from services.graph.relations import Relations
from services.graph.store import GraphStore
from tests.graph.graph_client import Graph
from tests.neighbours.listener import listener


@pytest.fixture
async def tables(clock: FakeClock) -> AsyncIterator[Store]:
    store = await open_store("sqlite::memory:", "graph", clock)
    await store.create(schema.TABLES)
    yield store
    await store.close()


async def test_a_change_elsewhere_shows_within_two_seconds_without_any_message(tables, watch):
    relations = Relations(GraphStore(tables, shards=1), 2.0, remembered=1_000, monotonic=watch.read)
    assert not (await relations.of(1, [2]))[0].blocked_by
    await tables.write([Put(schema.RELATIONS, {"user_id": 1, "target_id": 2, "blocked_by_since": 7})])
    watch.now += 2
    assert (await relations.of(1, [2]))[0].blocked_by


class Watch:
    """The monotonic clock, moved by hand."""

    now = 1000.0

    def read(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def circles(tables, clock, watch) -> tuple[Circles, CircleStore]:
    store = CircleStore(tables, IdGenerator(clock))
    await store.mark_complete()
    return Circles(store, 2.0, 1_000, watch.read), store


async def test_a_circle_that_another_process_changed_shows_so_within_two_seconds_without_any_message(circles, watch):
    known, store = circles
    assert (await known.of(1)).theirs[Fact.BLOCKING] == []
    await store.show(Edge(2, 1, State(blocking=True)))
    watch.now += 2
    assert (await known.of(1)).theirs[Fact.BLOCKING] == [2]


async def test_a_circle_that_this_process_changed_shows_so_at_once_without_any_message(circles):
    known, _ = circles
    assert (await known.of(1)).theirs[Fact.BLOCKING] == []
    await known.show(Edge(2, 1, State(blocking=True)))
    assert (await known.of(1)).theirs[Fact.BLOCKING] == [2]
    assert (await known.of(2)).own[Fact.BLOCKING] == [1]


async def test_a_circle_is_read_again_where_its_version_changed_and_every_thirty_seconds(circles, tables, watch):
    known, store = circles
    await store.show(Edge(1, 2, State(following=True)))
    first = await known.of(1)
    # A change whose last write, the version, never came.
    await tables.write([Put(schema.CIRCLES, {"user_id": 1, "other_id": 2, "theirs": Fact.BLOCKING.value})])
    watch.now += 2
    assert await known.of(1) is first
    watch.now += 30
    assert (await known.of(1)).theirs[Fact.BLOCKING] == [2]


async def test_a_circle_holds_more_than_one_read_may_bring(circles, monkeypatch):
    known, store = circles
    monkeypatch.setattr(circle_store, "MAX_SLICE", 3)
    for other in range(2, 10):
        await store.show(Edge(1, other, State(following=True)))
    assert (await known.of(1)).own[Fact.FOLLOWING] == list(range(2, 10))


async def test_who_is_followed_by_many_has_no_row_for_each(circles, tables):
    _, store = circles
    for fan in range(2, 6):
        await store.show(Edge(fan, 1, State(following=True)))
    assert await tables.slice(schema.CIRCLES, {"user_id": 1}, limit=10) == []
    await store.show(Edge(2, 1, State(blocking=True)))
    await store.show(Edge(2, 1, State()))
    assert [row["theirs"] for row in await tables.slice(schema.CIRCLES, {"user_id": 1}, limit=10)] == [0]


def ids(packed: bytes) -> list[int]:
    return sorted(struct.unpack(f">{len(packed) // 8}q", packed))


async def test_a_circle_says_how_one_stands_to_everybody_and_is_not_sent_twice(graph):
    ana, ben, eve, joe = await graph.people(4)
    quiet = await graph.person("quiet", private=True)
    for rpc, other in (("Follow", ben), ("Follow", quiet), ("Block", eve)):
        await graph.act(ana, rpc, other)
    await graph.act(ana, "SetMute", ben, muting=True)
    await graph.act(ana, "SetCloseFriend", joe, close_friend=True)
    await graph.act(joe, "SetCloseFriend", ana, close_friend=True)
    await graph.act(quiet, "Block", ben)
    circle = await graph.circle(ana)
    told = [circle.following, circle.requested, circle.blocking, circle.muting, circle.close_friends]
    assert list(map(ids, told)) == [[ben], [quiet], [eve], [ben], [joe]]
    assert (ids(circle.close_friend_of), ids(circle.blocked_by)) == ([joe], [])
    assert ids((await graph.circle(eve)).blocked_by) == [ana]
    assert ids((await graph.circle(ben)).blocked_by) == [quiet]
    again = await graph.circle(ana, circle.version)
    assert (again.unchanged, again.following) == (True, b"")
    await graph.act(ana, "Unfollow", ben)
    changed = await graph.circle(ana, circle.version)
    assert (changed.unchanged, ids(changed.following)) == (False, [])


async def test_relations_from_before_there_were_circles_are_taken_in_before_any_circle_is_told(
    tmp_path: Path, own_redis, clock, monkeypatch
):
    """Data of an older version: every edge is there, no circle is."""
    flags = {"accounts.argon2_memory_kib": "8", "accounts.argon2_passes": "1"}
    modules = [accounts_module.MODULE, graph_module.MODULE]

    async def nothing(*_: Any) -> None:
        return None

    with monkeypatch.context() as patch:
        for name in ("show", "mark_complete"):
            patch.setattr(CircleStore, name, nothing)
        async with running(modules, tmp_path / "state", redis_url=own_redis.url, clock=clock, flags=flags) as mesh:
            graph = Graph(mesh, clock)
            ana, ben = await graph.people(2)
            quiet = await graph.person("quiet", private=True)
            await graph.act(ana, "Follow", quiet)
            await graph.act(quiet, "Block", ben)
            with pytest.raises(Problem) as problem:
                await graph.circle(ben)
            assert problem.value.code is Code.UNAVAILABLE, "an empty circle would hide that one is blocked"
    async with running(modules, tmp_path / "state", redis_url=own_redis.url, clock=clock, flags=flags) as mesh:
        graph = Graph(mesh, clock)
        async with asyncio.timeout(20):
            while not await taken_in(graph, ben):
                await asyncio.sleep(0.01)
        assert ids((await graph.circle(ben)).blocked_by) == [quiet]
        assert ids((await graph.circle(ana)).requested) == [quiet]


async def taken_in(graph: Graph, user_id: int) -> bool:
    try:
        await graph.circle(user_id)
    except Problem:
        return False
    return True


async def test_ones_own_change_shows_at_once(graph):
    ana, ben = await graph.people(2)
    assert not (await graph.relation(ben, ana)).blocked_by
    await graph.act(ana, "Block", ben)
    assert (await graph.relation(ben, ana)).blocked_by


async def test_without_redis_everything_goes_on(graph, own_redis):
    ana, ben = await graph.people(2)
    own_redis.process.kill()
    await graph.act(ben, "Follow", ana)
    assert (await graph.relation(ana, ben)).followed_by
    await graph.act(ana, "Block", ben)
    assert (await graph.relation(ben, ana)).blocked_by
    await own_redis.process.restart()
    await graph.mesh.settle()


async def test_every_change_is_published_with_what_was_before(tmp_path: Path, own_redis, clock):
    seen = []
    modules = [accounts_module.MODULE, graph_module.MODULE, listener("graph", seen, RelationChanged)]
    flags = {"accounts.argon2_memory_kib": "8", "accounts.argon2_passes": "1"}
    async with running(modules, tmp_path / "state", redis_url=own_redis.url, clock=clock, flags=flags) as mesh:
        graph = Graph(mesh, clock)
        ana, ben = await graph.people(2)
        await graph.act(ben, "Follow", ana)
        await graph.act(ben, "Follow", ana)
        await graph.act(ben, "Block", ana)
        await mesh.settle()
    facts = [(each.version, each.following, each.was_following, each.blocking, each.was_blocking) for each in seen]
    assert facts == [(1, True, False, False, False), (2, False, True, True, False)]
    assert {(each.user_id, each.target_id) for each in seen} == {(ben, ana)}
