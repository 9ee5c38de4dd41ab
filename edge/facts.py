"""Hydration: from ids to the facts that the law needs and the page shows, in batches, side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tintype.accounts.v1 import accounts_pb2
from tintype.engagement.v1 import engagement_pb2
from tintype.graph.v1 import graph_pb2
from tintype.media.v1 import posts_pb2

from edge.mesh import Mesh
from edge.recent import Entry, Recent
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


_Answer = tuple[float, SeenPost | None]
"""Until when the law's answer about a post holds, and what is seen of it."""


class Facts:
    """Reads facts for one viewer's request. All reads are batched; at most 200 ids each.

    What this process read within the last second is not read again (``MAX_AGE_S``): of a page that
    many look at, each fact is read once a second. The law's answers are kept, by viewer, for as long as
    every fact they were asked about holds: the law is a pure function, so asking again would say the same.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._people: Recent[tuple[int, int], Person] = Recent(MAX_AGE_S, 100_000)
        self._posts: Recent[int, KnownPost] = Recent(MAX_AGE_S, 50_000)
        self._counts: Recent[tuple[int, int], Any] = Recent(MAX_AGE_S, 100_000)
        self._answers: dict[Surface, dict[int, dict[int, _Answer]]] = {surface: {} for surface in Surface}
        self._answer_count = 0

    def forget_relation(self, viewer_id: int, user_id: int) -> None:
        """The viewer has just changed how the two stand to each other (or, where they are one, themselves)."""
        self._people.forget((viewer_id, user_id))
        self._people.forget((user_id, viewer_id))
        self._forget_answers(viewer_id, user_id)

    def forget_counts(self, viewer_id: int, post_id: int) -> None:
        """The viewer has just liked or commented."""
        self._counts.forget((viewer_id, post_id))
        self._forget_answers(viewer_id)

    def forget_post(self, post_id: int) -> None:
        """The post has just been changed here."""
        self._posts.forget(post_id)
        self._forget_all_answers()

    def _forget_answers(self, *viewer_ids: int) -> None:
        for of_surface in self._answers.values():
            for viewer_id in viewer_ids:
                self._answer_count -= len(of_surface.pop(viewer_id, ()))

    def _forget_all_answers(self) -> None:
        for of_surface in self._answers.values():
            of_surface.clear()
        self._answer_count = 0

    async def people(self, viewer_id: int, user_ids: Iterable[int]) -> dict[int, Person]:
        """These people, as the viewer stands to them; those that do not exist are left out."""
        found = await self._people.read({(viewer_id, user_id) for user_id in user_ids}, self._load_people)
        return {user_id: entry.value for (_, user_id), entry in found.items() if entry.value}

    async def _load_people(self, pairs: list[tuple[int, int]]) -> dict[tuple[int, int], Person]:
        """Pairs of (viewer, person), all of one viewer: the caller."""
        viewer_id, user_ids = pairs[0][0], [user_id for _, user_id in pairs]
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
        now, known = time.monotonic(), self._answers[surface].get(viewer_id, {})
        found = {post_id: answer for post_id in post_ids if (answer := known.get(post_id)) and answer[0] > now}
        if len(found) < len(post_ids):
            found |= await self._judge(viewer_id, [post_id for post_id in post_ids if post_id not in found], surface)
        return [seen for post_id in post_ids if (seen := found[post_id][1])]

    async def _judge(self, viewer_id: int, post_ids: list[int], surface: Surface) -> dict[int, _Answer]:
        """The law's answers about these posts, on facts of the last second."""
        posts, counts = await asyncio.gather(
            self._posts.read(post_ids, self._load_posts),
            self._counts.read([(viewer_id, post_id) for post_id in post_ids], self._load_counts),
        )
        authors = {(viewer_id, entry.value.post.author_id) for entry in posts.values() if entry.value}
        people = await self._people.read(authors, self._load_people)
        judged: dict[int, _Answer] = {}
        for post_id, post in posts.items():
            author = people[(viewer_id, post.value.post.author_id)] if post.value else None
            judged[post_id] = _answer(viewer_id, post, counts[(viewer_id, post_id)], author, surface)
        self._keep(judged, viewer_id, surface)
        return judged

    def _keep(self, judged: dict[int, _Answer], viewer_id: int, surface: Surface) -> None:
        if self._answer_count + len(judged) > _ANSWERS:
            self._forget_all_answers()
        kept = self._answers[surface].setdefault(viewer_id, {})
        self._answer_count -= len(kept)
        kept.update(judged)
        self._answer_count += len(kept)

    async def _load_posts(self, post_ids: list[int]) -> dict[int, KnownPost]:
        answer = await self._mesh.posts.BatchGetPosts(posts_pb2.BatchGetPostsRequest(post_ids=post_ids))
        return {
            post.post_id: KnownPost(post, PostFacts(Audience(post.audience), post.archived)) for post in answer.posts
        }

    async def _load_counts(self, pairs: list[tuple[int, int]]) -> dict[tuple[int, int], Any]:
        """Pairs of (viewer, post), all of one viewer: the caller."""
        wanted = engagement_pb2.BatchGetCountsRequest(post_ids=[post_id for _, post_id in pairs])
        answer = await self._mesh.engagement.BatchGetCounts(wanted)
        return {(pairs[0][0], counts.post_id): counts for counts in answer.counts}

    async def post(self, viewer_id: int, post_id: int) -> SeenPost:
        """One post that the viewer may see. POST_NOT_FOUND otherwise."""
        seen = await self.posts(viewer_id, [post_id])
        if not seen:
            raise post_not_found(post_id)
        return seen[0]


def _answer(
    viewer_id: int, post: Entry[KnownPost], counts: Entry[Any], author: Entry[Person] | None, surface: Surface
) -> _Answer:
    """Asks the law. What is not there, or is nobody's, is not seen."""
    known, person = post.value, author.value if author else None
    if not known or not author or not person:
        return post.until, None
    until = min(post.until, counts.until, author.until)
    if sight(viewer_id, person.author, person.relation, known.facts, surface) is not Sight.FULL:
        return until, None
    return until, SeenPost(known.post, person, counts.value or engagement_pb2.PostCounts(post_id=known.post.post_id))


def relation_of(relation: Any) -> Relation:
    """A relation as the law takes it."""
    return Relation(
        following=relation.following,
        requested=relation.requested,
        blocking=relation.blocking,
        blocked_by=relation.blocked_by,
        muting=relation.muting,
        close_friend=relation.close_friend,
        close_friend_of=relation.close_friend_of,
        followed_by=relation.followed_by,
    )


def user_not_found(reference: str) -> Problem:
    """The same answer for somebody who is not there and somebody whom the caller may not see."""
    return not_found("USER_NOT_FOUND", f"there is no user {reference} that you can see")


def post_not_found(post_id: int | str) -> Problem:
    """The same answer for a post that is not there and one that the caller may not see."""
    return not_found("POST_NOT_FOUND", f"there is no post {post_id} that you can see")
