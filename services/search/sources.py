"""The facts that are indexed, as other services tell them: in events, and page by page for a rebuild."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tintype.accounts.v1 import accounts_pb2
from tintype.accounts.v1.accounts_pb2_grpc import AccountsServiceStub
from tintype.media.v1 import posts_pb2
from tintype.media.v1.posts_pb2_grpc import PostsServiceStub
from tintype.type.v1 import content_pb2

from services.search.documents import Place, Post, User
from services.search.text.folding import MAX_TAG_CHARS, tag

_PAGE_SIZE = 100


def user_of(message: Any) -> User:
    """A user from an AccountChanged event or from accounts' User. A hidden one's names are not kept."""
    if message.hidden:
        return User(message.user_id, message.version, private=message.private, hidden=True)
    return User(message.user_id, message.version, message.username, message.display_name, message.private)


def post_of(message: Any, *, deleted: bool = False) -> Post:
    """A post from a PostChanged event or from media's Post. Of one not live only the version is kept."""
    if deleted or message.archived or message.restrictions:
        return Post(message.post_id, message.author_id, message.version, live=False)
    return Post(
        message.post_id,
        message.author_id,
        message.version,
        message.caption,
        _tags_of(message.hashtags),
        _place_of(message.place) if message.HasField("place") else None,
        for_everyone=message.audience == content_pb2.AUDIENCE_EVERYONE,
    )


def _tags_of(hashtags: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in map(tag, hashtags) if 0 < len(one) <= MAX_TAG_CHARS))


def _place_of(place: Any) -> Place | None:
    if not place.place_id:
        return None
    latitude = place.latitude if place.HasField("latitude") else None
    longitude = place.longitude if place.HasField("longitude") else None
    return Place(place.place_id, place.name, latitude, longitude)


class Owners:
    """The services that own the facts, read page by page in the order of ids."""

    def __init__(self, accounts: AccountsServiceStub, posts: PostsServiceStub) -> None:
        self._accounts, self._posts = accounts, posts

    async def users(self, after: int) -> tuple[list[User], int]:
        """Users behind an id, and the id to go on behind; 0: the end. Raises Problem."""
        request = accounts_pb2.ListUsersRequest(page_size=_PAGE_SIZE, after_user_id=after)
        page = await self._accounts.ListUsers(request)
        return [user_of(user) for user in page.users], page.next_after_user_id

    async def posts(self, after: int) -> tuple[list[Post], int]:
        """Posts behind an id, and the id to go on behind; 0: the end. Raises Problem."""
        request = posts_pb2.ListPostsRequest(page_size=_PAGE_SIZE, after_post_id=after)
        page = await self._posts.ListPosts(request)
        return [post_of(post) for post in page.posts], page.next_after_post_id
