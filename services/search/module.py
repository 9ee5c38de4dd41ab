"""Wiring of the search service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from tintype.accounts.v1.accounts_pb2_grpc import AccountsServiceStub
from tintype.media.v1.posts_pb2_grpc import PostsServiceStub
from tintype.search.v1 import search_pb2

from mesh.app import Context, Module
from mesh.config import Section
from services.search.events import account_handlers, media_handlers
from services.search.index.commits import GroupCommit
from services.search.index.embedded import EmbeddedIndex
from services.search.reindexing import Reindexer
from services.search.schema import TABLES
from services.search.server import SearchServer
from services.search.service import Search
from services.search.sources import Owners


class SearchSection(Section):
    """Finding people, posts, hashtags and places."""

    directory: Path | None = Field(None, description="folder of the index, one process each; empty: in state_dir")
    commit_ms: int = Field(200, ge=10, le=5000, description="longest wait for others before a change is committed")


async def build(ctx: Context) -> None:
    """Open the index, follow the events, serve."""
    store = await ctx.store(TABLES)
    index = await EmbeddedIndex.open(ctx.section.directory or ctx.settings.state_dir / "search")
    ctx.on_stop(index.close)
    commits = GroupCommit(index, interval_s=ctx.section.commit_ms / 1000)
    ctx.on_stop(commits.close)
    reindexer = Reindexer(index, Owners(ctx.stub(AccountsServiceStub), ctx.stub(PostsServiceStub)))
    ctx.on_stop(reindexer.close)
    ctx.background("first build", reindexer.complete)
    ctx.subscribe("accounts", account_handlers(commits), store)
    ctx.subscribe("media", media_handlers(commits), store)
    service = search_pb2.DESCRIPTOR.services_by_name["SearchService"]
    ctx.serve(service, SearchServer(Search(index), reindexer))


MODULE = Module(name="search", build=build, config=SearchSection)
