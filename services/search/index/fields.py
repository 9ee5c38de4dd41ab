"""The fields of the embedded index: one schema, in which every kind of record fills its own fields.

Words come ready from the analyser, so every text field only splits at white space. Restricted posts
have fields of their own: the statistics of a field (how many documents have a word, how long they
are) never mix public posts with others.
"""

from __future__ import annotations

import tantivy

from services.search.documents import Listing, User
from services.search.index import ranking
from services.search.index.records import HashtagCount, ListedPost, PlaceCount, Record, encode, key_of
from services.search.text.analysis import caption_words, prefixes, words
from services.search.text.folding import fold

FORMAT = 1
"""Rises when fields or words change: an index of another format is built anew."""

POST_FIELDS = {
    Listing.PUBLIC: ("caption", "hashtag", "place"),
    Listing.RESTRICTED: ("restricted_caption", "restricted_hashtag", "restricted_place"),
}
_EXACT = ("key", "author", "username", *(field for fields in POST_FIELDS.values() for field in fields[2:]))
_WORDS = (
    "name_words",
    "name_prefixes",
    "hashtag_prefixes",
    "place_prefixes",
    *(field for fields in POST_FIELDS.values() for field in fields[:2]),
)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in _EXACT:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in _WORDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    builder.add_unsigned_field("rank", indexed=True, fast=True)
    builder.add_bytes_field("record", stored=True)
    return builder.build()


SCHEMA = _schema()


def document(record: Record) -> tantivy.Document:
    """A record with everything it can be found by."""
    made = tantivy.Document()
    made.add_text("key", key_of(record))
    made.add_bytes("record", encode(record))
    match record:
        case User():
            _add_user(made, record)
        case ListedPost():
            _add_post(made, record)
        case HashtagCount():
            made.add_unsigned("rank", ranking.of_count(record.count, record.tag))
            _add_words(made, "hashtag_prefixes", prefixes(fold(record.tag)))
        case PlaceCount():
            made.add_unsigned("rank", ranking.of_count(record.count, record.place.place_id))
            _add_words(made, "place_prefixes", _prefixes_of(words(record.place.name)))
    return made


def _add_user(made: tantivy.Document, user: User) -> None:
    made.add_unsigned("rank", ranking.of_user(user))
    if user.hidden:
        return
    names = name_words(user.username, user.display_name)
    made.add_text("username", fold(user.username))
    _add_words(made, "name_words", names)
    _add_words(made, "name_prefixes", _prefixes_of(names))


def name_words(username: str, display_name: str) -> list[str]:
    """The words of both names, and the username without its dots: "ana.lopez" is also "analopez"."""
    parts = words(username)
    return list(dict.fromkeys([*parts, "".join(parts), *words(display_name)]))


def _add_post(made: tantivy.Document, listed: ListedPost) -> None:
    post = listed.post
    made.add_unsigned("rank", post.post_id)
    made.add_text("author", str(post.author_id))
    if listed.listing is Listing.NOWHERE:
        return
    caption, hashtag, place = POST_FIELDS[listed.listing]
    _add_words(made, caption, caption_words(post.caption, post.hashtags))
    _add_words(made, hashtag, list(post.hashtags))
    if post.place is not None:
        made.add_text(place, post.place.place_id)


def _add_words(made: tantivy.Document, field: str, some: list[str]) -> None:
    made.add_text(field, " ".join(some))


def _prefixes_of(some: list[str]) -> list[str]:
    return list(dict.fromkeys(prefix for word in some for prefix in prefixes(word)))
