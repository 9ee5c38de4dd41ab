"""Reading pages from the embedded index: in order of rank, continued behind a rank, never by offset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tantivy

from services.search.index import ranking
from services.search.index.contract import HashtagHit, Page, PlaceHit, Position
from services.search.index.fields import SCHEMA
from services.search.index.records import Record, decode, key_of

_EQUAL_RANKS = 16
"""Items fetched beyond a page, so that those of equal rank at its boundary are all seen; ranks are nearly unique."""

Hit = tuple[Position, Record]


def newest(searcher: tantivy.Searcher, query: tantivy.Query, after: Position | None, limit: int) -> Page[int]:
    """Posts, newest first: a post's rank is its id."""
    wanted = query if after is None else _not_above(query, after.rank, inclusive=False)
    hits = searcher.search(wanted, limit=limit + 1, count=False, order_by_field="rank").hits
    ids = [int(rank) for rank, _ in hits]
    return Page(ids[:limit], Position(0, ids[limit - 1]) if len(ids) > limit else None)


def ranked(
    searcher: tantivy.Searcher, tiers: Sequence[tantivy.Query], after: Position | None, limit: int
) -> Page[Record]:
    """Records of the first tier by rank, then of the next, and so on."""
    found: list[Hit] = []
    for tier, query in enumerate(tiers):
        if after is None or after.tier <= tier:
            start = after if after is not None and after.tier == tier else None
            found += _of_tier(searcher, query, tier, start, limit + 1 - len(found))
        if len(found) > limit:
            return Page([record for _, record in found[:limit]], found[limit - 1][0])
    return Page([record for _, record in found])


def _of_tier(
    searcher: tantivy.Searcher, query: tantivy.Query, tier: int, after: Position | None, limit: int
) -> list[Hit]:
    """Items behind a position. Fetches more while ranks equal to the last one's may be missing."""
    wanted = query if after is None else _not_above(query, after.rank, inclusive=True)
    fetch = limit + _EQUAL_RANKS
    while True:
        hits = searcher.search(wanted, limit=fetch, count=False, order_by_field="rank").hits
        found = sorted((_hit(searcher, tier, int(rank), where) for rank, where in hits), key=lambda hit: _order(hit[0]))
        new = [hit for hit in found if after is None or _order(hit[0]) > _order(after)]
        if len(hits) < fetch:
            return new[:limit]
        whole = [hit for hit in new if hit[0].rank > hits[-1][0]]
        if len(whole) >= limit:
            return whole[:limit]
        fetch *= 2


def _hit(searcher: tantivy.Searcher, tier: int, rank: int, where: Any) -> Hit:
    record = decode(searcher.doc(where)["record"][0])
    return Position(tier, rank, ranking.tie_breaker(key_of(record))), record


def _order(position: Position) -> tuple[int, str]:
    return -position.rank, position.key


def _not_above(query: tantivy.Query, rank: int, *, inclusive: bool) -> tantivy.Query:
    ranks = tantivy.Query.range_query(SCHEMA, "rank", tantivy.FieldType.Unsigned, 0, rank, True, inclusive)
    return query.and_must_match(ranks)


def hashtag_hits(page: Page[Record]) -> Page[HashtagHit]:
    """Hashtags as the contract gives them."""
    return Page([HashtagHit(record.tag, record.count) for record in page.items], page.next)  # type: ignore[union-attr]


def place_hits(page: Page[Record]) -> Page[PlaceHit]:
    """Places as the contract gives them."""
    return Page([PlaceHit(record.place, record.count) for record in page.items], page.next)  # type: ignore[union-attr]
