"""Searching: what a query asks for, in the words of the index."""

from __future__ import annotations

from services.search.index import HashtagHit, NameQuery, Page, PlaceHit, Position, SearchIndex
from services.search.text.analysis import caption_query, query_words
from services.search.text.folding import fold, tag, tag_prefix

DEFAULT_PAGE_SIZE = 20


class Search:
    """Queries of up to 200 characters. One that has no word in it (``"?!"``) finds nothing.

    Answers candidates: posts that not everyone may see are among them, and the edge's visibility
    law decides. Raises IndexFailed and OVERLOADED; every call may be repeated.
    """

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    async def users(self, query: str, after: Position | None, page_size: int) -> Page[int]:
        """People by username, with or without @, or by display name."""
        words = query_words(query)
        if not words:
            return Page([])
        name = NameQuery(fold(query).strip().lstrip("@"), words)
        return await self._index.users(name, after, _limit(page_size))

    async def posts(self, query: str, after: Position | None, page_size: int) -> Page[int]:
        """Posts whose caption has every word of the query, newest first."""
        words = caption_query(query)
        return await self._index.posts(words, after, _limit(page_size)) if words else Page([])

    async def hashtags(self, query: str, after: Position | None, page_size: int) -> Page[HashtagHit]:
        """Hashtags that begin with the query, with or without #."""
        prefix = tag_prefix(query)
        return await self._index.hashtags(prefix, after, _limit(page_size)) if prefix else Page([])

    async def places(self, query: str, after: Position | None, page_size: int) -> Page[PlaceHit]:
        """Places with every word of the query, or its beginning, in their name."""
        words = query_words(query)
        return await self._index.places(words, after, _limit(page_size)) if words else Page([])

    async def tagged(self, hashtag: str, after: Position | None, page_size: int) -> Page[int]:
        """Posts that carry a hashtag, newest first."""
        wanted = tag(hashtag)
        return await self._index.tagged(wanted, after, _limit(page_size)) if wanted else Page([])

    async def taken_at(self, place_id: str, after: Position | None, page_size: int) -> Page[int]:
        """Posts that were taken at a place, newest first."""
        return await self._index.taken_at(place_id, after, _limit(page_size))


def _limit(page_size: int) -> int:
    return page_size or DEFAULT_PAGE_SIZE
