"""The call being served: what a handler may ask about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from mesh.auth.caller import Caller
from mesh.errors import unauthenticated
from mesh.rpc.method import Method

current: ContextVar[Call | None] = ContextVar("call", default=None)
"""The call whose handler is running, or None in background work."""


@dataclass(slots=True)
class Call:
    """One call on its way through the interceptors to its handler."""

    method: Method
    metadata: Mapping[str, str]
    timeout_s: float | None
    """Seconds that the caller gave, or None."""
    closing: asyncio.Event
    """Set when the server begins to drain: open streams end and tell the client to resume elsewhere."""
    peer: str = ""
    """The service of the mesh that calls, verified; empty where it is the edge's own client."""
    request_id: str = ""
    caller: Caller | None = None
    reply_metadata: dict[str, str] = field(default_factory=dict)
    """Metadata to send back with the answer."""

    @property
    def user(self) -> Caller:
        """The signed-in caller. Raises TOKEN_MISSING where there is none."""
        if self.caller is None:
            raise unauthenticated("TOKEN_MISSING", "send an access token: authorization: Bearer …")
        return self.caller
