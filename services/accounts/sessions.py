"""Sessions: opened by logging in, kept alive by rotating refresh tokens, ended by revoking.

After RFC 9700 section 4.14.2: every exchange gives a new refresh token, and one that comes again
after its exchange means that two parties hold it, so the session ends for both. A client that lost
the answer to an exchange is told from a thief by time: for ``grace_ms`` after an exchange the token
it was made with gives another answer, beside the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from mesh.clock import Clock
from mesh.errors import Code, Problem, not_found, unauthenticated
from mesh.ids import IdGenerator
from services.accounts import fields
from services.accounts.account import Session
from services.accounts.refresh_tokens import RefreshToken, RefreshTokens, refused
from services.accounts.session_store import SessionStore

_MAX_TRIES = 20
_MAX_CURRENT = 4
"""Answers to one exchange that may all be good: the first and those to its repetitions."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client needs to act in a session, given once."""

    session_id: int
    access_token: str
    refresh_token: str
    expire_time_ms: int


class AccessTokens(Protocol):
    """Signs access tokens."""

    def sign(self, user_id: int, session_id: int, now_ms: int) -> tuple[str, int]:
        """A token and when it expires, in ms."""


class Sessions:
    """Opens, refreshes, lists and revokes sessions. ``life_ms``: how long one lasts unused;
    ``most``: how many a user may have open, the oldest making room."""

    def __init__(
        self,
        store: SessionStore,
        access: AccessTokens,
        refresh: RefreshTokens,
        clock: Clock,
        ids: IdGenerator,
        *,
        life_ms: int,
        grace_ms: int,
        most: int,
    ) -> None:
        self._store = store
        self._access = access
        self._refresh = refresh
        self._clock = clock
        self._ids = ids
        self._life_ms = life_ms
        self._grace_ms = grace_ms
        self._most = most

    async def open(self, user_id: int, client: str, session_id: int = 0) -> Tokens:
        """Open a session. With a ``session_id`` it may be repeated: the same session, other tokens."""
        now = self._clock.now_ms()
        token = self._refresh.new(session_id or self._ids.next())
        fresh = Session(
            token.session_id,
            user_id,
            fields.client(client),
            now,
            now,
            now + self._life_ms,
            current_hashes=(token.hash,),
        )
        session = await self._store.create(fresh)
        if session != fresh:
            return await self._reopen(session, client)
        await self._make_room(user_id)
        return self._tokens(session, token)

    async def refresh(self, text: str) -> tuple[int, Tokens]:
        """Exchange a refresh token; the user and the new tokens.

        Raises TOKEN_INVALID, SESSION_REVOKED, REFRESH_TOKEN_REUSED (and ends the session).
        """
        presented = self._refresh.open(text)
        for _ in range(_MAX_TRIES):
            session = await self._live(presented.session_id)
            token = self._refresh.new(session.session_id)
            changed = self._exchanged(session, presented, token)
            if changed is None:
                await self._end(session)
                raise unauthenticated(
                    "REFRESH_TOKEN_REUSED", "this refresh token was used before, so its session has ended: log in again"
                )
            if await self._store.replace(session, changed):
                return session.user_id, self._tokens(changed, token)
        raise _too_busy()

    async def revoke(self, user_id: int, session_id: int) -> None:
        """End one of a user's sessions. May be repeated. Raises SESSION_NOT_FOUND."""
        session = await self._store.session(session_id)
        if session is None or session.user_id != user_id:
            raise not_found("SESSION_NOT_FOUND", "there is no such session of yours")
        await self._end(session)

    async def of(self, user_id: int) -> list[Session]:
        """A user's open sessions, newest first."""
        found = await self._store.sessions(await self._store.session_ids(user_id))
        return [session for session in found if session and self._is_open(session)]

    async def revoked(self, session_ids: list[int]) -> list[int]:
        """Which of these sessions have been revoked."""
        found = await self._store.sessions(session_ids)
        return [session.session_id for session in found if session and session.revoke_time_ms]

    def _exchanged(self, session: Session, presented: RefreshToken, token: RefreshToken) -> Session | None:
        """The session after an exchange, or None where the token was used before."""
        now = self._clock.now_ms()
        newer = replace(session, refresh_time_ms=now, expire_time_ms=now + self._life_ms, version=session.version + 1)
        if presented.hash in session.current_hashes:
            return replace(
                newer, previous_hashes=session.current_hashes, current_hashes=(token.hash,), rotate_time_ms=now
            )
        if presented.hash in session.previous_hashes and now - session.rotate_time_ms <= self._grace_ms:
            return replace(newer, current_hashes=(*session.current_hashes, token.hash)[-_MAX_CURRENT:])
        return None

    async def _live(self, session_id: int) -> Session:
        session = await self._store.session(session_id)
        if session is None:
            raise refused()
        if not self._is_open(session):
            raise unauthenticated("SESSION_REVOKED", "this session has ended: log in again")
        return session

    def _is_open(self, session: Session) -> bool:
        return not session.revoke_time_ms and self._clock.now_ms() < session.expire_time_ms

    async def _reopen(self, session: Session, client: str) -> Tokens:
        """Tokens for a session that an earlier, identical call opened; a new one where it has ended."""
        for _ in range(_MAX_TRIES):
            if not self._is_open(session):
                return await self.open(session.user_id, client)
            token = self._refresh.new(session.session_id)
            current = (*session.current_hashes, token.hash)[-_MAX_CURRENT:]
            changed = replace(session, current_hashes=current, version=session.version + 1)
            if await self._store.replace(session, changed):
                return self._tokens(changed, token)
            session = await self._live(session.session_id)
        raise _too_busy()

    async def _end(self, session: Session) -> None:
        for _ in range(_MAX_TRIES):
            ended = replace(session, revoke_time_ms=self._clock.now_ms(), version=session.version + 1)
            if session.revoke_time_ms or await self._store.replace(session, ended):
                return await self._store.unlist(session)
            latest = await self._store.session(session.session_id)
            if latest is None:
                return None
            session = latest
        raise _too_busy()

    async def _make_room(self, user_id: int) -> None:
        """End the oldest sessions over the limit, and forget those that have expired."""
        session_ids = await self._store.session_ids(user_id)
        for session in await self._store.sessions(session_ids[self._most :]):
            if session:
                await self._end(session)

    def _tokens(self, session: Session, token: RefreshToken) -> Tokens:
        access, expire_time_ms = self._access.sign(session.user_id, session.session_id, self._clock.now_ms())
        return Tokens(session.session_id, access, token.text, expire_time_ms)


def _too_busy() -> Problem:
    return Problem(Code.ABORTED, "CONFLICT", "this session is changing too fast; try again", retry_after_ms=200)
