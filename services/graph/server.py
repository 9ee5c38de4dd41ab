"""GraphService: proto to domain and back."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

from tintype.graph.v1 import graph_pb2 as pb

from mesh.rpc.call import Call
from services.graph.circles import Circles, Fact
from services.graph.edges import RELATION_FLAGS, Relation
from services.graph.service import Graph, Page

Listed = TypeVar("Listed")


class GraphServer:
    """The servicer of tintype.graph.v1.GraphService."""

    def __init__(self, graph: Graph, circles: Circles) -> None:
        self._graph = graph
        self._circles = circles

    async def Follow(self, request: pb.FollowRequest, call: Call) -> pb.FollowResponse:
        relation = await self._graph.follow(call.user.user_id, request.user_id)
        return pb.FollowResponse(relation=_relation(relation))

    async def Unfollow(self, request: pb.UnfollowRequest, call: Call) -> pb.UnfollowResponse:
        relation = await self._graph.unfollow(call.user.user_id, request.user_id)
        return pb.UnfollowResponse(relation=_relation(relation))

    async def RemoveFollower(self, request: pb.RemoveFollowerRequest, call: Call) -> pb.RemoveFollowerResponse:
        relation = await self._graph.remove_follower(call.user.user_id, request.user_id)
        return pb.RemoveFollowerResponse(relation=_relation(relation))

    async def AnswerFollowRequest(
        self, request: pb.AnswerFollowRequestRequest, call: Call
    ) -> pb.AnswerFollowRequestResponse:
        relation = await self._graph.answer(call.user.user_id, request.user_id, request.accept)
        return pb.AnswerFollowRequestResponse(relation=_relation(relation))

    async def ListFollowRequests(
        self, request: pb.ListFollowRequestsRequest, call: Call
    ) -> pb.ListFollowRequestsResponse:
        page = await self._graph.list_towards(call.user.user_id, "requested", request.page_size, request.cursor)
        return _paged(pb.ListFollowRequestsResponse, page)

    async def Block(self, request: pb.BlockRequest, call: Call) -> pb.BlockResponse:
        relation = await self._graph.block(call.user.user_id, request.user_id)
        return pb.BlockResponse(relation=_relation(relation))

    async def Unblock(self, request: pb.UnblockRequest, call: Call) -> pb.UnblockResponse:
        relation = await self._graph.unblock(call.user.user_id, request.user_id)
        return pb.UnblockResponse(relation=_relation(relation))

    async def ListBlocks(self, request: pb.ListBlocksRequest, call: Call) -> pb.ListBlocksResponse:
        page = await self._graph.list_own(call.user.user_id, "blocking", request.page_size, request.cursor)
        return _paged(pb.ListBlocksResponse, page)

    async def SetMute(self, request: pb.SetMuteRequest, call: Call) -> pb.SetMuteResponse:
        relation = await self._graph.set_mute(call.user.user_id, request.user_id, request.muting)
        return pb.SetMuteResponse(relation=_relation(relation))

    async def ListMutes(self, request: pb.ListMutesRequest, call: Call) -> pb.ListMutesResponse:
        page = await self._graph.list_own(call.user.user_id, "muting", request.page_size, request.cursor)
        return _paged(pb.ListMutesResponse, page)

    async def SetCloseFriend(self, request: pb.SetCloseFriendRequest, call: Call) -> pb.SetCloseFriendResponse:
        relation = await self._graph.set_close_friend(call.user.user_id, request.user_id, request.close_friend)
        return pb.SetCloseFriendResponse(relation=_relation(relation))

    async def ListCloseFriends(self, request: pb.ListCloseFriendsRequest, call: Call) -> pb.ListCloseFriendsResponse:
        page = await self._graph.list_own(call.user.user_id, "close_friend", request.page_size, request.cursor)
        return _paged(pb.ListCloseFriendsResponse, page)

    async def ListFollowers(self, request: pb.ListFollowersRequest, call: Call) -> pb.ListFollowersResponse:
        page = await self._graph.list_towards(request.user_id, "following", request.page_size, request.cursor)
        return _paged(pb.ListFollowersResponse, page)

    async def ListFollowing(self, request: pb.ListFollowingRequest, call: Call) -> pb.ListFollowingResponse:
        page = await self._graph.list_own(request.user_id, "following", request.page_size, request.cursor)
        return _paged(pb.ListFollowingResponse, page)

    async def BatchGetRelations(self, request: pb.BatchGetRelationsRequest, call: Call) -> pb.BatchGetRelationsResponse:
        relations = await self._graph.relations(call.user.user_id, request.user_ids)
        return pb.BatchGetRelationsResponse(relations=map(_relation, relations))

    async def GetCircle(self, request: pb.GetCircleRequest, call: Call) -> pb.GetCircleResponse:
        circle = await self._circles.of(request.user_id)
        if circle.version == request.known_version:
            return pb.GetCircleResponse(version=circle.version, unchanged=True)
        return pb.GetCircleResponse(
            version=circle.version,
            following=_packed(circle.own[Fact.FOLLOWING]),
            requested=_packed(circle.own[Fact.REQUESTED]),
            blocking=_packed(circle.own[Fact.BLOCKING]),
            muting=_packed(circle.own[Fact.MUTING]),
            close_friends=_packed(circle.own[Fact.CLOSE_FRIEND]),
            blocked_by=_packed(circle.theirs[Fact.BLOCKING]),
            close_friend_of=_packed(circle.theirs[Fact.CLOSE_FRIEND]),
        )

    async def BatchGetCounts(self, request: pb.BatchGetCountsRequest, call: Call) -> pb.BatchGetCountsResponse:
        counts = await self._graph.counts(request.user_ids)
        return pb.BatchGetCountsResponse(
            counts=[
                pb.Counts(user_id=each.user_id, follower_count=each.followers, following_count=each.following)
                for each in counts
            ]
        )

    async def ScanFollowers(self, request: pb.ScanFollowersRequest, call: Call) -> pb.ScanFollowersResponse:
        found = await self._graph.scan_followers(request.author_id, request.shard, request.after_user_id, request.limit)
        return pb.ScanFollowersResponse(
            packed_user_ids=_packed(found),
            next_after_user_id=found[-1] if len(found) == request.limit else 0,
            shard_count=self._graph.shards,
        )


def _relation(relation: Relation) -> pb.Relation:
    return pb.Relation(user_id=relation.user_id, **{flag: getattr(relation, flag) for flag in RELATION_FLAGS})


def _packed(user_ids: Sequence[int]) -> bytes:
    return struct.pack(f">{len(user_ids)}q", *user_ids)


def _paged(response: Callable[..., Listed], page: Page) -> Listed:
    return response(user_ids=page.user_ids, next_cursor=page.cursor)
