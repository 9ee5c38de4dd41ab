"""A client of the graph for tests, in the tests' words."""

from __future__ import annotations

from typing import Any

from tintype.accounts.v1 import accounts_pb2, accounts_pb2_grpc
from tintype.graph.v1 import graph_pb2 as pb
from tintype.graph.v1 import graph_pb2_grpc

from mesh.clock import FakeClock
from mesh.testing.harness import Harness


class Graph:
    """A client of the graph, with the test's words."""

    def __init__(self, mesh: Harness, clock: FakeClock) -> None:
        self.mesh = mesh
        self.clock = clock
        self.stub = mesh.stub(graph_pb2_grpc.GraphServiceStub)
        self.accounts = mesh.stub(accounts_pb2_grpc.AccountsServiceStub)

    async def people(self, count: int) -> list[int]:
        """That many registered people."""
        return [await self.person(f"person{n}") for n in range(count)]

    async def person(self, username: str, private: bool = False) -> int:
        """Somebody registered."""
        request = accounts_pb2.RegisterRequest(
            username=username, email=f"{username}@example.com", password="a fine long sentence"
        )
        user_id = int((await self.accounts.Register(request)).account.user.user_id)
        if private:
            await self.set_private(user_id, True)
        return user_id

    async def set_private(self, user_id: int, private: bool) -> None:
        """Make an account private, or public."""
        account = accounts_pb2.Account(user=accounts_pb2.User(private=private))
        with self.mesh.user(user_id):
            await self.accounts.UpdateAccount(accounts_pb2.UpdateAccountRequest(account=account, paths=["private"]))

    async def act(self, user_id: int, rpc: str, target_id: int, **fields: Any) -> Any:
        """Call an RPC that acts on somebody; the relation that now holds."""
        request = getattr(pb, f"{rpc}Request")(user_id=target_id, **fields)
        with self.mesh.user(user_id):
            return (await getattr(self.stub, rpc)(request)).relation

    async def relation(self, user_id: int, target_id: int) -> Any:
        """How somebody stands to another, as the first sees it."""
        with self.mesh.user(user_id):
            answer = await self.stub.BatchGetRelations(pb.BatchGetRelationsRequest(user_ids=[target_id]))
        return answer.relations[0]

    async def circle(self, user_id: int, known_version: int = 0) -> Any:
        """How somebody stands to everybody."""
        return await self.stub.GetCircle(pb.GetCircleRequest(user_id=user_id, known_version=known_version))

    async def counts(self, user_id: int) -> tuple[int, int]:
        """Followers and followings."""
        (counts,) = (await self.stub.BatchGetCounts(pb.BatchGetCountsRequest(user_ids=[user_id]))).counts
        return counts.follower_count, counts.following_count

    async def followers(self, user_id: int) -> list[int]:
        """All followers, newest first."""
        return list((await self.stub.ListFollowers(pb.ListFollowersRequest(user_id=user_id))).user_ids)

    async def following(self, user_id: int) -> list[int]:
        """Whom somebody follows, newest first."""
        return list((await self.stub.ListFollowing(pb.ListFollowingRequest(user_id=user_id))).user_ids)

    async def own(self, user_id: int, rpc: str) -> list[int]:
        """One of the caller's own lists."""
        with self.mesh.user(user_id):
            return list((await getattr(self.stub, rpc)(getattr(pb, f"{rpc}Request")())).user_ids)
