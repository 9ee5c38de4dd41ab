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
from edge.recent import Recent
from edge.visibility import Audience, Author, PostFacts, Relation, Sight, Surface, sight
from mesh import ids
from mesh.errors import Problem, invalid, not_found

MAX_AGE_S = 1.0
"""How old a fact may be when it is shown, on top of what the services' own caches allow."""
_ANSWERS = 50_000
_STRANGER = Relation()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and how the viewer stands to them."""

    user: Any
    relation: Relation
    author: Author
    """The facts that the law needs."""

    def sight(self, viewer_id: int, surface: Surface = Surface.ASKED) -> Sight:
        """What the law says of this person."""
        return sight(viewer_id, self.author, self.relation, None, surface)


@dataclass(frozen=True, slots=True)
class KnownPost:
    """A post that exists, and the facts of it that the law needs."""

    post: Any
    facts: PostFacts


@dataclass(frozen=True, slots=True, eq=False)
class SeenPost:
    """A post that the viewer may see, with all that showing it needs. The same object as long as its facts
    are the same, so that what is derived from it can be kept by it."""

    post: Any
    author: Person
    counts: Any


class Facts:
    """Reads facts for one viewer's request. All reads are batched; at most 200 ids each.

    What this process read within the last second is not read again (``MAX_AGE_S``): of a page that
    many look at, each fact is read once a second. The law's answer is kept only while every fact it was
    asked about is the same object: it is a pure function, so asking again would say the same.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._people: Recent[tuple[int, int], Person] = Recent(MAX_AGE_S, 100_000)
        self._posts: Recent[int, KnownPost] = Recent(MAX_AGE_S, 50_000)
        self._counts: Recent[tuple[int, int], Any] = Recent(MAX_AGE_S, 100_000)
        self._answers: dict[tuple[int, int, Surface], tuple[KnownPost, Person, Any, SeenPost | None]] = {}

    def forget_relation(self, viewer_id: int, user_id: int) -> None:
        """The viewer has just changed how the two stand to each other (or, where they are one, themselves)."""
        self._people.pop((viewer_id, user_id))
        self._people.pop((user_id, viewer_id))

    def forget_counts(self, viewer_id: int, post_id: int) -> None:
        """The viewer has just liked or commented."""
        self._counts.pop((viewer_id, post_id))

    def forget_post(self, post_id: int) -> None:
        """The post has just been changed here."""
        self._posts.pop(post_id)

    async def people(self, viewer_id: int, user_ids: Iterable[int]) -> dict[int, Person]:
        """These people, as the viewer stands to them; those that do not exist are left out."""
        keys = {(viewer_id, user_id) for user_id in user_ids}
        found, missing = self._people.among(keys)
        if missing:
            loaded = await self._load_people(viewer_id, [user_id for _, user_id in missing])
            self._people.remember(missing, loaded)
            found |= loaded
        return {user_id: person for (_, user_id), person in found.items()}

    async def _load_people(self, viewer_id: int, user_ids: list[int]) -> dict[tuple[int, int], Person]:
        users, relations = await asyncio.gather(
            self._mesh.accounts.BatchGetUsers(accounts_pb2.BatchGetUsersRequest(user_ids=user_ids)),
            self._mesh.graph.BatchGetRelations(graph_pb2.BatchGetRelationsRequest(user_ids=user_ids)),
        )
        of = {relation.user_id: relation_of(relation) for relation in relations.relations}
        return {
            (viewer_id, user.user_id): Person(
                user, of.get(user.user_id, _STRANGER), Author(user.user_id, user.private, user.hidden)
            )
            for user in users.users
        }

    async def person(self, viewer_id: int, reference: str, at_least: Sight = Sight.CARD) -> Person:
        """The person that ``{user}`` names: an id or @username. USER_NOT_FOUND where the law says so."""
        user_id = await self.user_id(reference)
        person = (await self.people(viewer_id, [user_id])).get(user_id) if user_id else None
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
        posts, counts = await self._known_posts(post_ids), await self._known_counts(viewer_id, post_ids)
        known = [found for post_id in post_ids if (found := posts.get(post_id))]
        people = await self.people(viewer_id, {found.post.author_id for found in known})
        return [
            seen
            for found in known
            if (author := people.get(found.post.author_id))
            and (seen := self._seen_by(viewer_id, author, found, counts[(viewer_id, found.post.post_id)], surface))
        ]

    def _seen_by(
        self, viewer_id: int, author: Person, known: KnownPost, counts: Any, surface: Surface
    ) -> SeenPost | None:
        """The law's answer, kept for as long as every fact it was asked about is the very same object."""
        key = (viewer_id, known.post.post_id, surface)
        kept = self._answers.get(key)
        if kept and kept[0] is known and kept[1] is author and kept[2] is counts:
            return kept[3]
        visible = sight(viewer_id, author.author, author.relation, known.facts, surface) is Sight.FULL
        seen = SeenPost(known.post, author, counts) if visible else None
        if len(self._answers) >= _ANSWERS:
            self._answers.clear()
        self._answers[key] = (known, author, counts, seen)
        return seen

    async def _known_posts(self, post_ids: Sequence[int]) -> dict[int, KnownPost]:
        found, missing = self._posts.among(post_ids)
        if missing:
            answer = await self._mesh.posts.BatchGetPosts(posts_pb2.BatchGetPostsRequest(post_ids=missing))
            loaded = {
                post.post_id: KnownPost(post, PostFacts(Audience(post.audience), post.archived))
                for post in answer.posts
            }
            self._posts.remember(missing, loaded)
            found |= loaded
        return found

    async def _known_counts(self, viewer_id: int, post_ids: Sequence[int]) -> dict[tuple[int, int], Any]:
        found, missing = self._counts.among([(viewer_id, post_id) for post_id in post_ids])
        if missing:
            wanted = [post_id for _, post_id in missing]
            answer = await self._mesh.engagement.BatchGetCounts(engagement_pb2.BatchGetCountsRequest(post_ids=wanted))
            loaded = {(viewer_id, counts.post_id): counts for counts in answer.counts}
            self._counts.remember(missing, loaded)
            found |= loaded
        return found

    async def post(self, viewer_id: int, post_id: int) -> SeenPost:
        """One post that the viewer may see. POST_NOT_FOUND otherwise."""
        seen = await self.posts(viewer_id, [post_id])
        if not seen:
            raise post_not_found(post_id)
        return seen[0]


def relation_of(relation: Any) -> Relation:
    """A relation as the law takes it."""
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
