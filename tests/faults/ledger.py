"""What was asked of an installation, and what of it was acknowledged."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Made:
    """Something that a create made, once, under its request id."""

    owner: str
    """User id of who made it."""
    request_id: str
    text: str
    """The caption or comment, unlike any other; of an upload, nothing."""
    inside: str = ""
    """What it belongs to: the medium of a post, the post of a comment."""
    id: str = ""
    """Empty until it is acknowledged."""

    @property
    def acknowledged(self) -> bool:
        return bool(self.id)


@dataclass
class Switch:
    """A like or a follow: on or off as of the last answer."""

    on: bool = False
    sure: bool = True
    """False: the last request was given up without an answer, so it may stand either way."""
    final: bool = False
    """Not to be changed again."""


@dataclass
class Ledger:
    """Everything that the load asked for."""

    uploads: list[Made] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    """Content of each upload by its request id."""
    posts: list[Made] = field(default_factory=list)
    comments: list[Made] = field(default_factory=list)
    likes: dict[tuple[str, str], Switch] = field(default_factory=dict)
    """By (user id, post id)."""
    follows: dict[tuple[str, str], Switch] = field(default_factory=dict)
    """By (follower, followee)."""
    failures: list[str] = field(default_factory=list)
    """Each try that was not acknowledged: reason and message."""

    def known_posts(self) -> list[Made]:
        """Posts that were acknowledged."""
        return [post for post in self.posts if post.acknowledged]

    def in_doubt(self) -> int:
        """How many requests were given up without an answer."""
        switches = [*self.likes.values(), *self.follows.values()]
        creates = [*self.uploads, *self.posts, *self.comments]
        return sum(not switch.sure for switch in switches) + sum(not made.acknowledged for made in creates)
