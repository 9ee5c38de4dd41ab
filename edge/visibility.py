"""The visibility law: who may see what. The one place in Tintype that decides it.

Verbs over subjects, pure functions of facts. Every surface that shows anything of anyone asks one of them, at
the moment it is shown, with facts it has just read; nothing else in the code base compares audiences, privacy
or blocks to decide what somebody sees, and no surface chooses how much. "May not see" and "is not there" are
the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_NOBODY: frozenset[int] = frozenset()
ANYONE = 0
"""The viewer who is nobody in particular: sees what everybody sees."""


class Audience(Enum):
    """For whom the author meant something."""

    EVERYONE = 1
    FOLLOWERS = 2
    CLOSE_FRIENDS = 3
    ONLY_ME = 4


class Kind(Enum):
    """What a subject is."""

    POST = "post"
    STORY = "story"
    MESSAGE = "message"
    LIVE = "live"


class Restriction(Enum):
    """What is kept beside a person or their content, and undone by taking it away."""

    HIDDEN = "hidden"
    """Of a person: deactivated, suspended or erased. Nothing of them is shown to anybody else."""
    REMOVED = "removed"
    """Of content: taken down. Shown to nobody, its author included."""


@dataclass(frozen=True, slots=True)
class Circle:
    """How one person stands to everybody: ids by what this person says of others, and by what they say of them."""

    following: frozenset[int] = _NOBODY
    requested: frozenset[int] = _NOBODY
    """Asking to follow shows nothing more."""
    blocking: frozenset[int] = _NOBODY
    muting: frozenset[int] = _NOBODY
    close_friends: frozenset[int] = _NOBODY
    """Whom one counts among one's close friends, which shows one nothing more of them."""
    blocked_by: frozenset[int] = _NOBODY
    close_friend_of: frozenset[int] = _NOBODY


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and when (``now_ms``: milliseconds since the Unix epoch)."""

    user_id: int
    circle: Circle = Circle()
    now_ms: int = 0


@dataclass(frozen=True, slots=True)
class Author:
    """The facts of whoever a subject belongs to; of a person, the facts of that person."""

    user_id: int
    private: bool = False
    restrictions: frozenset[Restriction] = frozenset()


@dataclass(frozen=True, slots=True)
class Subject:
    """The facts of a piece of content. What was deleted has no facts: it is not there."""

    kind: Kind
    audience: Audience
    members: frozenset[int] | None = None
    """Where it is meant for people by name, these; else ``audience`` says for whom."""
    expire_time_ms: int = 0
    """From when on it is its author's alone; 0: never."""
    archived: bool = False
    restrictions: frozenset[Restriction] = frozenset()


def may_see_card(viewer: Viewer, person: Author) -> bool:
    """Name, picture, bio and counts. Whom one blocks one can still find, to unblock."""
    return viewer.user_id == person.user_id or not _turned_away(viewer, person)


def may_see_profile(viewer: Viewer, person: Author) -> bool:
    """That, and what they let their followers see: their grid."""
    return viewer.user_id == person.user_id or _admitted(viewer, person)


def may_see_list(viewer: Viewer, person: Author) -> bool:
    """Who follows a person, and whom they follow."""
    return may_see_profile(viewer, person)


def may_see(viewer: Viewer, author: Author, subject: Subject) -> bool:
    """A piece of content, where the viewer went to look: by its link, in a grid, in a search."""
    if subject.restrictions and Restriction.REMOVED in subject.restrictions:
        return False
    if viewer.user_id == author.user_id:
        return True
    if subject.archived or 0 < subject.expire_time_ms <= viewer.now_ms or not _admitted(viewer, author):
        return False
    return _is_meant(viewer, author, subject)


def may_come_unasked(viewer: Viewer, author: Author, subject: Subject) -> bool:
    """A piece of content that would come to the viewer: in the home feed, in notifications."""
    return author.user_id not in viewer.circle.muting and may_see(viewer, author, subject)


def may_see_comment(viewer: Viewer, commenter: Author, author: Author, subject: Subject) -> bool:
    """What somebody wrote under an author's subject."""
    return may_see_card(viewer, commenter) and may_see(viewer, author, subject)


def may_see_medium(viewer: Viewer, owner: Author, subject: Subject | None) -> bool:
    """The bytes of a photograph that a subject shows; without one, of a person's picture."""
    return may_see(viewer, owner, subject) if subject else may_see_card(viewer, owner)


def _turned_away(viewer: Viewer, person: Author) -> bool:
    hidden = bool(person.restrictions) and Restriction.HIDDEN in person.restrictions
    return hidden or person.user_id in viewer.circle.blocked_by


def _admitted(viewer: Viewer, person: Author) -> bool:
    """Whether somebody else is let in at all."""
    circle = viewer.circle
    if _turned_away(viewer, person) or person.user_id in circle.blocking:
        return False
    return not person.private or person.user_id in circle.following


def _is_meant(viewer: Viewer, author: Author, subject: Subject) -> bool:
    """Whether somebody other than the author is among those whom something is meant for."""
    if subject.members is not None:
        return viewer.user_id in subject.members
    match subject.audience:
        case Audience.EVERYONE:
            return True
        case Audience.FOLLOWERS:
            return author.user_id in viewer.circle.following
        case Audience.CLOSE_FRIENDS:
            return author.user_id in viewer.circle.close_friend_of
        case Audience.ONLY_ME:
            return False
