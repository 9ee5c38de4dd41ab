"""The sessions' repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesh.claims import standing
from mesh.storage import Row, Store, TimedOut, Value
from services.accounts import schema

_HASH_BYTES = 32
MAX_LISTED = 1_000
"""Session ids read of one user at once; far more than a user may keep open."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session. ``current`` are the hashes of refresh tokens that may be exchanged, ``previous`` of
    those they were given for, at ``rotate_time_ms``."""

    session_id: int
    user_id: int
    client: str
    create_time_ms: int
    refresh_time_ms: int
    expire_time_ms: int
    revoke_time_ms: int = 0
    current: tuple[bytes, ...] = ()
    previous: tuple[bytes, ...] = ()
    rotate_time_ms: int = 0
    version: int = 1


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
        return [_session(row) if row else None for row in rows]

    async def create(self, session: Session) -> Session:
        """Open a session and list it; the one of this id that was there before, if there was."""
        await self._store.put(schema.SESSIONS_OF, {"user_id": session.user_id, "session_id": session.session_id})
        row = {"session_id": session.session_id, **_columns(session)}
        return _session(await standing(self._store, schema.SESSIONS, row))

    async def replace(self, old: Session, new: Session) -> bool:
        """Change a session that is still what it was. A lost answer is read back; where that shows no change,
        the next try decides: what it expects, the lost one cannot find any more."""
        key: Row = {"session_id": old.session_id}
        try:
            return (await self._store.update_if(schema.SESSIONS, key, _columns(new), {"version": old.version})).applied
        except TimedOut:
            return await self.session(old.session_id) == new

    async def unlist(self, session: Session) -> None:
        """Take a session that ended off its user's list. May be repeated."""
        await self._store.delete(schema.SESSIONS_OF, {"user_id": session.user_id, "session_id": session.session_id})

    async def session_ids(self, user_id: int) -> list[int]:
        """Ids of a user's sessions, newest first."""
        rows = await self._store.slice(schema.SESSIONS_OF, {"user_id": user_id}, limit=MAX_LISTED)
        return [session_id for row in rows if isinstance(session_id := row["session_id"], int)]


def _columns(session: Session) -> dict[str, Value]:
    return {
        "user_id": session.user_id,
        "client": session.client,
        "create_time_ms": session.create_time_ms,
        "refresh_time_ms": session.refresh_time_ms,
        "expire_time_ms": session.expire_time_ms,
        "revoke_time_ms": session.revoke_time_ms,
        "current_hashes": b"".join(session.current),
        "previous_hashes": b"".join(session.previous),
        "rotate_time_ms": session.rotate_time_ms,
        "version": session.version,
    }


def _session(row: Row) -> Session:
    plain = {name: row[name] for name in Session.__slots__ if name not in ("current", "previous")}
    hashes = {"current": _hashes(row["current_hashes"]), "previous": _hashes(row["previous_hashes"])}
    return Session(**plain, **hashes)  # type: ignore[arg-type]  # the table's declaration holds the types


def _hashes(packed: Value) -> tuple[bytes, ...]:
    assert isinstance(packed, bytes)
    return tuple(packed[at : at + _HASH_BYTES] for at in range(0, len(packed), _HASH_BYTES))
