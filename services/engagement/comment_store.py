"""Comments, their threads and the log that live streams resume from."""

from __future__ import annotations

from collections.abc import Sequence

from mesh.claims import RequestIds
from mesh.storage import Bound, Delete, Key, Outcome, Put, Store
from services.engagement.model import Comment
from services.engagement.schema import COMMENT_LOG, COMMENTS, REQUEST_IDS, THREADS, LogEntry, ThreadEntry

_DAY_MS = 86_400_000


class CommentStore:
    """Comments over the table contract. Raises what the store raises."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.requests = RequestIds(store, REQUEST_IDS, "comment")

    async def comment(self, comment_id: int) -> Comment | None:
        """A comment, deleted ones included."""
        row = await self._store.get(COMMENTS, {"comment_id": comment_id})
        return COMMENTS.decode(row) if row else None

    async def comments(self, comment_ids: Sequence[int]) -> list[Comment | None]:
        """Comments in the order asked, deleted ones included."""
        keys: list[Key] = [{"comment_id": comment_id} for comment_id in comment_ids]
        rows = await self._store.multi_get(COMMENTS, keys) if keys else []
        return [COMMENTS.decode(row) if row else None for row in rows]

    async def claim(self, comment: Comment) -> Outcome:
        """Make this the state of the comment, where its state before was the version before."""
        if comment.version == 1:
            return await self._store.insert_if_absent(COMMENTS, COMMENTS.encode(comment))
        changes = {name: getattr(comment, name) for name in ("text", "edit_time_ms", "live", "version", "event_id")}
        key: Key = {"comment_id": comment.comment_id}
        return await self._store.update_if(COMMENTS, key, changes, {"version": comment.version - 1})

    async def enlist(self, comment: Comment, event_id: int, event_time_ms: int) -> None:
        """Put a comment into its thread (take it out where it is deleted), and its change into the log."""
        place = THREADS.encode(ThreadEntry(comment.thread_id, comment.bucket, comment.comment_id))
        entry = LogEntry(comment.post_id, event_time_ms // _DAY_MS, event_id, comment.comment_id)
        await self._store.write(
            [
                Put(THREADS, place) if comment.live else Delete(THREADS, place),
                Put(COMMENT_LOG, COMMENT_LOG.encode(entry)),
            ]
        )

    async def thread(
        self, thread_id: int, bucket: int, after: int, limit: int, *, oldest_first: bool = False
    ) -> list[int]:
        """Comment ids of one bucket, newest first or oldest first, behind the id ``after`` (0: from the start)."""
        start = Bound((after,), inclusive=False) if after else None
        partition: Key = {"thread_id": thread_id, "bucket": bucket}
        rows = await self._store.slice(THREADS, partition, limit=limit, start=start, reverse=oldest_first)
        return [THREADS.decode(row).comment_id for row in rows]

    async def changed_since(
        self, post_id: int, event_id: int, since_ms: int, now_ms: int, limit: int
    ) -> list[tuple[int, int]]:
        """The newest changes (event id, comment id) of a post after an event, oldest first; two days at most."""
        found: list[tuple[int, int]] = []
        for day in (now_ms // _DAY_MS, now_ms // _DAY_MS - 1):
            if day >= since_ms // _DAY_MS and len(found) < limit:
                found += await self._changes(post_id, day, event_id, limit - len(found))
        return found[::-1]

    async def _changes(self, post_id: int, day: int, event_id: int, limit: int) -> list[tuple[int, int]]:
        end = Bound((event_id,), inclusive=False)
        partition: Key = {"post_id": post_id, "day": day}
        rows = await self._store.slice(COMMENT_LOG, partition, limit=limit, end=end, reverse=True)
        return [(entry.event_id, entry.comment_id) for entry in map(COMMENT_LOG.decode, rows)]
