"""Hydration: from ids to the facts that the law needs and the page shows, in batches, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tintype.accounts.v1 import accounts_pb2
from tintype.engagement.v1 import engagement_pb2
from tintype.graph.v1 import graph_pb2
from tintype.media.v1 import posts_pb2

from edge.mesh import Mesh
from edge.visibility import Audience, Author, PostFacts, Relation, Sight, Surface, sight
from mesh import ids
from mesh.errors import Problem, invalid, not_found

_STRANGER = Relation()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and how the viewer stands to them."""

    user: Any
    relation: Relation

    def sight(self, viewer_id: int, surface: Surface = Surface.ASKED) -> Sight:
        """What the law says of this person."""
        return sight(viewer_id, self.author, self.relation, None, surface)

    @property
    def author(self) -> Author:
        """The facts that the law needs."""
        return Author(self.user.user_id, self.user.private, self.user.hidden)


@dataclass(frozen=True, slots=True)
class SeenPost:
    """A post that the viewer may see, with all that showing it needs."""

    post: Any
    author: Person
    counts: Any


class Facts:
    """Reads facts for one viewer's request. All reads are batched; at most 200 ids each."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    async def people(self, user_ids: Iterable[int]) -> dict[int, Person]:
        """These people, for the caller; those that do not exist are left out."""
        wanted = list(dict.fromkeys(user_ids))
        if not wanted:
            return {}
        users, relations = await asyncio.gather(
            self._mesh.accounts.BatchGetUsers(accounts_pb2.BatchGetUsersRequest(user_ids=wanted)),
            self._mesh.graph.BatchGetRelations(graph_pb2.BatchGetRelationsRequest(user_ids=wanted)),
        )
        of = {relation.user_id: _relation(relation) for relation in relations.relations}
        return {user.user_id: Person(user, of.get(user.user_id, _STRANGER)) for user in users.users}

    async def person(self, viewer_id: int, reference: str, at_least: Sight = Sight.CARD) -> Person:
        """The person that ``{user}`` names: an id or @username. USER_NOT_FOUND where the law says so."""
        user_id = await self.user_id(reference)
        person = (await self.people([user_id])).get(user_id) if user_id else None
        if person is None or person.sight(viewer_id) < at_least:
            raise user_not_found(reference)
        return person

    async def user_id(self, reference: str) -> int | None:
        """The id that ``{user}`` names, whether or not anybody may see who it is."""
        if not reference.startswith("@"):
            user_id = ids.parse(reference)
            if user_id is None:
                raise invalid("user", "must be a user id or @username")
            return user_id
        name = reference[1:].lower()
        request = accounts_pb2.ResolveUsernamesRequest(usernames=[name])
        found: dict[str, int] = (await self._mesh.accounts.ResolveUsernames(request)).user_ids
        return found.get(name)

    async def posts(self, viewer_id: int, post_ids: Sequence[int], surface: Surface = Surface.ASKED) -> list[SeenPost]:
        """Those of these posts that the viewer may see, in the order given."""
        if not post_ids:
            return []
        posts, counts = await asyncio.gather(
            self._mesh.posts.BatchGetPosts(posts_pb2.BatchGetPostsRequest(post_ids=post_ids)),
            self._mesh.engagement.BatchGetCounts(engagement_pb2.BatchGetCountsRequest(post_ids=post_ids)),
        )
        people = await self.people(post.author_id for post in posts.posts)
        of = {count.post_id: count for count in counts.counts}
        return [
            SeenPost(post, people[post.author_id], of[post.post_id])
            for post in posts.posts
            if post.author_id in people and may_see(viewer_id, people[post.author_id], post, surface)
        ]

    async def post(self, viewer_id: int, post_id: int) -> SeenPost:
        """One post that the viewer may see. POST_NOT_FOUND otherwise."""
        seen = await self.posts(viewer_id, [post_id])
        if not seen:
            raise post_not_found(post_id)
        return seen[0]


def may_see(viewer_id: int, author: Person, post: Any, surface: Surface = Surface.ASKED) -> bool:
    """What the law says of a post."""
    facts = PostFacts(Audience(post.audience), post.archived)
    return sight(viewer_id, author.author, author.relation, facts, surface) is Sight.FULL


def _relation(relation: Any) -> Relation:
    return Relation(
        following=relation.following,
        requested=relation.requested,
        blocking=relation.blocking,
        blocked_by=relation.blocked_by,
        muting=relation.muting,
        close_friend_of=relation.close_friend_of,
        followed_by=relation.followed_by,
    )


def user_not_found(reference: str) -> Problem:
    """The same answer for somebody who is not there and somebody whom the caller may not see."""
    return not_found("USER_NOT_FOUND", f"there is no user {reference} that you can see")


def post_not_found(post_id: int | str) -> Problem:
    """The same answer for a post that is not there and one that the caller may not see."""
    return not_found("POST_NOT_FOUND", f"there is no post {post_id} that you can see")
