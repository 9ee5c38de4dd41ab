"""AccountService and SessionService: registering, logging in, one's own account."""

from __future__ import annotations

from tintype.accounts.v1 import accounts_pb2
from tintype.edge.v1 import accounts_pb2 as accounts_api
from tintype.edge.v1 import sessions_pb2 as sessions_api

from edge import present
from edge.mesh import Mesh
from edge.present import Presenter
from edge.surfaces import request_id
from mesh import ids
from mesh.errors import invalid, not_found
from mesh.rpc.call import Call

_CHANGEABLE = {
    "display_name": "display_name",
    "bio": "bio",
    "website": "website",
    "private": "private",
    "avatar_media_id": "avatar_asset_id",
}
_CLIENT_CHARS = 200


def _client(call: Call) -> str:
    """The client as it describes itself."""
    return call.metadata.get("user-agent", "")[:_CLIENT_CHARS]


class AccountServer:
    """AccountService."""

    def __init__(self, mesh: Mesh, presenter: Presenter) -> None:
        self._accounts = mesh.accounts
        self._presenter = presenter

    async def Register(self, request: accounts_api.RegisterRequest, call: Call) -> accounts_api.RegisterResponse:
        answer = await self._accounts.Register(
            accounts_pb2.RegisterRequest(
                request_id=request_id(request.request_id),
                username=request.username,
                email=request.email,
                password=request.password,
                display_name=request.display_name,
                client=_client(call),
            )
        )
        account, session = self._presenter.account(answer.account), present.session(answer.session)
        return accounts_api.RegisterResponse(account=account, session=session)

    async def GetMe(self, request: accounts_api.GetMeRequest, call: Call) -> accounts_api.GetMeResponse:
        answer = await self._accounts.GetAccount(accounts_pb2.GetAccountRequest())
        return accounts_api.GetMeResponse(account=self._presenter.account(answer.account))

    async def UpdateMe(self, request: accounts_api.UpdateMeRequest, call: Call) -> accounts_api.UpdateMeResponse:
        given = request.account
        paths = list(request.update_mask.paths) or [name for name in _CHANGEABLE if given.HasField(name)]
        for path in paths:
            if path not in _CHANGEABLE:
                raise invalid(
                    "update_mask",
                    f"{path} cannot be changed here; choose from {', '.join(_CHANGEABLE)}",
                    "INVALID_FIELD_MASK",
                )
        user = accounts_pb2.User(
            display_name=given.display_name, bio=given.bio, website=given.website, private=given.private
        )
        if given.avatar_media_id:
            asset_id = ids.parse(given.avatar_media_id)
            if asset_id is None:
                raise invalid("account.avatar_media_id", "must be a media id")
            user.avatar_asset_id = asset_id
        answer = await self._accounts.UpdateAccount(
            accounts_pb2.UpdateAccountRequest(
                account=accounts_pb2.Account(user=user), paths=[_CHANGEABLE[path] for path in paths]
            )
        )
        return accounts_api.UpdateMeResponse(account=self._presenter.account(answer.account))


class SessionServer:
    """SessionService."""

    def __init__(self, mesh: Mesh, presenter: Presenter) -> None:
        self._accounts = mesh.accounts
        self._presenter = presenter

    async def LogIn(self, request: sessions_api.LogInRequest, call: Call) -> sessions_api.LogInResponse:
        identifier = request.username or request.email
        if not identifier:
            raise invalid("username", "give a username, or an email in its place")
        answer = await self._accounts.LogIn(
            accounts_pb2.LogInRequest(identifier=identifier, password=request.password, client=_client(call))
        )
        account, session = self._presenter.account(answer.account), present.session(answer.session)
        return sessions_api.LogInResponse(account=account, session=session)

    async def RefreshSession(
        self, request: sessions_api.RefreshSessionRequest, call: Call
    ) -> sessions_api.RefreshSessionResponse:
        answer = await self._accounts.RefreshSession(
            accounts_pb2.RefreshSessionRequest(refresh_token=request.refresh_token)
        )
        account, session = self._presenter.account(answer.account), present.session(answer.session)
        return sessions_api.RefreshSessionResponse(account=account, session=session)

    async def ListSessions(
        self, request: sessions_api.ListSessionsRequest, call: Call
    ) -> sessions_api.ListSessionsResponse:
        answer = await self._accounts.ListSessions(accounts_pb2.ListSessionsRequest())
        response = sessions_api.ListSessionsResponse()
        for session in answer.sessions:
            response.sessions.add(
                session_id=str(session.session_id),
                client=session.client,
                create_time=present.time(session.create_time_ms),
                refresh_time=present.time(session.refresh_time_ms),
                current=session.current,
            )
        return response

    async def RevokeSession(
        self, request: sessions_api.RevokeSessionRequest, call: Call
    ) -> sessions_api.RevokeSessionResponse:
        session_id = ids.parse(request.session_id)
        if session_id is None:
            raise not_found("SESSION_NOT_FOUND", f"there is no session {request.session_id}")
        await self._accounts.RevokeSession(accounts_pb2.RevokeSessionRequest(session_id=session_id))
        return sessions_api.RevokeSessionResponse()
