"""Accounts and media as search sees them: real outboxes, real events, lists in id order; facts in memory."""

from __future__ import annotations

from typing import Any

from tintype.accounts.v1 import accounts_pb2
from tintype.events.v1.accounts_pb2 import AccountChanged
from tintype.events.v1.media_pb2 import PostChanged
from tintype.media.v1 import posts_pb2
from tintype.type.v1 import content_pb2

from mesh.app import Context, Module
from mesh.events import NewEvent
from tests.neighbours.unserved import Unserved

PAGE = 2


class Accounts(Unserved):
    """Publishes AccountChanged and lists users."""

    def __init__(self) -> None:
        self.users: dict[int, accounts_pb2.User] = {}
        self.module = Module(name="accounts", build=self._build)

    async def _build(self, ctx: Context) -> None:
        self._outbox = ctx.outbox(await ctx.store([]))
        ctx.serve(accounts_pb2.DESCRIPTOR.services_by_name["AccountsService"], self)

    async def change(self, user_id: int, *, announce: bool = True, **facts: Any) -> None:
        before = self.users.get(user_id, accounts_pb2.User(user_id=user_id))
        user = accounts_pb2.User(user_id=user_id, version=before.version + 1)
        for name in ("username", "display_name", "private", "hidden"):
            setattr(user, name, facts.get(name, getattr(before, name)))
        self.users[user_id] = user
        event = AccountChanged(user_id=user_id, version=user.version, username=user.username)
        event.display_name, event.private, event.hidden = user.display_name, user.private, user.hidden
        if announce:
            await self._outbox.commit([], [NewEvent(event, user_id)])

    async def ListUsers(self, request: Any, call: Any) -> Any:
        found = [self.users[key] for key in sorted(self.users) if key > request.after_user_id][:PAGE]
        return accounts_pb2.ListUsersResponse(users=found, next_after_user_id=found[-1].user_id if found else 0)


class Posts(Unserved):
    """Publishes PostChanged and lists posts."""

    def __init__(self) -> None:
        self.posts: dict[int, posts_pb2.Post] = {}
        self.when_listed: Any = None
        self.module = Module(name="media", build=self._build)

    async def _build(self, ctx: Context) -> None:
        self._outbox = ctx.outbox(await ctx.store([]))
        ctx.serve(posts_pb2.DESCRIPTOR.services_by_name["PostsService"], self)

    async def change(
        self, post_id: int, caption: str, author_id: int = 7, *, announce: bool = True, **facts: Any
    ) -> None:
        version = self.posts[post_id].version + 1 if post_id in self.posts else 1
        shared = {"post_id": post_id, "author_id": author_id, "caption": caption, "version": version}
        shared |= {"audience": content_pb2.AUDIENCE_EVERYONE, **facts}
        self.posts[post_id] = posts_pb2.Post(**shared)
        if announce:
            await self._outbox.commit([], [NewEvent(PostChanged(**shared), post_id)])

    async def delete(self, post_id: int) -> None:
        gone = self.posts.pop(post_id)
        event = PostChanged(post_id=post_id, author_id=gone.author_id, version=gone.version + 1, deleted=True)
        await self._outbox.commit([], [NewEvent(event, post_id)])

    async def ListPosts(self, request: Any, call: Any) -> Any:
        found = [self.posts[key] for key in sorted(self.posts) if key > request.after_post_id][:PAGE]
        if self.when_listed is not None:
            await self.when_listed(found)
        return posts_pb2.ListPostsResponse(posts=found, next_after_post_id=found[-1].post_id if found else 0)
