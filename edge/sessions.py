"""Revoked sessions: an access token stops within seconds of its session's end."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from tintype.accounts.v1 import accounts_pb2

from edge.mesh import Mesh
from mesh.auth.caller import Caller
from mesh.errors import unauthenticated
from mesh.memory import Memory

MAX_AGE_S = 3.0
"""How old the knowledge that a session is open may be; the promise is five seconds."""


class OpenSessions:
    """Asks accounts whether a session is open, and remembers the answer for three seconds."""

    def __init__(self, mesh: Mesh, remembered: int = 100_000) -> None:
        self._accounts = mesh.accounts
        self.memory: Memory[int, bool] = Memory(self._load, MAX_AGE_S, remembered, asked="accounts")

    def check(self, caller: Caller) -> Awaitable[None] | None:
        """Raises SESSION_REVOKED; an awaitable that does where accounts has to be asked."""
        found, missing = self.memory.recall([caller.session_id])
        if missing:
            return self._ask(caller.session_id)
        _must_be(found[caller.session_id])
        return None

    async def _ask(self, session_id: int) -> None:
        _must_be(await self.memory.one(session_id))

    async def _load(self, session_ids: list[int]) -> Mapping[int, bool]:
        answer = await self._accounts.CheckSessions(accounts_pb2.CheckSessionsRequest(session_ids=session_ids))
        return {session_id: session_id not in answer.revoked_session_ids for session_id in session_ids}


def _must_be(still_open: bool | None) -> None:
    if not still_open:
        raise unauthenticated("SESSION_REVOKED", "this session has ended: log in again")
