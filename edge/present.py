"""Presenting: facts that the law let through, as the public messages show them."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from tintype.edge.v1 import resources_pb2 as public
from tintype.media.v1 import assets_pb2

from edge.facts import Person, SeenPost
from edge.links import ANYONE, Link, Links
from edge.visibility import Audience, PostFacts, Relation, Sight, sight

_AVATAR = "150"
_INT32_MAX = 2**31 - 1
_SERIALISED = 20_000
"""Serialised parts kept; about a kilobyte each."""
_STATES = {
    assets_pb2.ASSET_STATE_PROCESSING: public.Media.PROCESSING,
    assets_pb2.ASSET_STATE_READY: public.Media.READY,
    assets_pb2.ASSET_STATE_FAILED: public.Media.FAILED,
}


def keep(table: dict[Any, bytes], key: Any, value: bytes, most: int = _SERIALISED) -> None:
    """Remember a serialised part. A full table starts afresh: simpler than to order it, and as good for what
    costs microseconds to make again."""
    if len(table) >= most:
        table.clear()
    table[key] = value


def time(ms: int) -> Timestamp:
    """Milliseconds as a Timestamp."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def count(value: int) -> int:
    """A count as a JSON number."""
    return max(0, min(value, _INT32_MAX))


class Presenter:
    """Builds public messages; knows how to link to image bytes."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._serialised: dict[tuple[Any, ...], bytes] = {}

    def card(self, person: Person) -> public.UserCard:
        """Somebody in passing."""
        user = person.user
        return public.UserCard(
            user_id=str(user.user_id),
            username=user.username,
            display_name=user.display_name,
            avatar_url=self.avatar(user),
        )

    def avatar(self, user: Any) -> str:
        """The link to a person's picture; empty where there is none."""
        if not user.avatar_asset_id:
            return ""
        return self._links.url(Link(user.avatar_asset_id, user.user_id, ANYONE, user.media_epoch, _AVATAR))

    def profile(self, person: Person, counts: Any = None, post_count: int = 0) -> public.User:
        """The profile of somebody of whom the law lets the viewer see the card."""
        user = person.user
        return public.User(
            user_id=str(user.user_id),
            username=user.username,
            display_name=user.display_name,
            bio=user.bio,
            website=user.website,
            private=user.private,
            avatar_url=self.avatar(user),
            post_count=count(post_count),
            follower_count=count(counts.follower_count) if counts else 0,
            following_count=count(counts.following_count) if counts else 0,
            viewer=viewer(person.relation),
        )

    def account(self, account: Any) -> public.Account:
        """The caller's own account."""
        user = account.user
        return public.Account(
            user_id=str(user.user_id),
            username=user.username,
            email=account.email,
            display_name=user.display_name,
            bio=user.bio,
            website=user.website,
            private=user.private,
            avatar_media_id=str(user.avatar_asset_id) if user.avatar_asset_id else "",
            create_time=time(user.create_time_ms),
        )

    def media(self, asset: Any, owner: Any, viewer_class: int, post_id: int = 0) -> public.Media:
        """An asset, with links that the given viewer class may follow for as long as it may see the post."""
        media = public.Media(
            media_id=str(asset.asset_id),
            state=_STATES.get(asset.state, public.Media.STATE_UNSPECIFIED),
            width=asset.width,
            height=asset.height,
            blurhash=asset.blurhash,
            alt_text=asset.alt_text,
        )
        if asset.failure_reason:
            media.failure.reason = asset.failure_reason
            media.failure.message = asset.failure_message
        for variant in asset.variants:
            if variant.format == "jpeg":  # the form that everybody reads; the gate offers better by Accept
                link = Link(asset.asset_id, asset.owner_id, viewer_class, owner.media_epoch, variant.name, post_id)
                media.variants.add(
                    width=variant.width, height=variant.height, format=variant.format, url=self._links.url(link)
                )
        return media

    def post(self, viewer_id: int, seen: SeenPost) -> public.Post:
        """A post that the viewer may see."""
        shown = self._settled(seen, self._viewer_class(viewer_id, seen))
        shown.MergeFrom(_changing(seen.counts))
        return shown

    def post_bytes(self, viewer_id: int, seen: SeenPost) -> bytes:
        """The same, serialised, and kept by all that it depends on.

        The part that seldom changes is kept by itself, and the counts are appended: concatenated
        messages of one type merge when they are parsed
        (https://protobuf.dev/programming-guides/encoding/#last-one-wins).
        """
        post, owner, counts = seen.post, seen.author.user, seen.counts
        viewer_class = self._viewer_class(viewer_id, seen)
        settled = (post.post_id, post.version, owner.version, viewer_class, self._links.window())
        key = (settled, counts.like_count, counts.comment_count, counts.liked)
        found = self._serialised.get(key)
        if found is None:
            found = self._settled_bytes(settled, seen, viewer_class)
            found += bytes(_changing(counts).SerializeToString())
            keep(self._serialised, key, found)
        return found

    def _settled_bytes(self, key: tuple[int, ...], seen: SeenPost, viewer_class: int) -> bytes:
        found = self._serialised.get(key)
        if found is None:
            found = bytes(self._settled(seen, viewer_class).SerializeToString())
            keep(self._serialised, key, found)
        return found

    def _viewer_class(self, viewer_id: int, seen: SeenPost) -> int:
        """Who may follow the post's links: everybody, or this viewer alone."""
        facts = PostFacts(Audience(seen.post.audience), seen.post.archived)
        for_all = sight(ANYONE, seen.author.author, Relation(), facts) is Sight.FULL
        return ANYONE if for_all else viewer_id

    def _settled(self, seen: SeenPost, viewer_class: int) -> public.Post:
        """What of a post changes only with a version of itself or its author."""
        post, owner = seen.post, seen.author.user
        shown = public.Post(
            post_id=str(post.post_id),
            author=self.card(seen.author),
            media=[self.media(asset, owner, viewer_class, post.post_id) for asset in post.assets],
            caption=post.caption,
            audience=post.audience,
            create_time=time(post.create_time_ms),
            comments_disabled=post.comments_disabled,
            archived=post.archived,
        )
        if post.HasField("place"):
            shown.place.CopyFrom(place(post.place))
        return shown

    def comment(self, comment: Any, author: Person) -> public.Comment:
        """A comment whose author the viewer may see."""
        parent = comment.parent_comment_id
        return public.Comment(
            comment_id=str(comment.comment_id),
            post_id=str(comment.post_id),
            author=self.card(author),
            parent_comment_id=str(parent) if parent else "",
            text=comment.text,
            create_time=time(comment.create_time_ms),
            edit_time=time(comment.edit_time_ms) if comment.edit_time_ms else None,
            reply_count=count(comment.reply_count),
        )


def _changing(counts: Any) -> public.Post:
    """What of a post changes from one moment to the next."""
    return public.Post(
        like_count=count(counts.like_count),
        comment_count=count(counts.comment_count),
        viewer=public.PostViewer(liked=counts.liked),
    )


def place(place: Any) -> public.Place:
    """A place."""
    shown = public.Place(place_id=place.place_id, name=place.name)
    for axis in ("latitude", "longitude"):
        if place.HasField(axis):
            setattr(shown, axis, getattr(place, axis))
    return shown


def viewer(relation: Any) -> public.UserViewer:
    """How the caller stands to somebody."""
    state = public.UserViewer.NONE
    if relation.following:
        state = public.UserViewer.FOLLOWING
    elif relation.requested:
        state = public.UserViewer.REQUESTED
    return public.UserViewer(
        following=state,
        followed_by=relation.followed_by,
        blocking=relation.blocking,
        muting=relation.muting,
        close_friend=relation.close_friend,
    )


def session(tokens: Any) -> public.Session:
    """A session's secrets."""
    return public.Session(
        session_id=str(tokens.session_id),
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expire_time=time(tokens.expire_time_ms),
    )
