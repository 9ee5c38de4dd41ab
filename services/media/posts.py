"""Posts: created of ready assets, changed version by version, ended by a tombstone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Generic, TypeVar

from mesh.clock import Clock
from mesh.errors import Code, Problem, denied, invalid, not_found, precondition
from mesh.events import Outbox
from mesh.ids import IdGenerator, time_ms
from mesh.limits import longest
from mesh.memory import Memory
from services.media import events
from services.media.assets import Assets
from services.media.captions import check_caption
from services.media.hashtags import hashtags
from services.media.model import Asset, Draft, Failed, Post, Ready, Restriction
from services.media.store import MediaStore

MAX_ASSETS = longest("edge.v1.posts.CreatePostRequest.media_ids")
FRESH_S = 2.0
"""How old a post may be where nobody told this process that it changed."""
_TRIES = 8
"""Changes of one post by others that one change may meet."""
Message = TypeVar("Message")
Encode = Callable[[Post, Sequence[Message]], bytes]


class Posts(Generic[Message]):
    """The rules of posts. ``encode`` makes of a post and its assets' messages what readers are sent; the last
    ``remembered`` of those are kept for a moment."""

    def __init__(
        self,
        store: MediaStore,
        assets: Assets[Message],
        outbox: Outbox,
        ids: IdGenerator,
        clock: Clock,
        encode: Encode[Message],
        remembered: int,
    ) -> None:
        self._store = store
        self._assets = assets
        self._outbox = outbox
        self._ids = ids
        self._clock = clock
        self._encode = encode
        self._memory: Memory[int, bytes] = Memory(self._load, FRESH_S, remembered)

    async def create(self, author_id: int, request_id: str, draft: Draft) -> Post:
        """Make a post; with a request id it may be repeated. Raises INVALID_FIELD, MEDIA_NOT_FOUND,
        MEDIA_NOT_READY, MEDIA_FAILED, REQUEST_ID_REUSED, and POST_NOT_FOUND for the repeat of one deleted since."""
        draft = _checked(draft)
        digest, post_id = _digest(draft), self._ids.next()
        request = await self._store.post_requests.find(author_id, request_id)
        if request is None:
            await self._check_assets(author_id, draft.asset_ids)
            request = await self._store.post_requests.claim(author_id, request_id, post_id, digest)
        request.must_match(digest)
        first = _first_version(author_id, request.answer_id, draft)
        return await (self._commit(first) if request.answer_id == post_id else self._repeat(first))

    async def _repeat(self, first: Post) -> Post:
        """The post that a request made, made now where an earlier attempt ended in between."""
        post = await self._store.post(first.post_id) or await self._commit(first)
        if post.deleted:
            raise _no_post(post.post_id)
        return post

    async def update(self, author_id: int, post_id: int, changes: Mapping[str, Any]) -> Post:
        """Set fields of an own post (caption, place, audience, comments_disabled, archived); what holds already
        makes no version. Raises POST_NOT_FOUND, NOT_OWNER, INVALID_FIELD, CONFLICT."""
        values = dict(changes)
        if "caption" in values:
            values["caption"] = check_caption(values["caption"])
            values["hashtags"] = hashtags(values["caption"])

        def changed(post: Post) -> Post:
            if post.deleted:
                raise _no_post(post_id)
            return replace(post, **values)

        return await self._change(post_id, changed, author_id)

    async def restrict(self, post_id: int, restriction: Restriction, holds: bool) -> Post:
        """Put a restriction on anybody's post, or take it away; may be repeated. A version of its own tells of it,
        so that whoever indexes posts hears; the content is that of the version before. Raises POST_NOT_FOUND,
        CONFLICT."""

        def restricted(post: Post) -> Post:
            if post.deleted:
                raise _no_post(post_id)
            others = {*post.restrictions} - {restriction.value}
            return replace(post, restrictions=tuple(sorted(others | ({restriction.value} if holds else set()))))

        return await self._change(post_id, restricted)

    async def delete(self, author_id: int, post_id: int) -> None:
        """Leave a tombstone of an own post; may be repeated. Raises POST_NOT_FOUND, NOT_OWNER, CONFLICT."""

        def deleted(post: Post) -> Post:
            return replace(post, deleted=True, caption="", hashtags=(), place=None)

        await self._change(post_id, deleted, author_id)

    async def assets_of(self, post: Post) -> list[Message]:
        """What readers are sent of a post's assets, in their order."""
        return [known.message for known in await self._assets.read(post.asset_ids)]

    async def read(self, post_ids: Sequence[int]) -> list[bytes]:
        """Encoded posts, in the order asked; deleted and unknown ones left out. At most ``FRESH_S`` old."""
        found = await self._memory.read(post_ids)
        return [found[post_id] for post_id in post_ids if post_id in found]

    async def page(self, after: int, limit: int) -> tuple[list[tuple[Post, list[Message]]], int]:
        """Posts after an id, in id order, and where to go on (0: the end)."""
        ids = await self._store.post_ids(after, limit, self._clock.now_ms())
        posts = await self._store.posts(ids)
        shown = [posts[post_id] for post_id in ids if post_id in posts and not posts[post_id].deleted]
        messages = await self._messages(shown)
        return list(zip(shown, messages, strict=True)), ids[-1] if len(ids) == limit else 0

    def changed(self, post_id: int) -> None:
        """Another process has changed this post."""
        self._memory.forget(post_id)

    async def _load(self, post_ids: list[int]) -> Mapping[int, bytes]:
        posts = [post for post in (await self._store.posts(post_ids)).values() if not post.deleted]
        found = await self._messages(posts)
        return {post.post_id: self._encode(post, messages) for post, messages in zip(posts, found, strict=True)}

    async def _messages(self, posts: Sequence[Post]) -> list[list[Message]]:
        """The assets of many posts in one read."""
        asset_ids = list(dict.fromkeys(asset_id for post in posts for asset_id in post.asset_ids))
        known = {found.asset.asset_id: found.message for found in await self._assets.read(asset_ids)}
        return [[known[asset_id] for asset_id in post.asset_ids if asset_id in known] for post in posts]

    async def _change(self, post_id: int, change: Callable[[Post], Post], author_id: int | None = None) -> Post:
        """Make another version of a post: of anybody's, or only of this author's own."""
        for _ in range(_TRIES):
            post = await self._existing(post_id, author_id)
            wanted = change(post)
            if wanted == post:
                return post
            claim = replace(wanted, version=post.version + 1)
            standing, ours = await self._store.claim_version(claim, self._ids.next())
            # Where another was first, its version is completed here: it may have ended in between.
            await self._commit(standing)
            if ours:
                return standing
        raise Problem(Code.ABORTED, "CONFLICT", f"post {post_id} is being changed by others: try again")

    async def _existing(self, post_id: int, author_id: int | None) -> Post:
        post = await self._store.post(post_id)
        if post is None:
            raise _no_post(post_id)
        if author_id is not None and post.author_id != author_id:
            raise denied("NOT_OWNER", "only its author may change a post")
        return post

    async def _commit(self, post: Post) -> Post:
        await self._outbox.commit(self._store.post_written(post), [events.post_changed(post)])
        self._memory.forget(post.post_id)
        return post

    async def _check_assets(self, author_id: int, asset_ids: Sequence[int]) -> None:
        """All there, the author's own and ready."""
        found = {known.asset.asset_id: known.asset for known in await self._assets.read(asset_ids)}
        for asset_id in asset_ids:
            _check_asset(asset_id, found.get(asset_id), author_id)


def _check_asset(asset_id: int, asset: Asset | None, author_id: int) -> None:
    # Another's asset answers as one that is not there.
    if asset is None or asset.owner_id != author_id:
        raise not_found("MEDIA_NOT_FOUND", f"there is no medium {asset_id} of yours: upload it first")
    match asset.outcome:
        case Failed(_, message):
            raise precondition("MEDIA_FAILED", f"medium {asset_id} cannot be shown: {message}")
        case Ready():
            return
    raise precondition("MEDIA_NOT_READY", f"medium {asset_id} is still processing: wait until it is ready")


def _checked(draft: Draft) -> Draft:
    if not 1 <= len(draft.asset_ids) <= MAX_ASSETS:
        raise invalid("asset_ids", f"must name 1 to {MAX_ASSETS} media, not {len(draft.asset_ids)}")
    if len(set(draft.asset_ids)) < len(draft.asset_ids):
        raise invalid("asset_ids", "must name each medium once")
    return replace(draft, caption=check_caption(draft.caption))


def _digest(draft: Draft) -> bytes:
    return hashlib.sha256(json.dumps(asdict(draft), sort_keys=True).encode()).digest()


def _first_version(author_id: int, post_id: int, draft: Draft) -> Post:
    """What a request makes, the same at every attempt."""
    return Post(
        post_id=post_id,
        author_id=author_id,
        version=1,
        asset_ids=draft.asset_ids,
        caption=draft.caption,
        hashtags=hashtags(draft.caption),
        place=draft.place,
        audience=draft.audience,
        comments_disabled=draft.comments_disabled,
        archived=False,
        deleted=False,
        create_time_ms=time_ms(post_id),
    )


def _no_post(post_id: int) -> Problem:
    return not_found("POST_NOT_FOUND", f"there is no post {post_id}")
