"""The edge: the public gRPC API, composed from the mesh under the visibility law."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from tintype.edge.v1 import (
    accounts_pb2,
    engagement_pb2,
    feed_pb2,
    graph_pb2,
    live_pb2,
    media_pb2,
    posts_pb2,
    profiles_pb2,
    search_pb2,
    sessions_pb2,
    system_pb2,
    uploads_pb2,
)

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
    for file, name, server in (
        (accounts_pb2, "AccountService", AccountServer(mesh, presenter)),
        (sessions_pb2, "SessionService", SessionServer(mesh, presenter)),
        (profiles_pb2, "ProfileService", ProfileServer(mesh, facts, presenter, tokens, people)),
        (uploads_pb2, "UploadService", UploadServer(mesh, facts, presenter)),
        (media_pb2, "MediaService", MediaServer(mesh, facts, presenter, guard)),
        (posts_pb2, "PostService", PostServer(mesh, facts, presenter)),
        (feed_pb2, "FeedService", FeedServer(mesh, facts, presenter, tokens)),
        (graph_pb2, "GraphService", GraphServer(mesh, facts, tokens, people)),
        (engagement_pb2, "EngagementService", EngagementServer(mesh, facts, presenter, tokens)),
        (live_pb2, "LiveService", LiveServer(mesh, facts, presenter, guard)),
        (search_pb2, "SearchService", SearchServer(mesh, facts, presenter, tokens, people)),
        (system_pb2, "SystemService", SystemServer(ctx.settings, ctx.unwell, ctx.degraded)),
    ):
        ctx.serve(file.DESCRIPTOR.services_by_name[name], server)
    ctx.serve_foreign(Gate(mesh, facts, links, ctx.settings.blobs.bucket))
    ctx.check_sessions(sessions.check)


MODULE = Module(name="edge", build=build, config=EdgeSection)
