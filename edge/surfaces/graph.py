"""GraphService: whom the caller follows, lets follow, blocks, mutes and keeps close."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tintype.edge.v1 import graph_pb2 as api
from tintype.edge.v1 import resources_pb2
from tintype.graph.v1 import graph_pb2

from edge import pages, present
from edge.facts import Facts, user_not_found
from edge.mesh import Mesh
from edge.surfaces.profiles import People
from mesh.paging import PageTokens
from mesh.rpc.call import Call

_Listed = (
    graph_pb2.ListFollowRequestsResponse
    | graph_pb2.ListBlocksResponse
    | graph_pb2.ListMutesResponse
    | graph_pb2.ListCloseFriendsResponse
)


class GraphServer:
    """GraphService."""

    def __init__(self, mesh: Mesh, facts: Facts, tokens: PageTokens, people: People) -> None:
        self._graph = mesh.graph
        self._facts = facts
        self._tokens = tokens
        self._people = people

    async def Follow(self, request: api.FollowRequest, call: Call) -> api.FollowResponse:
        person = await self._facts.person(await self._facts.viewer(call.user.user_id), request.user)
        answer = await self._graph.Follow(graph_pb2.FollowRequest(user_id=person.user.user_id))
        return api.FollowResponse(viewer=present.viewer(answer.relation))

    async def Unfollow(self, request: api.UnfollowRequest, call: Call) -> api.UnfollowResponse:
        answer = await self._graph.Unfollow(graph_pb2.UnfollowRequest(user_id=await self._known(call, request.user)))
        return api.UnfollowResponse(viewer=present.viewer(answer.relation))

    async def RemoveFollower(self, request: api.RemoveFollowerRequest, call: Call) -> api.RemoveFollowerResponse:
        target = graph_pb2.RemoveFollowerRequest(user_id=await self._known(call, request.user))
        answer = await self._graph.RemoveFollower(target)
        return api.RemoveFollowerResponse(viewer=present.viewer(answer.relation))

    async def ListFollowRequests(
        self, request: api.ListFollowRequestsRequest, call: Call
    ) -> api.ListFollowRequestsResponse:
        async def read(count: int, cursor: bytes) -> graph_pb2.ListFollowRequestsResponse:
            return await self._graph.ListFollowRequests(
                graph_pb2.ListFollowRequestsRequest(page_size=count, cursor=cursor)
            )

        users, token = await self._list(request, call, "follow requests", read)
        return api.ListFollowRequestsResponse(users=users, next_page_token=token)

    async def AcceptFollowRequest(
        self, request: api.AcceptFollowRequestRequest, call: Call
    ) -> api.AcceptFollowRequestResponse:
        return api.AcceptFollowRequestResponse(viewer=await self._answer(call, request.user, accept=True))

    async def DeclineFollowRequest(
        self, request: api.DeclineFollowRequestRequest, call: Call
    ) -> api.DeclineFollowRequestResponse:
        return api.DeclineFollowRequestResponse(viewer=await self._answer(call, request.user, accept=False))

    async def Block(self, request: api.BlockRequest, call: Call) -> api.BlockResponse:
        # Somebody who blocks the caller cannot be found, and can be blocked in return all the same.
        answer = await self._graph.Block(graph_pb2.BlockRequest(user_id=await self._known(call, request.user)))
        return api.BlockResponse(viewer=present.viewer(answer.relation))

    async def Unblock(self, request: api.UnblockRequest, call: Call) -> api.UnblockResponse:
        answer = await self._graph.Unblock(graph_pb2.UnblockRequest(user_id=await self._known(call, request.user)))
        return api.UnblockResponse(viewer=present.viewer(answer.relation))

    async def ListBlocks(self, request: api.ListBlocksRequest, call: Call) -> api.ListBlocksResponse:
        async def read(count: int, cursor: bytes) -> graph_pb2.ListBlocksResponse:
            return await self._graph.ListBlocks(graph_pb2.ListBlocksRequest(page_size=count, cursor=cursor))

        users, token = await self._list(request, call, "blocks", read)
        return api.ListBlocksResponse(users=users, next_page_token=token)

    async def Mute(self, request: api.MuteRequest, call: Call) -> api.MuteResponse:
        return api.MuteResponse(viewer=await self._set_mute(call, request.user, muting=True))

    async def Unmute(self, request: api.UnmuteRequest, call: Call) -> api.UnmuteResponse:
        return api.UnmuteResponse(viewer=await self._set_mute(call, request.user, muting=False))

    async def ListMutes(self, request: api.ListMutesRequest, call: Call) -> api.ListMutesResponse:
        async def read(count: int, cursor: bytes) -> graph_pb2.ListMutesResponse:
            return await self._graph.ListMutes(graph_pb2.ListMutesRequest(page_size=count, cursor=cursor))

        users, token = await self._list(request, call, "mutes", read)
        return api.ListMutesResponse(users=users, next_page_token=token)

    async def AddCloseFriend(self, request: api.AddCloseFriendRequest, call: Call) -> api.AddCloseFriendResponse:
        return api.AddCloseFriendResponse(viewer=await self._set_close_friend(call, request.user, close=True))

    async def RemoveCloseFriend(
        self, request: api.RemoveCloseFriendRequest, call: Call
    ) -> api.RemoveCloseFriendResponse:
        return api.RemoveCloseFriendResponse(viewer=await self._set_close_friend(call, request.user, close=False))

    async def ListCloseFriends(self, request: api.ListCloseFriendsRequest, call: Call) -> api.ListCloseFriendsResponse:
        async def read(count: int, cursor: bytes) -> graph_pb2.ListCloseFriendsResponse:
            return await self._graph.ListCloseFriends(graph_pb2.ListCloseFriendsRequest(page_size=count, cursor=cursor))

        users, token = await self._list(request, call, "close friends", read)
        return api.ListCloseFriendsResponse(users=users, next_page_token=token)

    async def _set_mute(self, call: Call, reference: str, *, muting: bool) -> resources_pb2.UserViewer:
        target = graph_pb2.SetMuteRequest(user_id=await self._known(call, reference), muting=muting)
        return present.viewer((await self._graph.SetMute(target)).relation)

    async def _set_close_friend(self, call: Call, reference: str, *, close: bool) -> resources_pb2.UserViewer:
        target = graph_pb2.SetCloseFriendRequest(user_id=await self._known(call, reference), close_friend=close)
        return present.viewer((await self._graph.SetCloseFriend(target)).relation)

    async def _answer(self, call: Call, reference: str, *, accept: bool) -> resources_pb2.UserViewer:
        answer = await self._graph.AnswerFollowRequest(
            graph_pb2.AnswerFollowRequestRequest(user_id=await self._known(call, reference), accept=accept)
        )
        return present.viewer(answer.relation)

    async def _known(self, call: Call, reference: str) -> int:
        """The id of somebody who exists, seen or not: one may always end a relation."""
        user_id = await self._facts.user_id(reference)
        if user_id is None or user_id not in await self._facts.people([user_id]):
            raise user_not_found(reference)
        return user_id

    async def _list(
        self, request: pages.Request, call: Call, name: str, read: Callable[[int, bytes], Awaitable[_Listed]]
    ) -> tuple[list[resources_pb2.User], str]:
        viewer_id = call.user.user_id

        async def skeleton(cursor: bytes, count: int) -> tuple[Sequence[int], bytes]:
            answer = await read(count, cursor)
            return answer.user_ids, answer.next_cursor

        async def rules(user_ids: Sequence[int]) -> list[resources_pb2.User]:
            return await self._people.visible(viewer_id, user_ids)

        return await pages.read(self._tokens, request, (name, viewer_id), skeleton, rules)
