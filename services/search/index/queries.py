"""Queries of the embedded index. They are built, never parsed: no text can be an operator."""

from __future__ import annotations

from collections.abc import Sequence

import tantivy

from services.search.documents import Listing
from services.search.index.contract import NameQuery
from services.search.index.fields import POST_FIELDS, SCHEMA

_TYPO_FROM_CHARS = 4
_TWO_TYPOS_FROM_CHARS = 8
_FINDABLE = (Listing.PUBLIC, Listing.RESTRICTED)


def term(field: str, value: str) -> tantivy.Query:
    """Documents with this word in this field."""
    return tantivy.Query.term_query(SCHEMA, field, value, "basic")


def all_of(queries: Sequence[tantivy.Query], but_none_of: Sequence[tantivy.Query] = ()) -> tantivy.Query:
    """Documents that match every query of the first and none of the second."""
    wanted = [(tantivy.Occur.Must, query) for query in queries]
    return tantivy.Query.boolean_query([*wanted, *((tantivy.Occur.MustNot, query) for query in but_none_of)])


def any_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """Documents that match one query or more."""
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def captions(words: Sequence[Sequence[str]]) -> tantivy.Query:
    """Posts whose caption has one word of every group."""
    fields = [POST_FIELDS[listing][0] for listing in _FINDABLE]
    return any_of([all_of([any_of([term(field, word) for word in group]) for group in words]) for field in fields])


def tagged(tag: str) -> tantivy.Query:
    """Posts that carry a hashtag."""
    return any_of([term(POST_FIELDS[listing][1], tag) for listing in _FINDABLE])


def taken_at(place_id: str) -> tantivy.Query:
    """Posts that were taken at a place."""
    return any_of([term(POST_FIELDS[listing][2], place_id) for listing in _FINDABLE])


def people(query: NameQuery) -> list[tantivy.Query]:
    """People in tiers, the best first; nobody is in two of them."""
    matching = [
        term("username", query.name),
        all_of([term("name_words", word) for word in query.words]),
        all_of([term("name_prefixes", word) for word in query.words]),
        all_of([_nearly(word) for word in query.words]),
    ]
    return [all_of([one], matching[:tier]) for tier, one in enumerate(matching)]


def _nearly(word: str) -> tantivy.Query:
    """A name's word, up to one slip in four letters and two in eight; short words as beginnings."""
    if len(word) < _TYPO_FROM_CHARS:
        return term("name_prefixes", word)
    distance = 2 if len(word) >= _TWO_TYPOS_FROM_CHARS else 1
    fuzzy = tantivy.Query.fuzzy_term_query(SCHEMA, "name_words", word, distance, True, False)
    return any_of([fuzzy, term("name_prefixes", word)])
