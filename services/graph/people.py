"""Looks accounts up at the accounts service."""

from __future__ import annotations

from tintype.accounts.v1 import accounts_pb2, accounts_pb2_grpc

from services.graph.service import People, Person
from services.graph.taking_in import Everybody

_PAGE = 200


def people_of(accounts: accounts_pb2_grpc.AccountsServiceStub) -> People:
    """The lookup, over a stub. It raises Problem where accounts does not answer."""

    async def look_up(user_id: int) -> Person | None:
        answer = await accounts.BatchGetUsers(accounts_pb2.BatchGetUsersRequest(user_ids=[user_id]))
        for user in answer.users:
            return Person(user.user_id, user.private, user.hidden)
        return None

    return look_up


def everybody_of(accounts: accounts_pb2_grpc.AccountsServiceStub) -> Everybody:
    """Pages of everybody's ids, in their order."""

    async def after(user_id: int) -> list[int]:
        answer = await accounts.ListUsers(accounts_pb2.ListUsersRequest(after_user_id=user_id, page_size=_PAGE))
        return [user.user_id for user in answer.users]

    return after
