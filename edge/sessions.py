"""Revoked sessions: an access token stops within seconds of its session's end."""

from __future__ import annotations

from typing import Any

from cachetools import TTLCache
from tintype.accounts.v1 import accounts_pb2

from edge.mesh import Mesh
from mesh.auth.caller import Caller
from mesh.errors import unauthenticated

MAX_AGE_S = 3.0
"""How old the knowledge that a session is open may be; the promise is five seconds."""


class OpenSessions:
    """Asks accounts whether a session is open, and remembers the answer for three seconds."""

    def __init__(self, mesh: Mesh, remembered: int = 100_000) -> None:
        self._accounts: Any = mesh.accounts
        self._open: TTLCache[int, bool] = TTLCache(remembered, MAX_AGE_S)

    async def check(self, caller: Caller) -> None:
        """Raises SESSION_REVOKED."""
        still_open = self._open.get(caller.session_id)
        if still_open is None:
            request = accounts_pb2.CheckSessionsRequest(session_ids=[caller.session_id])
            still_open = not (await self._accounts.CheckSessions(request)).revoked_session_ids
            self._open[caller.session_id] = still_open
        if not still_open:
            raise unauthenticated("SESSION_REVOKED", "this session has ended: log in again")
