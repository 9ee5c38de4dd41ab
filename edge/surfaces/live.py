"""LiveService: likes and comments as they happen, for as long as the viewer may see them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from tintype.edge.v1 import live_pb2 as api
from tintype.edge.v1 import resources_pb2
from tintype.engagement.v1 import engagement_pb2

from edge.facts import Facts, post_not_found
from edge.facts.facets import counts_part
from edge.mesh import Mesh
from edge.present import Presenter
from edge.sessions import OpenSessions
from mesh import ids
from mesh.auth.caller import Caller
from mesh.clock import Clock
from mesh.errors import Code, Problem
from mesh.rpc.call import Call

Message = TypeVar("Message")
RECHECK_S = 0.8
"""How often the law is asked about an open stream. With facts up to a second old (``edge.facts.facts.MAX_AGE_S``) a
right that is lost ends within two seconds."""


class LiveServer:
    """LiveService."""

    def __init__(self, mesh: Mesh, facts: Facts, presenter: Presenter, sessions: OpenSessions, clock: Clock) -> None:
        self._engagement = mesh.engagement
        self._facts = facts
        self._presenter = presenter
        self._sessions = sessions
        self._clock = clock

    async def WatchPosts(self, request: api.WatchPostsRequest, call: Call) -> AsyncIterator[api.WatchPostsResponse]:
        viewer_id = call.user.user_id
        post_ids = [post_id for text in request.post_ids if (post_id := ids.parse(text))]
        watched = await self._visible(viewer_id, post_ids)
        if not watched:
            raise post_not_found(", ".join(request.post_ids))
        upstream = self._engagement.WatchPosts(
            engagement_pb2.WatchPostsRequest(post_ids=sorted(watched), cursor=request.cursor)
        )
        cursor, checked = request.cursor, time.monotonic()
        async with contextlib.aclosing(_ticking(upstream, RECHECK_S)) as messages:
            async for message in messages:
                if message is None or time.monotonic() - checked >= RECHECK_S:
                    still = await self._visible(viewer_id, sorted(watched))
                    for post_id in sorted(watched.keys() - still.keys()):
                        yield api.WatchPostsResponse(post_id=str(post_id), kind=api.WatchPostsResponse.DELETED)
                    watched = {post_id: watched[post_id] for post_id in still}
                    checked = time.monotonic()
                    if not watched or not await self._admitted(call.user):
                        yield api.WatchPostsResponse(kind=api.WatchPostsResponse.END, cursor=cursor)
                        return
                if message is not None:
                    cursor = message.cursor
                    if shown := await self._shown(viewer_id, message, watched):
                        yield shown

    async def _admitted(self, caller: Caller) -> bool:
        """Whether the session is still open and its token still holds; without, resume with a fresh one."""
        if caller.expire_time_ms <= self._clock.now_ms():
            return False
        try:
            if asking := self._sessions.check(caller):
                await asking
        except Problem as problem:
            if problem.code is Code.UNAUTHENTICATED:
                return False
            raise
        return True

    async def _visible(self, viewer_id: int, post_ids: list[int]) -> dict[int, resources_pb2.Post]:
        """Those that the viewer may see, with their counts."""
        seen = await self._facts.posts(viewer_id, post_ids)
        return {each.post.post_id: resources_pb2.Post.FromString(each.facets) for each in seen}

    async def _shown(
        self, viewer_id: int, message: engagement_pb2.WatchPostsResponse, watched: dict[int, resources_pb2.Post]
    ) -> api.WatchPostsResponse | None:
        """A change as the public sees it, or None where this viewer may not. ``watched`` holds the newest
        counts of each post, which every message about it carries."""
        kinds = api.WatchPostsResponse
        event = message.WhichOneof("event")
        if event in ("heartbeat", "end"):
            return kinds(kind=kinds.HEARTBEAT if event == "heartbeat" else kinds.END, cursor=message.cursor)
        if message.post_id not in watched:
            return None
        if event == "counts":
            watched[message.post_id] = resources_pb2.Post.FromString(counts_part(message.counts))
        counts = watched[message.post_id]
        shown = kinds(
            post_id=str(message.post_id),
            cursor=message.cursor,
            like_count=counts.like_count,
            comment_count=counts.comment_count,
        )
        if event == "counts":
            shown.kind = kinds.LIKES
        elif event == "comment":
            people = await self._facts.visible(viewer_id, [message.comment.author_id])
            author = people.get(message.comment.author_id)
            if author is None:
                return None
            shown.kind = kinds.COMMENT
            shown.comment.CopyFrom(self._presenter.comment(message.comment, author))
        else:
            shown.kind = kinds.DELETED
            shown.comment.comment_id = str(message.deleted_comment_id)
        return shown


async def _ticking(stream: AsyncGenerator[Message, None], every_s: float) -> AsyncGenerator[Message | None, None]:
    """The stream's messages, and None whenever nothing came for ``every_s`` seconds."""
    waiting: asyncio.Task[Message] | None = None

    async def step() -> Message:
        return await anext(stream)

    try:
        while True:
            waiting = waiting or asyncio.create_task(step())
            done, _ = await asyncio.wait([waiting], timeout=every_s)
            if not done:
                yield None
                continue
            finished, waiting = waiting, None
            try:
                yield finished.result()
            except StopAsyncIteration:
                return
    finally:
        if waiting:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await stream.aclose()
