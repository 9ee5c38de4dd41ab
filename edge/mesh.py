"""The services that the edge composes, as one bundle of stubs, and what their calls change.

``CHANGES`` declares, beside the stubs, which remembered facts a call makes wrong, so that no surface has to
remember to forget: after the call, whatever became of it, they are forgotten.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias, get_type_hints

from tintype.accounts.v1.accounts_pb2_grpc import AccountsServiceStub
from tintype.engagement.v1.engagement_pb2_grpc import EngagementServiceStub
from tintype.graph.v1.graph_pb2_grpc import GraphServiceStub
from tintype.media.v1.assets_pb2_grpc import AssetsServiceStub
from tintype.media.v1.posts_pb2_grpc import PostsServiceStub
from tintype.search.v1.search_pb2_grpc import SearchServiceStub
from tintype.timeline.v1.timeline_pb2_grpc import TimelineServiceStub

from mesh.app import Context
from mesh.rpc.call import current

Forgotten: TypeAlias = tuple[str, Any]
"""The name of a memory of facts, and a key of it."""
Change = Callable[[Any, Any, int], Iterable[Forgotten]]
"""(request, answer or None where there was none, caller's id) → what is not so any more."""


def _circles(request: Any, answer: Any, caller_id: int) -> Iterable[Forgotten]:
    return ("circles", caller_id), ("circles", request.user_id)


def _like(request: Any, answer: Any, caller_id: int) -> Iterable[Forgotten]:
    return ("counts", request.post_id), ("viewer", (caller_id, request.post_id))


CHANGES: Mapping[str, Mapping[str, Change]] = {
    "graph": dict.fromkeys(
        (
            "Follow",
            "Unfollow",
            "RemoveFollower",
            "AnswerFollowRequest",
            "Block",
            "Unblock",
            "SetMute",
            "SetCloseFriend",
        ),
        _circles,
    ),
    "engagement": {
        "Like": _like,
        "Unlike": _like,
        "CreateComment": lambda request, answer, caller_id: [("counts", request.post_id)],
        "DeleteComment": lambda request, answer, caller_id: [("counts", answer.post_id)] if answer else [],
        "UpdateComment": lambda request, answer, caller_id: (),
    },
    "posts": {
        "CreatePost": lambda request, answer, caller_id: [("posts", answer.post.post_id)] if answer else [],
        "UpdatePost": lambda request, answer, caller_id: [("posts", request.post.post_id)],
        "SetRestriction": lambda request, answer, caller_id: [("posts", request.post_id)],
        "DeletePost": lambda request, answer, caller_id: [("posts", request.post_id)],
    },
    "accounts": {
        "Register": lambda request, answer, caller_id: [("people", answer.account.user.user_id)] if answer else [],
        "UpdateAccount": lambda request, answer, caller_id: [("people", caller_id)],
        "SetHidden": lambda request, answer, caller_id: [("people", request.user_id)],
        "LogIn": lambda request, answer, caller_id: (),
        "RefreshSession": lambda request, answer, caller_id: (),
        "RevokeSession": lambda request, answer, caller_id: [("sessions", request.session_id)],
    },
    "assets": {"Upload": lambda request, answer, caller_id: ()},
    "search": {"Reindex": lambda request, answer, caller_id: ()},
}
"""By stub: every call that is not safe (IDEMPOTENCY_SAFE), even where it changes nothing that is remembered."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """Clients of the internal services, in process or over gRPC as placement has it."""

    accounts: AccountsServiceStub
    graph: GraphServiceStub
    assets: AssetsServiceStub
    posts: PostsServiceStub
    timeline: TimelineServiceStub
    engagement: EngagementServiceStub
    search: SearchServiceStub

    @classmethod
    def of(cls, ctx: Context) -> Mesh:
        """The stubs of this process."""
        return cls(**{name: ctx.stub(stub) for name, stub in get_type_hints(cls).items()})

    def telling(self, forget: Callable[[Iterable[Forgotten]], None]) -> Mesh:
        """The same stubs, which say after each call what it has changed."""
        stubs = {each.name: getattr(self, each.name) for each in fields(self)}
        telling: dict[str, Any] = {name: _Telling(stub, CHANGES.get(name, {}), forget) for name, stub in stubs.items()}
        return replace(self, **telling)


class _Telling:
    """A stub whose calls say what they changed."""

    def __init__(self, stub: Any, changes: Mapping[str, Change], forget: Callable[[Iterable[Forgotten]], None]) -> None:
        self._stub, self._changes, self._forget = stub, changes, forget

    def __getattr__(self, name: str) -> Any:
        send, change = getattr(self._stub, name), self._changes.get(name)
        call = self._telling(send, change) if change else send
        setattr(self, name, call)  # so that it is asked for once
        return call

    def _telling(self, send: Callable[..., Awaitable[Any]], change: Change) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, timeout: float | None = None) -> Any:
            answer, served = None, current.get()
            try:
                answer = await send(request, timeout)
            finally:  # a call without an answer may have changed it as well
                self._forget(change(request, answer, served.caller.user_id if served and served.caller else 0))
            return answer

        return call
