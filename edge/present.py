"""Presenting: facts that the law let through, as the public messages show them."""

from __future__ import annotations

import json
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from tintype.accounts.v1 import accounts_pb2
from tintype.edge.v1 import resources_pb2 as public
from tintype.engagement.v1 import engagement_pb2
from tintype.graph.v1 import graph_pb2
from tintype.media.v1 import assets_pb2
from tintype.type.v1 import content_pb2

from edge.facts import Person, SeenPost
from edge.facts.facets import count
from edge.links import Link, Links
from edge.visibility import ANYONE, Viewer, may_see

_ANYBODY = Viewer(ANYONE)
_AVATAR = "150"
_SERIALISED = 20_000
"""Rendered parts kept; one to two kilobytes each."""
_ADDED = frozenset({"likeCount", "commentCount", "viewer", "leftOut"})
"""What of a post the facets add, as JSON names it."""
_STATES = {
    assets_pb2.ASSET_STATE_PROCESSING: public.Media.PROCESSING,
    assets_pb2.ASSET_STATE_READY: public.Media.READY,
    assets_pb2.ASSET_STATE_FAILED: public.Media.FAILED,
}


def keep(table: dict[Any, Any], key: Any, value: Any, most: int = _SERIALISED) -> None:
    """Remember a rendered part. A full table starts afresh: simpler than to order it, and as good for what
    costs microseconds to make again."""
    if len(table) >= most:
        table.clear()
    table[key] = value


def time(ms: int) -> Timestamp:
    """Milliseconds as a Timestamp."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


class Presenter:
    """Builds public messages; knows how to link to image bytes."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._serialised: dict[tuple[int, ...], bytes] = {}
        self._rendered: dict[bytes, str] = {}

    def card(self, person: Person) -> public.UserCard:
        """Somebody in passing."""
        user = person.user
        return public.UserCard(
            user_id=str(user.user_id),
            username=user.username,
            display_name=user.display_name,
            avatar_url=self.avatar(user),
        )

    def avatar(self, user: accounts_pb2.User) -> str:
        """The link to a person's picture; empty where there is none."""
        if not user.avatar_asset_id:
            return ""
        viewer_class = user.user_id if user.hidden else ANYONE  # whoever is hidden still sees their own
        return self._links.url(Link(user.avatar_asset_id, user.user_id, viewer_class, user.media_epoch, _AVATAR))

    def profile(
        self, person: Person, relation: graph_pb2.Relation, counts: graph_pb2.Counts, post_count: int
    ) -> public.User:
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
            follower_count=count(counts.follower_count),
            following_count=count(counts.following_count),
            viewer=viewer(relation),
        )

    def account(self, account: accounts_pb2.Account) -> public.Account:
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

    def media(
        self, asset: assets_pb2.Asset, owner: accounts_pb2.User, viewer_class: int, post_id: int = 0
    ) -> public.Media:
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
        shown.MergeFromString(seen.facets)
        return shown

    def post_bytes(self, viewer_id: int, seen: SeenPost) -> bytes:
        """The same, serialised. What seldom changes is kept by all that it depends on, for every viewer who may
        follow the same links; what the facets add is appended."""
        return self._settled_bytes(viewer_id, seen) + seen.facets

    def post_json(self, viewer_id: int, seen: SeenPost) -> str:
        """The same as JSON: an object."""
        return f"{{{self._json(self._settled_bytes(viewer_id, seen))},{self._json(seen.facets, added=True)}}}"

    def _settled_bytes(self, viewer_id: int, seen: SeenPost) -> bytes:
        viewer_class = self._viewer_class(viewer_id, seen)
        post, owner = seen.post, seen.author.user
        key = (post.post_id, post.version, owner.version, viewer_class, self._links.window())
        found = self._serialised.get(key)
        if found is None:
            found = bytes(self._settled(seen, viewer_class).SerializeToString())
            keep(self._serialised, key, found)
        return found

    def _json(self, part: bytes, *, added: bool = False) -> str:
        """The members of a post's JSON that a part of it stands for, without the braces around them."""
        found = self._rendered.get(part)
        if found is None:
            whole = json_format.MessageToDict(public.Post.FromString(part), always_print_fields_with_no_presence=True)
            members = {name: value for name, value in whole.items() if (name in _ADDED) is added}
            found = json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1]
            keep(self._rendered, part, found)
        return found

    def _viewer_class(self, viewer_id: int, seen: SeenPost) -> int:
        """Who may follow the post's links: everybody, or this viewer alone."""
        return ANYONE if may_see(_ANYBODY, seen.author.facts, seen.subject) else viewer_id

    def _settled(self, seen: SeenPost, viewer_class: int) -> public.Post:
        """What of a post changes only with a version of itself or its author."""
        post, owner = seen.post, seen.author.user
        shown = public.Post(
            post_id=str(post.post_id),
            author=self.card(seen.author),
            media=[self.media(asset, owner, viewer_class, post.post_id) for asset in post.assets],
            caption=post.caption,
            audience=cast(public.Audience, int(post.audience)),  # the numbers are the same
            create_time=time(post.create_time_ms),
            comments_disabled=post.comments_disabled,
            archived=post.archived,
        )
        if post.HasField("place"):
            shown.place.CopyFrom(place(post.place))
        return shown

    def comment(self, comment: engagement_pb2.Comment, author: Person) -> public.Comment:
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


def place(place: content_pb2.Place) -> public.Place:
    """A place."""
    shown = public.Place(place_id=place.place_id, name=place.name)
    for axis in ("latitude", "longitude"):
        if place.HasField(axis):
            setattr(shown, axis, getattr(place, axis))
    return shown


def viewer(relation: graph_pb2.Relation) -> public.UserViewer:
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


def session(tokens: accounts_pb2.SessionTokens) -> public.Session:
    """A session's secrets."""
    return public.Session(
        session_id=str(tokens.session_id),
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expire_time=time(tokens.expire_time_ms),
    )
