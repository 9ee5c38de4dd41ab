"""Relations are remembered for a moment: never past two seconds, never past one's own change."""

from __future__ import annotations

import asyncio
from pathlib import Path

from graph_client import Graph
from tintype.events.v1.graph_pb2 import RelationChanged

from mesh.app import Context, Module
from mesh.storage import Put, open_store
from mesh.testing.harness import running
from services.accounts import module as accounts_module
from services.graph import module as graph_module
from services.graph import schema
from services.graph.edges import Relation
from services.graph.relations import Relations
from services.graph.store import GraphStore


async def test_a_change_elsewhere_shows_within_two_seconds_without_any_message(clock):
    tables = await open_store("sqlite::memory:", "graph", clock)
    await tables.create(schema.TABLES)
    relations = Relations(GraphStore(tables, shards=1), clock, ttl_ms=2_000, remembered=1_000)
    assert not (await relations.of(1, [2]))[0].blocked_by
    await tables.write([Put(schema.RELATIONS, {"user_id": 1, "target_id": 2, "blocked_by_since": 7})])
    clock.advance(2_000)
    assert (await relations.of(1, [2]))[0].blocked_by
    await tables.close()


async def test_a_read_that_a_change_overtook_is_not_remembered(clock):
    class SlowStore:
        blocked = False

        def __init__(self) -> None:
            self.may_answer = asyncio.Event()

        async def relations(self, viewer_id, user_ids):
            await self.may_answer.wait()
            return [Relation(user_id, blocked_by=self.blocked) for user_id in user_ids]

    store = SlowStore()
    relations = Relations(store, clock, ttl_ms=2_000, remembered=1_000)
    reading = asyncio.create_task(relations.of(1, [2]))
    await asyncio.sleep(0)
    relations.forget(2, 1)
    store.may_answer.set()
    await reading
    store.blocked = True
    assert (await relations.of(1, [2]))[0].blocked_by


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

    async def note(event):
        seen.append(event.message)

    async def build(ctx: Context) -> None:
        ctx.subscribe("graph", {RelationChanged: note}, await ctx.store([]))

    modules = [accounts_module.MODULE, graph_module.MODULE, Module("listener", build)]
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
