"""The edge: the public gRPC API, composed from the mesh under the visibility law."""

from __future__ import annotations

from typing import Annotated

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from pydantic import Field

from edge.facts import Facts
from edge.gate import Gate
from edge.links import Links
from edge.mesh import Mesh
from edge.present import Presenter
from edge.sessions import OpenSessions
from edge.surfaces.accounts import AccountServer, SessionServer
from edge.surfaces.engagement import EngagementServer
from edge.surfaces.feed import FeedServer
from edge.surfaces.graph import GraphServer
from edge.surfaces.live import LiveServer
from edge.surfaces.media import MediaServer, UploadServer
from edge.surfaces.posts import PostServer
from edge.surfaces.profiles import People, ProfileServer
from edge.surfaces.search import SearchServer
from edge.surfaces.system import SystemServer
from mesh.app import Context, Module
from mesh.config import Limit, Section
from mesh.live import Guard


class EdgeSection(Section):
    """The public face."""

    public_url: str = Field("http://127.0.0.1:8080", description="where clients reach the gateway; part of image links")
    streams_per_account: Annotated[int, Limit("items", "live streams that one may have open at a time")] = Field(
        20, ge=1, le=1000, description="live streams of one account in one edge process"
    )


async def build(ctx: Context) -> None:
    """Wire the public services."""
    plain = Mesh.of(ctx)
    facts, sessions = Facts(plain, ctx.clock), OpenSessions(plain)
    facts.remember("sessions", sessions.memory)
    mesh = plain.telling(facts.forget)
    links = Links(ctx.settings.derived_key("media links"), ctx.clock, ctx.section.public_url)
    presenter = Presenter(links)
    people = People(mesh, facts, presenter)
    guard = Guard(ctx.clock, sessions.check, ctx.section.streams_per_account)
    tokens = ctx.page_tokens
    for server in (
        AccountServer(mesh, presenter),
        SessionServer(mesh, presenter),
        ProfileServer(mesh, facts, presenter, tokens, people),
        UploadServer(mesh, facts, presenter),
        MediaServer(mesh, facts, presenter, guard),
        PostServer(mesh, facts, presenter),
        FeedServer(mesh, facts, presenter, tokens),
        GraphServer(mesh, facts, tokens, people),
        EngagementServer(mesh, facts, presenter, tokens),
        LiveServer(mesh, facts, presenter, guard),
        SearchServer(mesh, facts, presenter, tokens, people),
        SystemServer(ctx.settings, ctx.unwell, ctx.degraded),
    ):
        ctx.serve(_contract(server), server)
    ctx.serve_foreign(Gate(mesh, facts, links, ctx.settings.blobs.bucket))
    ctx.check_sessions(sessions.check)


def _contract(server: object) -> ServiceDescriptor:
    """What a surface serves, by its class: PostServer serves PostService."""
    name = type(server).__name__.removesuffix("Server")
    service: ServiceDescriptor = descriptor_pool.Default().FindServiceByName(f"tintype.edge.v1.{name}Service")
    return service


MODULE = Module(name="edge", build=build, config=EdgeSection)
