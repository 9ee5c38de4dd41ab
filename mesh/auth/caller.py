"""The caller: who the verified token says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user. Made by the token verifier alone, never from a field or a header."""

    user_id: int
    session_id: int
    scopes: frozenset[str]
    roles: frozenset[str]
    expire_time_ms: int
    token: str
    """The access token itself, passed on within the mesh so that every service verifies it again."""
