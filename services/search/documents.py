"""What is indexed: people and posts as the services that own them last said, and who may find them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post was taken, as its author said. Degrees, WGS 84."""

    place_id: str
    name: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person's public facts. ``hidden``: deactivated, suspended or erased; ``version`` rises with every change."""

    user_id: int
    version: int
    username: str = ""
    display_name: str = ""
    private: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """A post's facts. ``for_everyone``: its audience; ``live``: neither archived nor deleted."""

    post_id: int
    author_id: int
    version: int
    caption: str = ""
    hashtags: tuple[str, ...] = ()
    """Without the #, as in :func:`services.search.text.folding.tag`, each once."""
    place: Place | None = None
    for_everyone: bool = True
    live: bool = True


Document: TypeAlias = User | Post


class Listing(Enum):
    """In which index a post stands."""

    PUBLIC = "public"
    """Anyone may find it: for everyone, by an author who is not private. Only these are counted."""
    RESTRICTED = "restricted"
    """Some may find it; who, the edge's visibility law decides."""
    NOWHERE = "nowhere"
    """Nobody finds it: archived, deleted, or by a hidden author."""


class Standing(Enum):
    """What an author's account means for their posts."""

    PUBLIC = "public"
    PRIVATE = "private"
    HIDDEN = "hidden"


def standing(author: User | None) -> Standing:
    """An author of whom nothing is known yet counts as private, so that nothing leaks meanwhile."""
    if author is None:
        return Standing.PRIVATE
    if author.hidden:
        return Standing.HIDDEN
    return Standing.PRIVATE if author.private else Standing.PUBLIC


def listing(post: Post, author: User | None) -> Listing:
    """Where a post by this author stands."""
    author_standing = standing(author)
    if not post.live or author_standing is Standing.HIDDEN:
        return Listing.NOWHERE
    if post.for_everyone and author_standing is Standing.PUBLIC:
        return Listing.PUBLIC
    return Listing.RESTRICTED
