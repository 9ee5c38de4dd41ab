"""One tantivy index on disk, with its one writer. Everything here blocks: call it from a thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tantivy

from services.search.documents import Document
from services.search.index.contract import IndexFailed
from services.search.index.fields import SCHEMA
from services.search.index.writing import Batch

_HEAP_BYTES = 64_000_000
"""What the writer keeps in memory before it spills a segment to disk."""


class Generation:
    """Written in one thread at a time; read in any. Raises :class:`IndexFailed`."""

    def __init__(self, path: Path) -> None:
        try:
            self._index = tantivy.Index(SCHEMA, str(path))
            self._index.config_reader("manual")
            self._writer = self._index.writer(_HEAP_BYTES, 1)
        except (ValueError, OSError) as error:
            raise IndexFailed(f"the index in {path.name} cannot be opened: {error}") from error

    def write(self, documents: Sequence[Document]) -> None:
        """Write and commit; what fails before its commit leaves nothing behind."""
        try:
            Batch(self._index, self._writer).write(documents)
        except (ValueError, OSError) as error:
            self._writer.rollback()
            raise IndexFailed(f"the index could not be written: {error}") from error

    def searcher(self) -> tantivy.Searcher:
        """The index as of its last commit."""
        return self._index.searcher()

    def close(self) -> None:
        """Give the writer up, after the merges under way."""
        self._writer.wait_merging_threads()
