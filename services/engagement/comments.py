"""Writing, editing, deleting and reading comments."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import heapq
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from mesh.claims import Claims
from mesh.clock import Clock
from mesh.counting import Contended
from mesh.deadline import DeadlineExceeded
from mesh.errors import denied, invalid, not_found
from mesh.events import NewEvent, Outbox
from mesh.ids import IdGenerator, time_ms
from mesh.limits import longest
from mesh.storage import Outcome, StorageError
from services.engagement.comment_store import CommentStore
from services.engagement.counts import Counts
from services.engagement.model import Claim, Comment, Counter, Kind, Tally
from services.engagement.store import ClaimStore

MAX_CHARS = longest("edge.v1.engagement.CreateCommentRequest.text")
"""Characters of one comment after trimming."""
_ROUNDS = 5
_CASCADE = 200


@dataclass(frozen=True, slots=True)
class NewComment:
    """What a person wants to say, and where."""

    request_id: str
    post_id: int
    parent_id: int
    author_id: int
    text: str

    @property
    def digest(self) -> bytes:
        body = f"{self.post_id}\0{self.parent_id}\0{self.text}"
        return hashlib.sha256(body.encode()).digest()


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Comments with their reply counts; ``next_after`` is 0 at the end."""

    comments: list[Comment]
    reply_counts: list[int]
    next_after: int


class Comments:
    """The threads under posts. ``announce`` makes the event of a comment's state; ``post_author`` says who
    wrote a post (None: it is gone)."""

    def __init__(
        self,
        store: CommentStore,
        claims: ClaimStore,
        outbox: Outbox,
        counter: Counter,
        counts: Counts,
        ids: IdGenerator,
        clock: Clock,
        announce: Callable[[Comment], NewEvent],
        post_author: Callable[[int], Awaitable[int | None]],
        bucket_rows: int,
    ) -> None:
        self._store, self._tally_store, self._counter, self._counts = store, claims, counter, counts
        self._ids, self._clock, self._post_author, self._bucket_rows = ids, clock, post_author, bucket_rows
        self._claims: Claims[Comment] = Claims(outbox, self._write, lambda _, after: announce(after))

    async def create(self, new: NewComment) -> Comment:
        """Write a comment; the same request id gives the same comment. Raises INVALID_FIELD,
        COMMENT_NOT_FOUND (the parent), REQUEST_ID_REUSED."""
        new = replace(new, text=checked_text(new.text))
        known = await self._store.requests.find(new.author_id, new.request_id)
        if known is None:
            await self._check_parent(new)
            known = await self._store.requests.claim(new.author_id, new.request_id, self._ids.next(), new.digest)
        known.must_match(new.digest)
        comment_id = known.answer_id
        present = await self._store.comment(comment_id) or await self._insert(comment_id, new)
        return present if present.live else _gone()

    async def _check_parent(self, new: NewComment) -> None:
        if new.parent_id:
            parent = await self._store.comment(new.parent_id)
            if parent is None or not parent.live or parent.post_id != new.post_id:
                _gone()
            elif parent.parent_id:
                raise invalid("parent_comment_id", f"is a reply itself: answer its parent, {parent.parent_id}")

    async def _insert(self, comment_id: int, new: NewComment) -> Comment:
        first = await self._first_version(comment_id, new)

        def step(before: Comment, event_id: int) -> Comment | None:
            return None if before.version else replace(first, event_id=event_id)

        return await self._claims.change(partial(self._read, comment_id), step, self._align, _as_it_is)

    async def _first_version(self, comment_id: int, new: NewComment) -> Comment:
        tally = await self._tally_store.tally(new.parent_id or new.post_id)
        return Comment(
            comment_id=comment_id,
            post_id=new.post_id,
            author_id=new.author_id,
            parent_id=new.parent_id,
            text=new.text,
            create_time_ms=time_ms(comment_id),
            edit_time_ms=0,
            live=True,
            version=1,
            event_id=0,
            bucket=tally.peak_comments // self._bucket_rows,
        )

    async def edit(self, comment_id: int, person_id: int, text: str) -> Comment:
        """Change the text of one's own comment. May be repeated. Raises INVALID_FIELD,
        COMMENT_NOT_FOUND, NOT_OWNER."""
        text, now = checked_text(text), self._clock.now_ms()

        def step(before: Comment, event_id: int) -> Comment | None:
            if not before.live:
                _gone()
            if before.author_id != person_id:
                raise denied("NOT_OWNER", "only its author may edit a comment")
            after = replace(before, text=text, edit_time_ms=now, version=before.version + 1, event_id=event_id)
            return None if before.text == text else after

        return await self._claims.change(partial(self._read, comment_id), step, self._align, _as_it_is)

    async def delete(self, comment_id: int, person_id: int) -> int:
        """Delete a comment: its author's right and the post's author's; the post's id. May be repeated. Raises
        COMMENT_NOT_FOUND, NOT_OWNER."""
        comment = await self._store.comment(comment_id) or _gone()
        if person_id not in (comment.author_id, await self._post_author(comment.post_id)):
            raise denied("NOT_OWNER", "only its author and the post's author may delete a comment")
        await self._remove(comment_id)
        return comment.post_id

    async def _remove(self, comment_id: int) -> None:
        def step(before: Comment, event_id: int) -> Comment | None:
            after = replace(before, text="", live=False, version=before.version + 1, event_id=event_id)
            return after if before.live else None

        await self._claims.change(partial(self._read, comment_id), step, self._align, _as_it_is)

    async def _read(self, comment_id: int) -> Comment:
        return await self._store.comment(comment_id) or Comment.absent(comment_id)

    async def _write(self, after: Comment) -> Outcome:
        await self._counts.mark(after.post_id)
        return await self._store.claim(after)

    async def _align(self, comment: Comment) -> Comment:
        await self._store.enlist(comment, comment.event_id, time_ms(comment.event_id))
        # The answer needs no count: where counting fails, its event does it later.
        with contextlib.suppress(Contended, StorageError, DeadlineExceeded):
            await self._count(comment)
        return comment

    async def _count(self, comment: Comment) -> Tally:
        claim = Claim(Kind.COMMENT, comment.comment_id)
        if comment.parent_id:
            await self._counter.include(comment.parent_id, Claim(Kind.REPLY, comment.comment_id))
        tally = await self._counter.include(comment.post_id, claim)
        await self._counts.show(tally)
        return tally

    async def changed(self, comment_id: int, event_id: int) -> Tally | None:
        """A comment changed, maybe in a process that died since: complete what it left, and take the
        replies of a deleted comment along. May be repeated. The tally, where it had to be corrected."""
        comment = await self._store.comment(comment_id)
        if comment is None:
            return None
        await self._store.enlist(comment, event_id, time_ms(event_id))
        await self._orphans(comment)
        counted = comment.live == comment.counted and (not comment.parent_id or comment.live == comment.reply_counted)
        if not counted:
            return await self._count(comment)
        # Whoever counted it may not have reached the cache.
        await self._counts.show(await self._tally_store.tally(comment.post_id), surely=True)
        return None

    async def _orphans(self, comment: Comment) -> None:
        """No reply outlives its comment: the comment takes those in its list along, and a reply that came
        into the list later looks for its comment after that."""
        if comment.parent_id and comment.live:
            parent = await self._store.comment(comment.parent_id)
            if parent is None or not parent.live:
                await self._remove(comment.comment_id)
        if not comment.parent_id and not comment.live:
            after = 0
            while replies := await self._ids_of(comment.comment_id, after, _CASCADE, oldest_first=True):
                for after in replies:
                    await self._remove_reply(after)

    async def _remove_reply(self, reply_id: int) -> None:
        await self._remove(reply_id)
        reply = await self._store.comment(reply_id)
        if reply is not None:  # Its row in the list goes even where it was deleted long ago.
            await self._store.enlist(reply, reply.event_id, time_ms(reply.event_id))

    async def by_ids(self, comment_ids: list[int]) -> CommentPage:
        """Live comments with these ids, in the order asked."""
        return await self._page([c for c in await self._store.comments(comment_ids) if c and c.live], 0)

    async def thread(self, thread_id: int, after: int, limit: int, *, oldest_first: bool = False) -> CommentPage:
        """A page of the comments of a post (newest first) or of the replies to a comment (oldest first)."""
        found: list[Comment] = []
        for _ in range(_ROUNDS):
            ids = await self._ids_of(thread_id, after, limit, oldest_first=oldest_first)
            found += [c for c in await self._store.comments(ids) if c and c.live][: limit - len(found)]
            after = found[-1].comment_id if len(found) == limit else ids[-1] if len(ids) == limit else 0
            if len(found) == limit or not after:
                break
        return await self._page(found, after)

    async def _ids_of(self, thread_id: int, after: int, limit: int, *, oldest_first: bool) -> list[int]:
        buckets = (await self._tally_store.tally(thread_id)).peak_comments // self._bucket_rows + 1
        slices = await asyncio.gather(
            *(self._store.thread(thread_id, b, after, limit, oldest_first=oldest_first) for b in range(buckets))
        )
        choose = heapq.nsmallest if oldest_first else heapq.nlargest
        return choose(limit, chain.from_iterable(slices))

    async def _page(self, comments: list[Comment], after: int) -> CommentPage:
        tallies = await self._tally_store.tallies([comment.comment_id for comment in comments])
        return CommentPage(comments, [tally.comments for tally in tallies], after)


async def _as_it_is(comment: Comment) -> Comment:
    return comment


def checked_text(text: str) -> str:
    """The text trimmed. Raises INVALID_FIELD where nothing is left, it is too long, or it holds control
    characters other than line breaks."""
    text = text.replace("\r\n", "\n").strip()
    if not 1 <= len(text) <= MAX_CHARS:
        raise invalid("text", f"must have 1 to {MAX_CHARS} characters after trimming, has {len(text)}")
    if any(unicodedata.category(character) == "Cc" and character != "\n" for character in text):
        raise invalid("text", "must not hold control characters")
    return text


def _gone() -> Comment:
    raise not_found("COMMENT_NOT_FOUND", "there is no such comment")
