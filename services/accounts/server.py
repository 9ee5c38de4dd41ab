"""AccountsService: proto to domain and back."""

from __future__ import annotations

from tintype.accounts.v1 import accounts_pb2 as pb

from mesh.rpc.call import Call
from services.accounts.account import Account, User
from services.accounts.login import Login
from services.accounts.profiles import Profiles
from services.accounts.registration import Form, Registrar
from services.accounts.sessions import Sessions, Tokens


class AccountsServer:
    """The servicer of tintype.accounts.v1.AccountsService."""

    def __init__(self, registrar: Registrar, login: Login, sessions: Sessions, profiles: Profiles) -> None:
        self._registrar = registrar
        self._login = login
        self._sessions = sessions
        self._profiles = profiles

    async def Register(self, request: pb.RegisterRequest, call: Call) -> pb.RegisterResponse:
        form = Form(request.username, request.email, request.password, request.display_name)
        account, tokens = await self._registrar.register(request.request_id, form, request.client)
        return pb.RegisterResponse(account=_account(account), session=_tokens(tokens))

    async def LogIn(self, request: pb.LogInRequest, call: Call) -> pb.LogInResponse:
        account, tokens = await self._login.log_in(request.identifier, request.password, request.client)
        return pb.LogInResponse(account=_account(account), session=_tokens(tokens))

    async def RefreshSession(self, request: pb.RefreshSessionRequest, call: Call) -> pb.RefreshSessionResponse:
        user_id, tokens = await self._sessions.refresh(request.refresh_token)
        account = await self._profiles.account(user_id)
        return pb.RefreshSessionResponse(account=_account(account), session=_tokens(tokens))

    async def ListSessions(self, request: pb.ListSessionsRequest, call: Call) -> pb.ListSessionsResponse:
        sessions = [
            pb.Session(
                session_id=each.session_id,
                client=each.client,
                create_time_ms=each.create_time_ms,
                refresh_time_ms=each.refresh_time_ms,
                current=each.session_id == call.user.session_id,
            )
            for each in await self._sessions.of(call.user.user_id)
        ]
        return pb.ListSessionsResponse(sessions=sessions)

    async def RevokeSession(self, request: pb.RevokeSessionRequest, call: Call) -> pb.RevokeSessionResponse:
        await self._sessions.revoke(call.user.user_id, request.session_id)
        return pb.RevokeSessionResponse()

    async def GetAccount(self, request: pb.GetAccountRequest, call: Call) -> pb.GetAccountResponse:
        return pb.GetAccountResponse(account=_account(await self._profiles.account(call.user.user_id)))

    async def UpdateAccount(self, request: pb.UpdateAccountRequest, call: Call) -> pb.UpdateAccountResponse:
        wanted = _wanted(request.account.user)
        account = await self._profiles.update(call.user.user_id, wanted, list(request.paths))
        return pb.UpdateAccountResponse(account=_account(account))

    async def SetHidden(self, request: pb.SetHiddenRequest, call: Call) -> pb.SetHiddenResponse:
        return pb.SetHiddenResponse(user=_user(await self._profiles.set_hidden(request.user_id, request.hidden)))

    async def BatchGetUsers(self, request: pb.BatchGetUsersRequest, call: Call) -> pb.BatchGetUsersResponse:
        users = await self._profiles.users(request.user_ids)
        return pb.BatchGetUsersResponse(users=map(_user, users))

    async def ResolveUsernames(self, request: pb.ResolveUsernamesRequest, call: Call) -> pb.ResolveUsernamesResponse:
        return pb.ResolveUsernamesResponse(user_ids=await self._profiles.resolve(request.usernames))

    async def CheckSessions(self, request: pb.CheckSessionsRequest, call: Call) -> pb.CheckSessionsResponse:
        revoked = await self._sessions.revoked(list(request.session_ids))
        return pb.CheckSessionsResponse(revoked_session_ids=revoked)

    async def ListUsers(self, request: pb.ListUsersRequest, call: Call) -> pb.ListUsersResponse:
        users, next_after = await self._profiles.page(request.after_user_id, request.page_size)
        return pb.ListUsersResponse(users=map(_user, users), next_after_user_id=next_after)


def _user(user: User) -> pb.User:
    return pb.User(**{name: getattr(user, name) for name in User.__slots__})


def _account(account: Account) -> pb.Account:
    return pb.Account(user=_user(account.user), email=account.email)


def _tokens(tokens: Tokens) -> pb.SessionTokens:
    return pb.SessionTokens(
        session_id=tokens.session_id,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expire_time_ms=tokens.expire_time_ms,
    )


def _wanted(user: pb.User) -> User:
    return User(**{name: getattr(user, name) for name in User.__slots__})
