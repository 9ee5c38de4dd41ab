"""Writing to the embedded index: versioned records, and the counts and listings that follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tantivy

from services.search.documents import Document, Listing, Post, User, listing, standing
from services.search.index.fields import SCHEMA, document
from services.search.index.queries import term
from services.search.index.records import (
    HashtagCount,
    ListedPost,
    PlaceCount,
    Record,
    decode,
    hashtag_key,
    key_of,
    place_key,
    post_key,
    user_key,
)

_PORTION = 500
_KEYS_AT_ONCE = 1_000
_FIRST_RANK = (1 << 64) - 1


class Batch:
    """Documents written to one tantivy index and committed together. Used in one thread.

    ``self._records`` holds what this batch has read or changed since its last commit, on top of
    what the index holds; an absent record is None.
    """

    def __init__(self, index: tantivy.Index, writer: tantivy.IndexWriter) -> None:
        self._index, self._writer = index, writer
        self._searcher = index.searcher()
        self._records: dict[str, Record | None] = {}
        self._changed: set[str] = set()

    def write(self, documents: Sequence[Document]) -> None:
        """Apply the documents in their order and commit."""
        self._load(key for one in documents for key in _keys_needed(one))
        for one in documents:
            if isinstance(one, User):
                self._write_user(one)
            else:
                self._write_post(one)
        self._commit()

    def _write_user(self, user: User) -> None:
        before: Any = self._record(user_key(user.user_id))
        if before is not None and before.version > user.version:
            return
        if standing(before) is standing(user) or not self._has_posts(user.user_id):
            self._set(user_key(user.user_id), user)
        else:
            self._commit()  # what was changed so far must be found by the walk through the author's posts
            self._set(user_key(user.user_id), user)
            self._list_anew(user)
            self._commit()

    def _write_post(self, post: Post) -> None:
        before: Any = self._record(post_key(post.post_id))
        if before is not None and before.post.version > post.version:
            return
        author: Any = self._record(user_key(post.author_id))
        self._list(post, author, before)

    def _list(self, post: Post, author: User | None, before: ListedPost | None) -> None:
        """Put a post where it stands and keep the counts of public posts exact."""
        listed = ListedPost(post, listing(post, author))
        if before is not None and before.listing is Listing.PUBLIC:
            self._count(before.post, -1)
        if listed.listing is Listing.PUBLIC:
            self._count(post, +1)
        self._set(post_key(post.post_id), listed)

    def _count(self, post: Post, change: int) -> None:
        for tag in post.hashtags:
            known: Any = self._record(hashtag_key(tag))
            count = (known.count if known else 0) + change
            self._set(hashtag_key(tag), HashtagCount(tag, count) if count > 0 else None)
        if post.place is not None:
            there: Any = self._record(place_key(post.place.place_id))
            count = (there.count if there else 0) + change
            self._set(place_key(post.place.place_id), PlaceCount(post.place, count) if count > 0 else None)

    def _list_anew(self, author: User) -> None:
        """List every post of an author whose standing changed; memory is bounded, the commit is one."""
        for portion in self._posts_of(author.user_id):
            for listed in portion:
                self._list(listed.post, author, listed)
            self._flush()
            for listed in portion:
                self._records.pop(post_key(listed.post.post_id), None)

    def _posts_of(self, author_id: int) -> Iterator[list[ListedPost]]:
        below = _FIRST_RANK
        while True:
            ranks = tantivy.Query.range_query(SCHEMA, "rank", tantivy.FieldType.Unsigned, 0, below, True, False)
            query = term("author", str(author_id)).and_must_match(ranks)
            hits = self._searcher.search(query, limit=_PORTION, count=False, order_by_field="rank").hits
            if not hits:
                return
            yield [decode(self._searcher.doc(where)["record"][0]) for _, where in hits]  # type: ignore[misc]
            below = hits[-1][0]

    def _has_posts(self, author_id: int) -> bool:
        if self._searcher.doc_freq("author", str(author_id)):
            return True
        changed = (self._records[key] for key in self._changed)
        return any(isinstance(one, ListedPost) and one.post.author_id == author_id for one in changed)

    def _record(self, key: str) -> Record | None:
        if key not in self._records:
            self._load([key])
        return self._records[key]

    def _load(self, keys: Iterable[str]) -> None:
        missing = [key for key in dict.fromkeys(keys) if key not in self._records]
        for start in range(0, len(missing), _KEYS_AT_ONCE):
            some = missing[start : start + _KEYS_AT_ONCE]
            self._records.update(dict.fromkeys(some))
            query = tantivy.Query.term_set_query(SCHEMA, "key", some)
            for _, where in self._searcher.search(query, limit=len(some), count=False).hits:
                record = decode(self._searcher.doc(where)["record"][0])
                self._records[key_of(record)] = record

    def _set(self, key: str, record: Record | None) -> None:
        self._records[key] = record
        self._changed.add(key)

    def _flush(self) -> None:
        """Hand what changed to the writer; it holds with the next commit."""
        for key in self._changed:
            self._writer.delete_documents_by_term("key", key)
            if (record := self._records[key]) is not None:
                self._writer.add_document(document(record))
        self._changed.clear()

    def _commit(self) -> None:
        """Durable (tantivy syncs its files) and visible to searchers made from now on."""
        self._flush()
        self._writer.commit()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._records.clear()


def _keys_needed(one: Document) -> list[str]:
    if isinstance(one, User):
        return [user_key(one.user_id)]
    return [post_key(one.post_id), user_key(one.author_id), *map(hashtag_key, one.hashtags)]
