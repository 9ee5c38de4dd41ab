"""The sessions' repository."""

from __future__ import annotations

from collections.abc import Sequence

from mesh.claims import standing
from mesh.storage import Row, Store, TimedOut
from services.accounts import schema
from services.accounts.account import Session

MAX_LISTED = 1_000
"""Session ids read of one user at once; far more than a user may keep open."""


class SessionStore:
    """Reads and writes sessions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def session(self, session_id: int) -> Session | None:
        """A session, read linearizably."""
        return (await self.sessions([session_id]))[0]

    async def sessions(self, session_ids: Sequence[int]) -> list[Session | None]:
        """Sessions, in the order asked."""
        keys: list[Row] = [{"session_id": session_id} for session_id in session_ids]
        rows = await self._store.multi_get(schema.SESSIONS, keys) if keys else []
        return [schema.SESSIONS.decode(row) if row else None for row in rows]

    async def create(self, session: Session) -> Session:
        """Open a session and list it; the one of this id that was there before, if there was."""
        listed = schema.UserSession(session.user_id, session.session_id)
        await self._store.put(schema.SESSIONS_OF, schema.SESSIONS_OF.encode(listed))
        row = schema.SESSIONS.encode(session)
        return schema.SESSIONS.decode(await standing(self._store, schema.SESSIONS, row))

    async def replace(self, old: Session, new: Session) -> bool:
        """Change a session that is still what it was. A lost answer is read back; where that shows no change,
        the next try decides: what it expects, the lost one cannot find any more."""
        key: Row = {"session_id": old.session_id}
        changes, expected = schema.SESSIONS.changes(new), {"version": old.version}
        try:
            return (await self._store.update_if(schema.SESSIONS, key, changes, expected)).applied
        except TimedOut:
            return await self.session(old.session_id) == new

    async def unlist(self, session: Session) -> None:
        """Take a session that ended off its user's list. May be repeated."""
        await self._store.delete(schema.SESSIONS_OF, {"user_id": session.user_id, "session_id": session.session_id})

    async def session_ids(self, user_id: int) -> list[int]:
        """Ids of a user's sessions, newest first."""
        rows = await self._store.slice(schema.SESSIONS_OF, {"user_id": user_id}, limit=MAX_LISTED)
        return [schema.SESSIONS_OF.decode(row).session_id for row in rows]
