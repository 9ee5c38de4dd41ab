"""An edge: how one person stands to another, and how it may change. Pure; nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

LISTS = ("following", "requested", "blocking", "muting", "close_friend")
"""The facts of an edge that are listed newest first."""
REMEMBERED_EVENTS = 16
"""Latest events an edge remembers, so that an intent left by a crash can tell whether its claim held."""

Key = tuple[int, int]
"""(user_id, target_id)."""


@dataclass(frozen=True, slots=True)
class State:
    """What is true of a user towards a target."""

    following: bool = False
    requested: bool = False
    blocking: bool = False
    muting: bool = False
    close_friend: bool = False
    declined: bool = False
    """The target said no to the latest request: remembered so that saying it twice is no error."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Whether an edge's following is part of a count, as of that count's tick."""

    included: bool = False
    tick: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """The truth of one edge. ``version`` 0: nothing was ever said."""

    user_id: int
    target_id: int
    state: State = State()
    since: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LISTS, 0))
    """By name of LISTS, the id of the event that made it true; 0: it is not."""
    ever_followed: bool = False
    version: int = 0
    event_ids: tuple[int, ...] = ()
    counted: dict[str, Counted] = field(default_factory=dict)
    """By kind of count ("followers", "following")."""

    @property
    def key(self) -> Key:
        """(user_id, target_id)."""
        return self.user_id, self.target_id

    def changed(self, state: State, event_id: int) -> Edge:
        """This edge with another state, by an event."""
        since = {name: (self.since[name] or event_id) if getattr(state, name) else 0 for name in LISTS}
        return replace(
            self,
            state=state,
            since=since,
            ever_followed=self.ever_followed or state.following,
            version=self.version + 1,
            event_ids=(*self.event_ids, event_id)[-REMEMBERED_EVENTS:],
        )


@dataclass(frozen=True, slots=True)
class Relation:
    """How a viewer and a person stand to each other, both ways."""

    user_id: int
    following: bool = False
    requested: bool = False
    blocking: bool = False
    muting: bool = False
    close_friend: bool = False
    followed_by: bool = False
    requested_by: bool = False
    blocked_by: bool = False
    close_friend_of: bool = False


RELATION_FLAGS = tuple(flag.name for flag in fields(Relation) if flag.name != "user_id")

Transition = Callable[[State], State]
"""A state to the state after a change; the same state where there is nothing to change."""


def followed(state: State) -> State:
    """Follows, whether or not it was asked for."""
    return replace(state, following=True, requested=False, declined=False)


def asked(state: State) -> State:
    """Asks to follow; somebody who follows already goes on following."""
    return state if state.following else replace(state, requested=True, declined=False)


def unfollowed(state: State) -> State:
    """Neither follows nor asks."""
    return replace(state, following=False, requested=False)


def removed(state: State) -> State:
    """Follows no longer, by the will of the one who was followed; a request stays."""
    return replace(state, following=False)


def declined(state: State) -> State:
    """The request was refused."""
    return replace(state, requested=False, declined=True) if state.requested else state


def accepted(state: State) -> State:
    """The request was granted."""
    return followed(state) if state.requested else state


def blocked(state: State) -> State:
    """Blocks, which ends everything friendly."""
    return replace(severed(state), blocking=True)


def unblocked(state: State) -> State:
    """Blocks no longer; what the block ended stays ended."""
    return replace(state, blocking=False)


def severed(state: State) -> State:
    """What a block, from either side, leaves of an edge."""
    return replace(state, following=False, requested=False, close_friend=False)


def muted(state: State) -> State:
    """Does not want to see their posts."""
    return replace(state, muting=True)


def unmuted(state: State) -> State:
    """Wants to see their posts again."""
    return replace(state, muting=False)


def befriended(state: State) -> State:
    """Counts them among the close friends."""
    return replace(state, close_friend=True)


def unfriended(state: State) -> State:
    """Counts them among the close friends no longer."""
    return replace(state, close_friend=False)
