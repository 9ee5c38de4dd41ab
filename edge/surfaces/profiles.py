"""ProfileService: people, their grids, who follows whom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tintype.edge.v1 import profiles_pb2, resources_pb2
from tintype.graph.v1 import graph_pb2
from tintype.timeline.v1 import timeline_pb2

from edge import pages
from edge.facts import Facts, Person, SeenPost
from edge.mesh import Mesh
from edge.present import Presenter
from edge.visibility import may_see_list, may_see_profile
from mesh.paging import PageTokens
from mesh.rpc.call import Call


class People:
    """Lists of people: hydrate ids, keep whom the law lets the viewer find, present."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter) -> None:
        self._mesh = mesh
        self._facts = facts
        self._presenter = presenter

    async def visible(self, viewer_id: int, user_ids: Sequence[int]) -> list[resources_pb2.User]:
        """Public profiles of those whom the viewer may find, in the order given."""
        people = await self._facts.visible(viewer_id, user_ids)
        return await self.profiles([people[user_id] for user_id in user_ids if user_id in people])

    async def profiles(self, people: Sequence[Person]) -> list[resources_pb2.User]:
        """Profiles with their counts, and how the caller stands to each."""
        if not people:
            return []
        wanted = [person.user.user_id for person in people]
        relations, counts, posts = await asyncio.gather(
            self._mesh.graph.BatchGetRelations(graph_pb2.BatchGetRelationsRequest(user_ids=wanted)),
            self._mesh.graph.BatchGetCounts(graph_pb2.BatchGetCountsRequest(user_ids=wanted)),
            self._mesh.timeline.BatchGetPostCounts(timeline_pb2.BatchGetPostCountsRequest(author_ids=wanted)),
        )
        facts = zip(people, relations.relations, counts.counts, posts.post_counts, strict=True)
        return [self._presenter.profile(*each) for each in facts]


_Related = profiles_pb2.ListFollowersRequest | profiles_pb2.ListFollowingRequest
_Listed = graph_pb2.ListFollowersResponse | graph_pb2.ListFollowingResponse


class ProfileServer:
    """ProfileService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, tokens: PageTokens, people: People) -> None:
        self._mesh = mesh
        self._facts = facts
        self._presenter = presenter
        self._tokens = tokens
        self._people = people

    async def GetProfile(self, request: profiles_pb2.GetProfileRequest, call: Call) -> profiles_pb2.GetProfileResponse:
        person = await self._facts.person(await self._facts.viewer(call.user.user_id), request.user)
        [user] = await self._people.profiles([person])
        return profiles_pb2.GetProfileResponse(user=user)

    async def ListUserPosts(
        self, request: profiles_pb2.ListUserPostsRequest, call: Call
    ) -> profiles_pb2.ListUserPostsResponse:
        viewer_id = call.user.user_id
        viewer = await self._facts.viewer(viewer_id)
        person = await self._facts.person(viewer, request.user)
        if not may_see_profile(viewer, person.facts):
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

        seen, token = await pages.read(self._tokens, request, binding, skeleton, rules)
        posts = [self._presenter.post(viewer_id, post) for post in seen]
        return profiles_pb2.ListUserPostsResponse(posts=posts, next_page_token=token)

    async def ListFollowers(
        self, request: profiles_pb2.ListFollowersRequest, call: Call
    ) -> profiles_pb2.ListFollowersResponse:
        async def read(user_id: int, count: int, cursor: bytes) -> graph_pb2.ListFollowersResponse:
            asked = graph_pb2.ListFollowersRequest(user_id=user_id, page_size=count, cursor=cursor)
            return await self._mesh.graph.ListFollowers(asked)

        users, token = await self._related(request, call, "followers", read)
        return profiles_pb2.ListFollowersResponse(users=users, next_page_token=token)

    async def ListFollowing(
        self, request: profiles_pb2.ListFollowingRequest, call: Call
    ) -> profiles_pb2.ListFollowingResponse:
        async def read(user_id: int, count: int, cursor: bytes) -> graph_pb2.ListFollowingResponse:
            asked = graph_pb2.ListFollowingRequest(user_id=user_id, page_size=count, cursor=cursor)
            return await self._mesh.graph.ListFollowing(asked)

        users, token = await self._related(request, call, "following", read)
        return profiles_pb2.ListFollowingResponse(users=users, next_page_token=token)

    async def _related(
        self, request: _Related, call: Call, name: str, read: Callable[[int, int, bytes], Awaitable[_Listed]]
    ) -> tuple[list[resources_pb2.User], str]:
        """One side of a person's follows; nothing where the law does not show it."""
        viewer_id = call.user.user_id
        viewer = await self._facts.viewer(viewer_id)
        person = await self._facts.person(viewer, request.user)
        if not may_see_list(viewer, person.facts):
            return [], ""
        owner_id = person.user.user_id

        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
            answer = await read(owner_id, count, cursor)
            return answer.user_ids, answer.next_cursor

        async def rules(user_ids: Sequence[int]) -> list[resources_pb2.User]:
            return await self._people.visible(viewer_id, user_ids)

        return await pages.read(self._tokens, request, (name, viewer_id, owner_id), skeleton, rules)
