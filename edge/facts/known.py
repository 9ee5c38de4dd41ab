"""What is known of people, posts and viewers, and how it is read from their services."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tintype.accounts.v1 import accounts_pb2
from tintype.graph.v1 import graph_pb2
from tintype.media.v1 import posts_pb2
from tintype.type.v1 import content_pb2

from edge.mesh import Mesh
from edge.visibility import Audience, Author, Circle, Kind, Restriction, Subject

_HIDDEN = frozenset({Restriction.HIDDEN})
_NONE: frozenset[Restriction] = frozenset()
_RESTRICTIONS = {content_pb2.RESTRICTION_REMOVED: Restriction.REMOVED}
"""What is not known here shows nothing."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody."""

    user: accounts_pb2.User
    facts: Author
    """What the law needs to know of them."""

    @classmethod
    def unknown(cls, user_id: int) -> Person:
        """Somebody of whom nothing but the id can be read just now."""
        return cls(accounts_pb2.User(user_id=user_id), Author(user_id))


@dataclass(frozen=True, slots=True)
class Post:
    """A post that exists."""

    message: posts_pb2.Post
    subject: Subject
    """What the law needs to know of it."""


@dataclass(frozen=True, slots=True)
class SeenPost:
    """A post that the viewer may see, with all that showing it needs."""

    post: posts_pb2.Post
    subject: Subject
    author: Person
    facets: bytes
    """What the facets add: parts of the public message, serialised one after the other."""


@dataclass(frozen=True, slots=True)
class KnownCircle:
    """A circle, and the version by which graph tells whether it has changed."""

    version: int
    circle: Circle
    size: int

    def weigh(self) -> int:
        """Ids in it, about."""
        return self.size


async def load_people(mesh: Mesh, user_ids: list[int]) -> Mapping[int, Person]:
    """People by id."""
    answer = await mesh.accounts.BatchGetUsers(accounts_pb2.BatchGetUsersRequest(user_ids=user_ids))
    return {user.user_id: _person(user) for user in answer.users}


def _person(user: accounts_pb2.User) -> Person:
    return Person(user, Author(user.user_id, user.private, _HIDDEN if user.hidden else _NONE))


async def load_posts(mesh: Mesh, post_ids: list[int]) -> Mapping[int, Post]:
    """Posts by id."""
    answer = await mesh.posts.BatchGetPosts(posts_pb2.BatchGetPostsRequest(post_ids=post_ids))
    return {post.post_id: Post(post, subject_of(post)) for post in answer.posts}


def subject_of(post: posts_pb2.Post) -> Subject:
    """A post as the law takes it."""
    kinds = [_RESTRICTIONS.get(kind, Restriction.REMOVED) for kind in post.restrictions]
    return Subject(Kind.POST, Audience(post.audience), archived=post.archived, restrictions=frozenset(kinds))


async def load_circles(
    mesh: Mesh, user_ids: list[int], last: Callable[[int], KnownCircle | None]
) -> Mapping[int, KnownCircle]:
    """Circles by their owner. ``last``: what was known before, which is not sent again where it still holds."""
    return dict(
        zip(user_ids, await asyncio.gather(*(_circle(mesh, each, last(each)) for each in user_ids)), strict=True)
    )


async def _circle(mesh: Mesh, user_id: int, known: KnownCircle | None) -> KnownCircle:
    request = graph_pb2.GetCircleRequest(user_id=user_id, known_version=known.version if known else 0)
    answer = await mesh.graph.GetCircle(request)
    if known and answer.unchanged:
        return known
    sets = Circle(
        following=_ids(answer.following),
        requested=_ids(answer.requested),
        blocking=_ids(answer.blocking),
        muting=_ids(answer.muting),
        close_friends=_ids(answer.close_friends),
        blocked_by=_ids(answer.blocked_by),
        close_friend_of=_ids(answer.close_friend_of),
    )
    return KnownCircle(answer.version, sets, answer.ByteSize() // 8 + 1)


def _ids(packed: bytes) -> frozenset[int]:
    return frozenset(struct.unpack(f">{len(packed) // 8}q", packed))
