"""GraphService: whom the caller follows, lets follow, blocks, mutes and keeps close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tintype.edge.v1 import graph_pb2 as api
from tintype.graph.v1 import graph_pb2

from edge import pages, present
from edge.facts import Facts, user_not_found
from edge.mesh import Mesh
from edge.surfaces.profiles import People
from mesh.paging import PageTokens
from mesh.rpc.call import Call


class GraphServer:
    """GraphService."""

    def __init__(self, mesh: Mesh, facts: Facts, tokens: PageTokens, people: People) -> None:
        self._graph = mesh.graph
        self._facts = facts
        self._tokens = tokens
        self._people = people

    async def Follow(self, request: Any, call: Call) -> Any:
        person = await self._facts.person(call.user.user_id, request.user)
        answer = await self._graph.Follow(graph_pb2.FollowRequest(user_id=person.user.user_id))
        return api.FollowResponse(viewer=self._changed(call, answer))

    async def Unfollow(self, request: Any, call: Call) -> Any:
        answer = await self._graph.Unfollow(graph_pb2.UnfollowRequest(user_id=await self._known(call, request.user)))
        return api.UnfollowResponse(viewer=self._changed(call, answer))

    async def RemoveFollower(self, request: Any, call: Call) -> Any:
        target = graph_pb2.RemoveFollowerRequest(user_id=await self._known(call, request.user))
        answer = await self._graph.RemoveFollower(target)
        return api.RemoveFollowerResponse(viewer=self._changed(call, answer))

    async def ListFollowRequests(self, request: Any, call: Call) -> Any:
        users, token = await self._list(
            request, call, "follow requests", self._graph.ListFollowRequests, graph_pb2.ListFollowRequestsRequest
        )
        return api.ListFollowRequestsResponse(users=users, next_page_token=token)

    async def AcceptFollowRequest(self, request: Any, call: Call) -> Any:
        return api.AcceptFollowRequestResponse(viewer=await self._answer(call, request.user, accept=True))

    async def DeclineFollowRequest(self, request: Any, call: Call) -> Any:
        return api.DeclineFollowRequestResponse(viewer=await self._answer(call, request.user, accept=False))

    async def Block(self, request: Any, call: Call) -> Any:
        # Somebody who blocks the caller cannot be found, and can be blocked in return all the same.
        answer = await self._graph.Block(graph_pb2.BlockRequest(user_id=await self._known(call, request.user)))
        return api.BlockResponse(viewer=self._changed(call, answer))

    async def Unblock(self, request: Any, call: Call) -> Any:
        answer = await self._graph.Unblock(graph_pb2.UnblockRequest(user_id=await self._known(call, request.user)))
        return api.UnblockResponse(viewer=self._changed(call, answer))

    async def ListBlocks(self, request: Any, call: Call) -> Any:
        users, token = await self._list(request, call, "blocks", self._graph.ListBlocks, graph_pb2.ListBlocksRequest)
        return api.ListBlocksResponse(users=users, next_page_token=token)

    async def Mute(self, request: Any, call: Call) -> Any:
        return api.MuteResponse(viewer=await self._set_mute(call, request.user, muting=True))

    async def Unmute(self, request: Any, call: Call) -> Any:
        return api.UnmuteResponse(viewer=await self._set_mute(call, request.user, muting=False))

    async def ListMutes(self, request: Any, call: Call) -> Any:
        users, token = await self._list(request, call, "mutes", self._graph.ListMutes, graph_pb2.ListMutesRequest)
        return api.ListMutesResponse(users=users, next_page_token=token)

    async def AddCloseFriend(self, request: Any, call: Call) -> Any:
        return api.AddCloseFriendResponse(viewer=await self._set_close_friend(call, request.user, close=True))

    async def RemoveCloseFriend(self, request: Any, call: Call) -> Any:
        return api.RemoveCloseFriendResponse(viewer=await self._set_close_friend(call, request.user, close=False))

    async def ListCloseFriends(self, request: Any, call: Call) -> Any:
        users, token = await self._list(
            request, call, "close friends", self._graph.ListCloseFriends, graph_pb2.ListCloseFriendsRequest
        )
        return api.ListCloseFriendsResponse(users=users, next_page_token=token)

    async def _set_mute(self, call: Call, reference: str, *, muting: bool) -> Any:
        target = graph_pb2.SetMuteRequest(user_id=await self._known(call, reference), muting=muting)
        return self._changed(call, await self._graph.SetMute(target))

    async def _set_close_friend(self, call: Call, reference: str, *, close: bool) -> Any:
        target = graph_pb2.SetCloseFriendRequest(user_id=await self._known(call, reference), close_friend=close)
        return self._changed(call, await self._graph.SetCloseFriend(target))

    async def _answer(self, call: Call, reference: str, *, accept: bool) -> Any:
        answer = await self._graph.AnswerFollowRequest(
            graph_pb2.AnswerFollowRequestRequest(user_id=await self._known(call, reference), accept=accept)
        )
        return self._changed(call, answer)

    def _changed(self, call: Call, answer: Any) -> Any:
        """The state that now holds, which this process then shows as well."""
        self._facts.forget_relation(call.user.user_id, answer.relation.user_id)
        return present.viewer(answer.relation)

    async def _known(self, call: Call, reference: str) -> int:
        """The id of somebody who exists, seen or not: one may always end a relation."""
        user_id = await self._facts.user_id(reference)
        if user_id is None or user_id not in await self._facts.people(call.user.user_id, [user_id]):
            raise user_not_found(reference)
        return user_id

    async def _list(self, request: Any, call: Call, name: str, read: Any, make: Any) -> tuple[list[Any], str]:
        viewer_id = call.user.user_id
        binding = (name, viewer_id)

        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
            answer = await read(make(page_size=count, cursor=cursor))
            return answer.user_ids, answer.next_cursor

        async def rules(user_ids: Sequence[int]) -> list[Any]:
            return await self._people.visible(viewer_id, user_ids)

        cursor = self._tokens.open(request.page_token, *binding)
        users, following = await pages.fill(skeleton, rules, cursor, pages.size(request.page_size))
        return users, self._tokens.sign(following, *binding)
