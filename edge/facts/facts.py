"""Reading facts for a request: in batches, side by side, each at most a second after it was read last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from tintype.accounts.v1 import accounts_pb2
from tintype.media.v1 import posts_pb2

from edge.facts.facets import facets
from edge.facts.known import KnownCircle, Person, Post, SeenPost, load_circles, load_people, load_posts, subject_of
from edge.mesh import Forgotten, Mesh
from edge.visibility import ANYONE, Author, Subject, Viewer, may_see, may_see_card
from mesh import ids
from mesh.clock import Clock
from mesh.errors import Problem, invalid, not_found
from mesh.memory import Memory, read_together

MAX_AGE_S = 1.0
"""How old a fact may be when it is shown, on top of what the services' own memories allow."""
May = Callable[[Viewer, Author, Subject], bool]
"""A verb of the law over a post."""


class Facts:
    """Reads facts. All reads are batched; at most 200 ids each."""

    def __init__(self, mesh: Mesh, clock: Clock) -> None:
        self._mesh, self._clock = mesh, clock
        self._people: Memory[int, Person] = Memory(partial(load_people, mesh), MAX_AGE_S, 100_000, asked="accounts")
        self._posts: Memory[int, Post] = Memory(partial(load_posts, mesh), MAX_AGE_S, 50_000, asked="media")
        self._circles: Memory[int, KnownCircle] = Memory(
            self._load_circles, MAX_AGE_S, 4_000_000, KnownCircle.weigh, asked="graph"
        )
        self._facets = facets(mesh, MAX_AGE_S)
        self._memories: dict[str, Memory[Any, Any]] = {
            "people": self._people,
            "posts": self._posts,
            "circles": self._circles,
        }
        self._memories |= {facet.name: facet.memory for facet in self._facets}

    def remember(self, name: str, memory: Memory[Any, Any]) -> None:
        """Let calls forget in another memory as well, by this name."""
        self._memories[name] = memory

    def forget(self, forgotten: Iterable[Forgotten]) -> None:
        """A call has just changed these (see :mod:`edge.mesh`)."""
        for name, key in forgotten:
            self._memories[name].forget(key)

    async def viewer(self, viewer_id: int) -> Viewer:
        """Who looks, as the law needs them."""
        known = await self._circles.one(viewer_id) if viewer_id != ANYONE else None
        return self._viewer(viewer_id, known)

    async def people(self, user_ids: Iterable[int]) -> dict[int, Person]:
        """These people; those that do not exist are left out."""
        return await self._people.read(set(user_ids))

    async def visible(self, viewer_id: int, user_ids: Iterable[int]) -> dict[int, Person]:
        """Those of these people whose card the viewer may see."""
        viewer, people = await self.viewer(viewer_id), await self.people(user_ids)
        return {user_id: person for user_id, person in people.items() if may_see_card(viewer, person.facts)}

    async def person(self, viewer: Viewer, reference: str) -> Person:
        """The person that ``{user}`` names: an id or @username. USER_NOT_FOUND where the law says so."""
        user_id = await self.user_id(reference)
        person = await self._people.one(user_id) if user_id else None
        if person is None or not may_see_card(viewer, person.facts):
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
        found: Mapping[str, int] = (await self._mesh.accounts.ResolveUsernames(request)).user_ids
        return found.get(name)

    async def posts(self, viewer_id: int, post_ids: Sequence[int], may: May = may_see) -> list[SeenPost]:
        """Those of these posts that the viewer may see (or, by another verb of the law, be shown), in the order
        given."""
        parts = self._parts(viewer_id, post_ids)
        circles, posts, *added = await read_together((self._circles, [viewer_id]), (self._posts, post_ids), *parts)
        people = await self._people.read({post.message.author_id for post in posts.values()})
        viewer = self._viewer(viewer_id, circles[viewer_id])
        seen = []
        for at, post_id in enumerate(post_ids):
            post = posts.get(post_id)
            author = people.get(post.message.author_id) if post else None
            if post and author and may(viewer, author.facts, post.subject):
                facets = b"".join([found.get(keys[at], b"") for (_, keys), found in zip(parts, added, strict=True)])
                seen.append(SeenPost(post.message, post.subject, author, facets))
        return seen

    async def post(self, viewer_id: int, post_id: int) -> SeenPost:
        """One post that the viewer may see. POST_NOT_FOUND otherwise."""
        seen = await self.posts(viewer_id, [post_id])
        if not seen:
            raise post_not_found(post_id)
        return seen[0]

    async def own_post(self, post: posts_pb2.Post) -> SeenPost:
        """A post that its author has just written, as the write answered it: nothing is asked without which it
        cannot be shown, so that who repeats the call for want of an answer does so for no want of ours.
        POST_NOT_FOUND where not even its author may see it."""
        subject = subject_of(post)
        if not may_see(Viewer(post.author_id), Author(post.author_id), subject):
            raise post_not_found(post.post_id)
        parts = await read_together(*self._parts(post.author_id, [post.post_id]))
        try:
            author = await self._people.one(post.author_id)
        except Problem:
            author = None
        facets = b"".join(part for found in parts for part in found.values())
        return SeenPost(post, subject, author or Person.unknown(post.author_id), facets)

    async def known_post(self, post_id: int) -> Post | None:
        """A post, whoever may see it: for the gate, which asks the law itself."""
        return await self._posts.one(post_id)

    def _parts(self, viewer_id: int, post_ids: Sequence[int]) -> list[tuple[Memory[Any, bytes], list[Any]]]:
        """What to ask the facets' memories for."""
        return [(facet.memory, facet.keys(viewer_id, post_ids)) for facet in self._facets]

    async def _load_circles(self, user_ids: list[int]) -> Mapping[int, KnownCircle]:
        return await load_circles(self._mesh, user_ids, self._circles.last)

    def _viewer(self, viewer_id: int, known: KnownCircle | None) -> Viewer:
        return Viewer(viewer_id, known.circle, self._clock.now_ms()) if known else Viewer(viewer_id)


def user_not_found(reference: str) -> Problem:
    """The same answer for somebody who is not there and somebody whom the caller may not see."""
    return not_found("USER_NOT_FOUND", f"there is no user {reference} that you can see")


def post_not_found(post_id: int | str) -> Problem:
    """The same answer for a post that is not there and one that the caller may not see."""
    return not_found("POST_NOT_FOUND", f"there is no post {post_id} that you can see")
