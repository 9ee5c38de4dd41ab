"""The visibility law: who may see what. The one place in Tintype that decides it.

A pure function of facts. Every surface that shows anything of anyone asks here, at the moment it is
shown, with facts it has just read; nothing else in the code base compares audiences, privacy or
blocks to decide what somebody sees. "May not see" and "is not there" are the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Audience(Enum):
    """For whom the author meant a post."""

    EVERYONE = 1
    FOLLOWERS = 2
    CLOSE_FRIENDS = 3
    ONLY_ME = 4


class Sight(IntEnum):
    """How much of something is seen; each level includes the ones before."""

    NOTHING = 0
    """As if it were not there."""
    CARD = 1
    """A person's name, picture, bio and counts; none of their posts and lists."""
    FULL = 2
    """All of it."""


class Surface(Enum):
    """Where it would be shown. Muting hides from surfaces that come to the viewer unasked."""

    ASKED = "asked"
    """The viewer went to look: a profile, a grid, a post, a search."""
    UNASKED = "unasked"
    """It would come to the viewer: the home feed, notifications, suggestions."""


@dataclass(frozen=True, slots=True)
class Author:
    """The facts of whoever the thing belongs to."""

    user_id: int
    private: bool
    hidden: bool
    """Deactivated, suspended or erased."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How the viewer stands to the author, and the author to the viewer."""

    following: bool = False
    requested: bool = False
    blocking: bool = False
    blocked_by: bool = False
    muting: bool = False
    close_friend: bool = False
    """The viewer counts the author among their close friends, which shows the viewer nothing more."""
    close_friend_of: bool = False
    """The author counts the viewer among their close friends."""
    followed_by: bool = False


@dataclass(frozen=True, slots=True)
class PostFacts:
    """The facts of a post that decide who sees it. A deleted post has no facts: it is not there."""

    audience: Audience
    archived: bool = False


def sight(
    viewer_id: int,
    author: Author,
    relation: Relation,
    post: PostFacts | None = None,
    surface: Surface = Surface.ASKED,
) -> Sight:
    """How much ``viewer_id`` sees of the author, or of the author's ``post`` where one is given.

    Of a post one sees everything or nothing.
    """
    if viewer_id == author.user_id:
        return Sight.FULL
    if author.hidden or relation.blocked_by:
        return Sight.NOTHING
    if relation.blocking:
        # Whom one blocks one can still find, to unblock.
        return Sight.NOTHING if post or surface is Surface.UNASKED else Sight.CARD
    if relation.muting and surface is Surface.UNASKED:
        return Sight.NOTHING
    admitted = relation.following or not author.private
    if post is None:
        return Sight.FULL if admitted else Sight.CARD
    return Sight.FULL if admitted and not post.archived and _in_audience(post.audience, relation) else Sight.NOTHING


def _in_audience(audience: Audience, relation: Relation) -> bool:
    """Whether somebody other than the author is among those a post is meant for."""
    match audience:
        case Audience.EVERYONE:
            return True
        case Audience.FOLLOWERS:
            return relation.following
        case Audience.CLOSE_FRIENDS:
            return relation.close_friend_of
        case Audience.ONLY_ME:
            return False
