"""The index behind one contract; the embedded engine is tantivy."""

from services.search.index.contract import (
    HashtagHit,
    IndexFailed,
    NameQuery,
    Page,
    PlaceHit,
    Position,
    Rebuild,
    SearchIndex,
)

__all__ = ["HashtagHit", "IndexFailed", "NameQuery", "Page", "PlaceHit", "Position", "Rebuild", "SearchIndex"]
