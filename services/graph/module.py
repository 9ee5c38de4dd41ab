"""The graph's wiring."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from tintype.accounts.v1 import accounts_pb2_grpc
from tintype.events.v1.graph_pb2 import RelationChanged
from tintype.graph.v1 import graph_pb2

from mesh.app import Context, Module
from mesh.config import Limit, Section
from mesh.counting import ExactCounter
from services.graph import schema
from services.graph.changes import Changes
from services.graph.circle_store import CircleStore
from services.graph.circles import Circles
from services.graph.events import forgetting, holds, relation_changed
from services.graph.people import everybody_of, people_of
from services.graph.relations import Relations
from services.graph.server import GraphServer
from services.graph.service import Graph, Limits
from services.graph.store import Counter, GraphStore
from services.graph.taking_in import TakingIn


class GraphSection(Section):
    """Who follows whom."""

    following_limit: Annotated[int, Limit("items", "how many people one may follow")] = Field(
        7_500, ge=1, le=10_000, description="people one person may follow"
    )
    list_limit: Annotated[int, Limit("items", "how many people one may block, mute, or keep close, each")] = Field(
        5_000, ge=1, le=10_000, description="blocks, mutes and close friends a person may keep, each"
    )
    follower_shards: int = Field(
        16, ge=1, le=256, description="partitions that a person's followers spread over; fixed once there is data"
    )
    relation_ttl_ms: int = Field(
        2_000, ge=0, le=2_000, description="how old a relation may be that another process changed"
    )
    relations_remembered: int = Field(100_000, ge=1_000, le=5_000_000, description="pairs of people kept in memory")
    circles_remembered: int = Field(
        4_000_000, ge=100_000, le=100_000_000, description="ids kept in memory of whom people follow, block, mute"
    )


async def build(ctx: Context) -> None:
    """Wire the graph."""
    section: GraphSection = ctx.section
    tables = await ctx.store(schema.TABLES, {"follower_shards": section.follower_shards})
    store = GraphStore(tables, section.follower_shards)
    max_age_s = section.relation_ttl_ms / 1000
    relations = Relations(store, max_age_s, section.relations_remembered)
    circle_store = CircleStore(tables, ctx.ids)
    circles = Circles(circle_store, max_age_s, section.circles_remembered)

    outbox = ctx.outbox(tables)
    counter: Counter = ExactCounter(store)
    ctx.on_settle(counter.settle)
    changes = Changes(store, counter, circles, relations, outbox, relation_changed)
    outbox.settle_by(RelationChanged, holds(changes))
    accounts = ctx.stub(accounts_pb2_grpc.AccountsServiceStub)
    people = people_of(accounts)
    graph = Graph(store, changes, relations, people, Limits(section.following_limit, section.list_limit))
    ctx.tail("graph", {RelationChanged: forgetting(relations, circles)})
    taking_in = TakingIn(store, circle_store, changes, everybody_of(accounts))
    ctx.on_start(taking_in.begin)
    ctx.background("circles", taking_in.run)
    ctx.serve(graph_pb2.DESCRIPTOR.services_by_name["GraphService"], GraphServer(graph, circles))


MODULE = Module(name="graph", build=build, config=GraphSection)
