"""SearchService: what was found, as far as the law lets the caller see it."""

from __future__ import annotations

from collections.abc import Sequence

from tintype.edge.v1 import resources_pb2
from tintype.edge.v1 import search_pb2 as api
from tintype.search.v1 import search_pb2

from edge import pages
from edge.facts import Facts, SeenPost
from edge.facts.facets import count
from edge.mesh import Mesh
from edge.present import Presenter
from edge.surfaces.profiles import People
from mesh.paging import PageTokens
from mesh.rpc.call import Call

_Tagged = api.ListHashtagPostsRequest | api.ListPlacePostsRequest


class SearchServer:
    """SearchService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, tokens: PageTokens, people: People) -> None:
        self._search = mesh.search
        self._facts = facts
        self._presenter = presenter
        self._tokens = tokens
        self._people = people

    async def SearchUsers(self, request: api.SearchUsersRequest, call: Call) -> api.SearchUsersResponse:
        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
            answer = await self._search.SearchUsers(
                search_pb2.SearchUsersRequest(query=request.query, page_size=count, cursor=cursor)
            )
            return answer.user_ids, answer.next_cursor

        async def rules(user_ids: Sequence[int]) -> list[resources_pb2.User]:
            return await self._people.visible(call.user.user_id, user_ids)

        binding = ("users", request.query, call.user.user_id)
        users, token = await pages.read(self._tokens, request, binding, skeleton, rules)
        return api.SearchUsersResponse(users=users, next_page_token=token)

    async def SearchPosts(self, request: api.SearchPostsRequest, call: Call) -> api.SearchPostsResponse:
        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
            answer = await self._search.SearchPosts(
                search_pb2.SearchPostsRequest(query=request.query, page_size=count, cursor=cursor)
            )
            return answer.post_ids, answer.next_cursor

        posts, token = await self._posts(request, call, ("posts", request.query), skeleton)
        return api.SearchPostsResponse(posts=posts, next_page_token=token)

    async def SearchHashtags(self, request: api.SearchHashtagsRequest, call: Call) -> api.SearchHashtagsResponse:
        binding = ("hashtags", request.query, call.user.user_id)
        cursor = self._tokens.open(request.page_token, *binding)
        answer = await self._search.SearchHashtags(
            search_pb2.SearchHashtagsRequest(
                query=request.query, page_size=pages.size(request.page_size), cursor=cursor
            )
        )
        found = [api.Hashtag(tag=hit.tag, post_count=count(hit.post_count)) for hit in answer.hashtags]
        token = self._tokens.sign(answer.next_cursor, *binding)
        return api.SearchHashtagsResponse(hashtags=found, next_page_token=token)

    async def SearchPlaces(self, request: api.SearchPlacesRequest, call: Call) -> api.SearchPlacesResponse:
        binding = ("places", request.query, call.user.user_id)
        cursor = self._tokens.open(request.page_token, *binding)
        answer = await self._search.SearchPlaces(
            search_pb2.SearchPlacesRequest(query=request.query, page_size=pages.size(request.page_size), cursor=cursor)
        )
        token = self._tokens.sign(answer.next_cursor, *binding)
        return api.SearchPlacesResponse(places=[_place(hit) for hit in answer.places], next_page_token=token)

    async def ListHashtagPosts(self, request: api.ListHashtagPostsRequest, call: Call) -> api.ListHashtagPostsResponse:
        posts, token = await self._tagged(request, call, "hashtag", request.tag.removeprefix("#"))
        return api.ListHashtagPostsResponse(posts=posts, next_page_token=token)

    async def ListPlacePosts(self, request: api.ListPlacePostsRequest, call: Call) -> api.ListPlacePostsResponse:
        posts, token = await self._tagged(request, call, "place_id", request.place_id)
        return api.ListPlacePostsResponse(posts=posts, next_page_token=token)

    async def _tagged(self, request: _Tagged, call: Call, by: str, value: str) -> tuple[list[resources_pb2.Post], str]:
        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
            wanted = search_pb2.ListTaggedRequest(page_size=count, cursor=cursor)
            setattr(wanted, by, value)
            answer = await self._search.ListTagged(wanted)
            return answer.post_ids, answer.next_cursor

        return await self._posts(request, call, (by, value), skeleton)

    async def _posts(
        self, request: pages.Request, call: Call, binding: tuple[object, ...], skeleton: pages.Skeleton[int]
    ) -> tuple[list[resources_pb2.Post], str]:
        viewer_id = call.user.user_id

        async def rules(post_ids: Sequence[int]) -> list[SeenPost]:
            return await self._facts.posts(viewer_id, post_ids)

        seen, token = await pages.read(self._tokens, request, (*binding, viewer_id), skeleton, rules)
        return [self._presenter.post(viewer_id, post) for post in seen], token


def _place(hit: search_pb2.PlaceHit) -> api.PlaceHit:
    shown = api.PlaceHit(place_id=hit.place_id, name=hit.name, post_count=count(hit.post_count))
    for axis in ("latitude", "longitude"):
        if hit.HasField(axis):
            setattr(shown, axis, getattr(hit, axis))
    return shown
