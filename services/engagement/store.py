"""Claims and tallies: the rows that make counts exact, and the list of likers."""

from __future__ import annotations

from collections.abc import Sequence

from mesh.counting import Entry, Standing
from mesh.storage import Bound, Key, Outcome, Row, Store, Table, TableSpec
from services.engagement.model import Claim, Comment, Kind, Like, Tally
from services.engagement.schema import COMMENTS, LIKERS, LIKES, TALLIES, Liker

_COLUMNS: dict[Kind, tuple[TableSpec, str, str]] = {
    Kind.LIKE: (LIKES, "counted", "counted_version"),
    Kind.COMMENT: (COMMENTS, "counted", "counted_version"),
    Kind.REPLY: (COMMENTS, "reply_counted", "reply_counted_version"),
}


class ClaimStore:
    """Likes, likers and tallies over the table contract. Raises what the store raises."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def like(self, post_id: int, person_id: int) -> Like | None:
        """A person's like of a post, or None where they never liked it."""
        row = await self._store.get(LIKES, {"post_id": post_id, "person_id": person_id})
        return LIKES.decode(row) if row else None

    async def likes_of(self, person_id: int, post_ids: Sequence[int]) -> list[Like | None]:
        """One person's likes of many posts, in the order asked."""
        return await self._likes([(post_id, person_id) for post_id in post_ids])

    async def likes_by(self, post_id: int, person_ids: Sequence[int]) -> list[Like | None]:
        """Many persons' likes of one post, in the order asked."""
        return await self._likes([(post_id, person_id) for person_id in person_ids])

    async def _likes(self, pairs: Sequence[tuple[int, int]]) -> list[Like | None]:
        keys: list[Key] = [{"post_id": post_id, "person_id": person_id} for post_id, person_id in pairs]
        rows = await self._store.multi_get(LIKES, keys) if keys else []
        return [LIKES.decode(row) if row else None for row in rows]

    async def claim_like(self, like: Like) -> Outcome:
        """Make this the state of the like, where its state before was the version before."""
        if like.version == 1:
            return await self._store.insert_if_absent(LIKES, LIKES.encode(like))
        changes = {name: getattr(like, name) for name in ("liked", "version", "event_id", "like_id", "bucket")}
        return await self._store.update_if(LIKES, _like_key(like), changes, {"version": like.version - 1})

    async def list_like(self, like: Like) -> None:
        """Put a like into the list of likers."""
        await self._store.put(LIKERS, LIKERS.encode(_liker(like)))

    async def unlist_like(self, like: Like) -> None:
        """Take a like out of the list of likers."""
        await self._store.delete(LIKERS, LIKERS.key(_liker(like)))

    async def likers(self, post_id: int, bucket: int, before_like_id: int, limit: int) -> list[tuple[int, int]]:
        """(like id, person id) of one bucket, newest first, older than ``before_like_id`` (0: all)."""
        start = Bound((before_like_id,), inclusive=False) if before_like_id else None
        partition: Key = {"post_id": post_id, "bucket": bucket}
        rows = await self._store.slice(LIKERS, partition, limit=limit, start=start)
        return [(liker.like_id, liker.person_id) for liker in map(LIKERS.decode, rows)]

    async def tally(self, subject_id: int) -> Tally:
        """The counts of a subject, all zero where nothing was ever counted."""
        row = await self._store.get(TALLIES, {"subject_id": subject_id})
        return TALLIES.decode(row) if row else Tally(subject_id)

    async def tallies(self, subject_ids: Sequence[int]) -> list[Tally]:
        """The counts of many subjects, in the order asked."""
        keys: list[Key] = [{"subject_id": subject_id} for subject_id in subject_ids]
        rows = await self._store.multi_get(TALLIES, keys) if keys else []
        return [TALLIES.decode(row) if row else Tally(subject) for subject, row in zip(subject_ids, rows, strict=True)]

    async def write_tally(self, tally: Tally) -> bool:
        """Make these the counts, where the fold before was the last one; whether they are."""
        if tally.fold == 1:
            return (await self._store.insert_if_absent(TALLIES, TALLIES.encode(tally))).applied
        key, expected = TALLIES.key(tally), {"fold": tally.fold - 1}
        return (await self._store.update_if(TALLIES, key, TALLIES.changes(tally), expected)).applied

    async def standings(self, claims: Sequence[Claim]) -> list[Standing[Claim]]:
        """How claims stand; those without a row are left out."""
        found: list[Standing[Claim]] = []
        table: Table[Like] | Table[Comment]
        for table in (LIKES, COMMENTS):
            mine = [claim for claim in claims if _COLUMNS[claim.kind][0] is table]
            rows = await self._store.multi_get(table, [_claim_key(claim) for claim in mine]) if mine else []
            found += [_standing(claim, table.decode(row)) for claim, row in zip(mine, rows, strict=True) if row]
        return found

    async def mark_counted(self, entry: Entry[Claim]) -> None:
        """Note on a claim's row that its tally includes this state; does nothing where it is noted already."""
        table, counted, mark = _COLUMNS[entry.claim.kind]
        changes: Row = {counted: entry.holds, mark: entry.after}
        await self._store.update_if(table, _claim_key(entry.claim), changes, {mark: entry.before})


def _standing(claim: Claim, row: Like | Comment) -> Standing[Claim]:
    match row:
        case Like():
            return Standing(claim, row.liked, row.counted, row.counted_version)
        case Comment() if claim.kind is Kind.REPLY:
            return Standing(claim, row.live, row.reply_counted, row.reply_counted_version)
    return Standing(claim, row.live, row.counted, row.counted_version)


def _claim_key(claim: Claim) -> Key:
    if claim.kind is Kind.LIKE:
        return {"post_id": claim.owner_id, "person_id": claim.person_id}
    return {"comment_id": claim.owner_id}


def _like_key(like: Like) -> Key:
    return {"post_id": like.post_id, "person_id": like.person_id}


def _liker(like: Like) -> Liker:
    return Liker(like.post_id, like.bucket, like.like_id, like.person_id)
