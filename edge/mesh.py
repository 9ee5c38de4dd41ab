"""The services that the edge composes, as one bundle of stubs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tintype.accounts.v1.accounts_pb2_grpc import AccountsServiceStub
from tintype.engagement.v1.engagement_pb2_grpc import EngagementServiceStub
from tintype.graph.v1.graph_pb2_grpc import GraphServiceStub
from tintype.media.v1.assets_pb2_grpc import AssetsServiceStub
from tintype.media.v1.posts_pb2_grpc import PostsServiceStub
from tintype.search.v1.search_pb2_grpc import SearchServiceStub
from tintype.timeline.v1.timeline_pb2_grpc import TimelineServiceStub

from mesh.app import Context


@dataclass(frozen=True, slots=True)
class Mesh:
    """Clients of the internal services, in process or over gRPC as placement has it."""

    accounts: Any
    graph: Any
    assets: Any
    posts: Any
    timeline: Any
    engagement: Any
    search: Any

    @classmethod
    def of(cls, ctx: Context) -> Mesh:
        """The stubs of this process."""
        return cls(
            accounts=ctx.stub(AccountsServiceStub),
            graph=ctx.stub(GraphServiceStub),
            assets=ctx.stub(AssetsServiceStub),
            posts=ctx.stub(PostsServiceStub),
            timeline=ctx.stub(TimelineServiceStub),
            engagement=ctx.stub(EngagementServiceStub),
            search=ctx.stub(SearchServiceStub),
        )
