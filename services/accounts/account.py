"""An account, its public facts and its sessions. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

from mesh.storage import Column, ColumnType, Packed

REMEMBERED_EVENTS = 16
"""Latest events an account remembers, so that an intent left by a crash can tell whether its claim held."""


@dataclass(frozen=True, slots=True)
class User:
    """What others may need to know to show a person, or to decide not to."""

    user_id: int
    username: str
    display_name: str
    create_time_ms: int
    bio: str = ""
    website: str = ""
    private: bool = False
    hidden: bool = False
    avatar_asset_id: int = 0
    media_epoch: int = 1
    """Rises whenever links to the person's media must die at once."""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A user with what only its owner and this service may know."""

    user: User
    email: str
    password_hash: str
    event_ids: Packed = ()

    @property
    def version(self) -> int:
        """The version of its public facts. 0: not created yet."""
        return self.user.version

    def changed(self, user: User, event_id: int) -> Account:
        """This account with other public facts, by an event. Going private or out of sight ends old media links."""
        ended = (user.private and not self.user.private) or (user.hidden and not self.user.hidden)
        newer = replace(user, version=self.user.version + 1, media_epoch=self.user.media_epoch + ended)
        return replace(self, user=newer, event_ids=(*self.event_ids, event_id)[-REMEMBERED_EVENTS:])


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a name, and since when. ``user_id`` 0: nobody any more."""

    user_id: int
    claim_time_ms: int


_HASH_BYTES = 32


def _hashes(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[at : at + _HASH_BYTES] for at in range(0, len(joined), _HASH_BYTES))


_Hashes: TypeAlias = Annotated[tuple[bytes, ...], Column(ColumnType.BYTES, b"".join, _hashes)]


@dataclass(frozen=True, slots=True)
class Session:
    """A session. ``current_hashes`` are those of refresh tokens that may be exchanged, ``previous_hashes`` of
    those they were given for, at ``rotate_time_ms``."""

    session_id: int
    user_id: int
    client: str
    create_time_ms: int
    refresh_time_ms: int
    expire_time_ms: int
    revoke_time_ms: int = 0
    current_hashes: _Hashes = ()
    previous_hashes: _Hashes = ()
    rotate_time_ms: int = 0
    version: int = 1
