"""Revoked sessions: an access token stops within seconds of its session's end."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from tintype.accounts.v1 import accounts_pb2

from edge.mesh import Mesh
from edge.recent import Recent
from mesh.auth.caller import Caller
from mesh.errors import unauthenticated

MAX_AGE_S = 3.0
"""How old the knowledge that a session is open may be; the promise is five seconds."""


class OpenSessions:
    """Asks accounts whether a session is open, and remembers the answer for three seconds."""

    def __init__(self, mesh: Mesh, remembered: int = 100_000) -> None:
        self._accounts: Any = mesh.accounts
        self._open: Recent[int, bool] = Recent(MAX_AGE_S, remembered)

    def check(self, caller: Caller) -> Awaitable[None] | None:
        """Raises SESSION_REVOKED; an awaitable that does where accounts has to be asked."""
        known = self._open.get(caller.session_id)
        if known is None:
            return self._ask(caller.session_id)
        _must_be(known.value)
        return None

    async def _ask(self, session_id: int) -> None:
        _must_be(await self._open.one(session_id, self._load))

    async def _load(self, session_id: int) -> bool:
        request = accounts_pb2.CheckSessionsRequest(session_ids=[session_id])
        return not (await self._accounts.CheckSessions(request)).revoked_session_ids


def _must_be(still_open: bool | None) -> None:
    if not still_open:
        raise unauthenticated("SESSION_REVOKED", "this session has ended: log in again")
