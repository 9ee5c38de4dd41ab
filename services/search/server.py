"""The gRPC door: proto to domain and back, nothing else."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from tintype.search.v1 import search_pb2

from mesh.errors import unavailable
from mesh.rpc.call import Call
from services.search import cursors
from services.search.index import HashtagHit, IndexFailed, PlaceHit
from services.search.reindexing import Reindexer
from services.search.service import Search

T = TypeVar("T")


class SearchServer:
    """tintype.search.v1.SearchService."""

    def __init__(self, search: Search, reindexer: Reindexer) -> None:
        self._search, self._reindexer = search, reindexer

    async def SearchUsers(self, request: search_pb2.SearchUsersRequest, call: Call) -> search_pb2.SearchUsersResponse:
        after = cursors.decode(request.cursor)
        page = await _answered(self._search.users(request.query, after, request.page_size))
        return search_pb2.SearchUsersResponse(user_ids=page.items, next_cursor=cursors.encode(page.next))

    async def SearchPosts(self, request: search_pb2.SearchPostsRequest, call: Call) -> search_pb2.SearchPostsResponse:
        after = cursors.decode(request.cursor)
        page = await _answered(self._search.posts(request.query, after, request.page_size))
        return search_pb2.SearchPostsResponse(post_ids=page.items, next_cursor=cursors.encode(page.next))

    async def SearchHashtags(
        self, request: search_pb2.SearchHashtagsRequest, call: Call
    ) -> search_pb2.SearchHashtagsResponse:
        after = cursors.decode(request.cursor)
        page = await _answered(self._search.hashtags(request.query, after, request.page_size))
        hashtags = [_hashtag(hit) for hit in page.items]
        return search_pb2.SearchHashtagsResponse(hashtags=hashtags, next_cursor=cursors.encode(page.next))

    async def SearchPlaces(
        self, request: search_pb2.SearchPlacesRequest, call: Call
    ) -> search_pb2.SearchPlacesResponse:
        after = cursors.decode(request.cursor)
        page = await _answered(self._search.places(request.query, after, request.page_size))
        places = [_place(hit) for hit in page.items]
        return search_pb2.SearchPlacesResponse(places=places, next_cursor=cursors.encode(page.next))

    async def ListTagged(self, request: search_pb2.ListTaggedRequest, call: Call) -> search_pb2.ListTaggedResponse:
        after = cursors.decode(request.cursor)
        if request.WhichOneof("by") == "hashtag":
            page = await _answered(self._search.tagged(request.hashtag, after, request.page_size))
        else:
            page = await _answered(self._search.taken_at(request.place_id, after, request.page_size))
        return search_pb2.ListTaggedResponse(post_ids=page.items, next_cursor=cursors.encode(page.next))

    async def Reindex(self, request: search_pb2.ReindexRequest, call: Call) -> search_pb2.ReindexResponse:
        rebuilt = await _answered(self._reindexer.run())
        return search_pb2.ReindexResponse(user_count=rebuilt.user_count, post_count=rebuilt.post_count)


async def _answered(work: Awaitable[T]) -> T:
    try:
        return await work
    except IndexFailed as error:
        raise unavailable("the search index", str(error)) from error


def _hashtag(hit: HashtagHit) -> search_pb2.Hashtag:
    return search_pb2.Hashtag(tag=hit.tag, post_count=hit.post_count)


def _place(hit: PlaceHit) -> search_pb2.PlaceHit:
    place = hit.place
    return search_pb2.PlaceHit(
        place_id=place.place_id,
        name=place.name,
        latitude=place.latitude,
        longitude=place.longitude,
        post_count=hit.post_count,
    )
