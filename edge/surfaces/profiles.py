"""ProfileService: people, their grids, who follows whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tintype.edge.v1 import profiles_pb2
from tintype.graph.v1 import graph_pb2
from tintype.timeline.v1 import timeline_pb2

from edge import pages
from edge.facts import Facts, Person, SeenPost
from edge.mesh import Mesh
from edge.present import Presenter
from edge.visibility import Sight
from mesh.paging import PageTokens
from mesh.rpc.call import Call


class People:
    """Lists of people: hydrate ids, keep whom the law lets the viewer find, present."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter) -> None:
        self._mesh = mesh
        self._facts = facts
        self._presenter = presenter

    async def visible(self, viewer_id: int, user_ids: Sequence[int]) -> list[Any]:
        """Public profiles of those whom the viewer may find, in the order given."""
        people = await self._facts.people(viewer_id, user_ids)
        found = [
            people[user_id]
            for user_id in user_ids
            if user_id in people and people[user_id].sight(viewer_id) >= Sight.CARD
        ]
        return await self.profiles(found)

    async def profiles(self, people: Sequence[Person]) -> list[Any]:
        """Profiles with their counts."""
        if not people:
            return []
        wanted = [person.user.user_id for person in people]
        counts, posts = await asyncio.gather(
            self._mesh.graph.BatchGetCounts(graph_pb2.BatchGetCountsRequest(user_ids=wanted)),
            self._mesh.timeline.BatchGetPostCounts(timeline_pb2.BatchGetPostCountsRequest(author_ids=wanted)),
        )
        return [
            self._presenter.profile(person, count, post_count)
            for person, count, post_count in zip(people, counts.counts, posts.post_counts, strict=True)
        ]


class ProfileServer:
    """ProfileService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, tokens: PageTokens, people: People) -> None:
        self._mesh = mesh
        self._facts = facts
        self._presenter = presenter
        self._tokens = tokens
        self._people = people

    async def GetProfile(self, request: Any, call: Call) -> Any:
        viewer_id = call.user.user_id
        person = await self._facts.person(viewer_id, request.user)
        [user] = await self._people.profiles([person])
        return profiles_pb2.GetProfileResponse(user=user)

    async def ListUserPosts(self, request: Any, call: Call) -> Any:
        viewer_id = call.user.user_id
        person = await self._facts.person(viewer_id, request.user)
        if person.sight(viewer_id) < Sight.FULL:
            return profiles_pb2.ListUserPostsResponse()
        author_id = person.user.user_id
        binding = ("grid", viewer_id, author_id)

        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
            answer = await self._mesh.timeline.ListAuthorPosts(
                timeline_pb2.ListAuthorPostsRequest(
                    author_id=author_id, page_size=count, before_post_id=pages.to_id(cursor)
                )
            )
            return answer.post_ids, pages.from_id(answer.next_before_post_id)

        async def rules(post_ids: Sequence[int]) -> list[SeenPost]:
            return await self._facts.posts(viewer_id, post_ids)

        cursor = self._tokens.open(request.page_token, *binding)
        seen, following = await pages.fill(skeleton, rules, cursor, pages.size(request.page_size))
        posts = [self._presenter.post(viewer_id, post) for post in seen]
        token = self._tokens.sign(following, *binding)
        return profiles_pb2.ListUserPostsResponse(posts=posts, next_page_token=token)

    async def ListFollowers(self, request: Any, call: Call) -> Any:
        users, token = await self._related(
            request, call, "followers", self._mesh.graph.ListFollowers, graph_pb2.ListFollowersRequest
        )
        return profiles_pb2.ListFollowersResponse(users=users, next_page_token=token)

    async def ListFollowing(self, request: Any, call: Call) -> Any:
        users, token = await self._related(
            request, call, "following", self._mesh.graph.ListFollowing, graph_pb2.ListFollowingRequest
        )
        return profiles_pb2.ListFollowingResponse(users=users, next_page_token=token)

    async def _related(self, request: Any, call: Call, name: str, read: Any, make: Any) -> tuple[list[Any], str]:
        """One side of a person's follows; nothing where the law shows only their card."""
        viewer_id = call.user.user_id
        person = await self._facts.person(viewer_id, request.user)
        if person.sight(viewer_id) < Sight.FULL:
            return [], ""
        owner_id = person.user.user_id
        binding = (name, viewer_id, owner_id)

        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
            answer = await read(make(user_id=owner_id, page_size=count, cursor=cursor))
            return answer.user_ids, answer.next_cursor

        async def rules(user_ids: Sequence[int]) -> list[Any]:
            return await self._people.visible(viewer_id, user_ids)

        cursor = self._tokens.open(request.page_token, *binding)
        users, following = await pages.fill(skeleton, rules, cursor, pages.size(request.page_size))
        return users, self._tokens.sign(following, *binding)
