"""A client of the accounts service for tests, in the tests' words."""

from __future__ import annotations

from typing import Any

from tintype.accounts.v1 import accounts_pb2 as pb
from tintype.accounts.v1 import accounts_pb2_grpc

from mesh.clock import FakeClock
from mesh.testing.harness import Harness

PASSWORD = "a fine long sentence"
CHEAP_HASHES = {"accounts.argon2_memory_kib": "8", "accounts.argon2_passes": "1"}


class Accounts:
    """A client of the service, with the test's words."""

    def __init__(self, mesh: Harness, clock: FakeClock) -> None:
        self.mesh = mesh
        self.clock = clock
        self.stub = mesh.stub(accounts_pb2_grpc.AccountsServiceStub)

    async def register(self, username: str = "ana", **fields: str) -> Any:
        """Register, with the fields that a test does not care about filled in."""
        values = {"email": f"{username}@example.com", "password": PASSWORD, "client": "test", **fields}
        return await self.stub.Register(pb.RegisterRequest(username=username, **values))

    async def log_in(self, identifier: str, password: str = PASSWORD, client: str = "test") -> Any:
        """Log in."""
        return await self.stub.LogIn(pb.LogInRequest(identifier=identifier, password=password, client=client))

    async def refresh(self, token: str) -> Any:
        """Exchange a refresh token."""
        return await self.stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=token))

    async def update(self, user_id: int, *paths: str, **values: Any) -> Any:
        """Change the caller's account; the paths are those of the values, or as given."""
        account = pb.Account(user=pb.User(**values))
        with self.mesh.user(user_id):
            return await self.stub.UpdateAccount(pb.UpdateAccountRequest(account=account, paths=paths or list(values)))

    async def user(self, user_id: int) -> Any:
        """The public facts of a user, or None."""
        answer = await self.stub.BatchGetUsers(pb.BatchGetUsersRequest(user_ids=[user_id]))
        return answer.users[0] if answer.users else None
