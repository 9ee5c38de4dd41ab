"""The index contract: what search asks of an engine, and what an engine promises.

Documents are versioned facts, written whole. Deleting is writing: a post that is not live, a user
who is hidden. An engine makes the words of a document with ``services.search.text``, so that every
engine finds the same, and keeps non-public posts in fields or indexes of their own, so that no
statistic of the public ones tells of them. ``tests/search/index_conformance.py`` is the promise
in executable form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from services.search.documents import Document, Place

Item = TypeVar("Item")

MAX_PAGE = 200
"""Items that one page may hold."""
MAX_WRITE = 5_000
"""Documents that one write may hold."""


class IndexFailed(Exception):
    """The engine could not do it; a write may be repeated."""


@dataclass(frozen=True, slots=True)
class Position:
    """The place of one item in a list, from its own rank and never from a count of items before it.

    So a page that continues here neither repeats nor skips what stood still meanwhile. ``tier`` is
    0 to 255, ``rank`` an unsigned 64-bit number, larger first; ``key`` orders equal ranks.
    """

    tier: int
    rank: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Items in order, and where the next page continues; None: the end."""

    items: list[Item]
    next: Position | None = None


@dataclass(frozen=True, slots=True)
class HashtagHit:
    """A hashtag and the public posts that carry it."""

    tag: str
    post_count: int


@dataclass(frozen=True, slots=True)
class PlaceHit:
    """A place and the public posts that were taken there."""

    place: Place
    post_count: int


@dataclass(frozen=True, slots=True)
class NameQuery:
    """People sought: ``name`` folded as a whole, and its words."""

    name: str
    words: Sequence[str]


class Writable(Protocol):
    """Takes documents."""

    async def write(self, documents: Sequence[Document]) -> None:
        """Take up to ``MAX_WRITE`` documents in their order; durable and visible to reads on return.

        Each document holds with all that follows from it (counts; where an author's posts stand)
        or not at all. One older than what is held of the same user or post changes nothing; an
        equal one may be repeated. Raises :class:`IndexFailed`; then repeat.
        """


class Rebuild(Writable, Protocol):
    """A fresh index growing beside the one in use, which passes on to it every write from now on."""

    async def switch(self) -> None:
        """Put the fresh index in the old one's place, in one step that survives a crash."""

    async def abandon(self) -> None:
        """Drop it. Harmless after :meth:`switch`, and may be repeated."""


class SearchIndex(Writable, Protocol):
    """One index of users, posts, hashtags and places.

    Reads take a ``limit`` of 1 to ``MAX_PAGE`` and the position of the last item seen; they may be
    cancelled and repeated, take what is left of the caller's deadline, and raise
    :class:`IndexFailed`. Words are those of ``services.search.text``: no text is an operator.
    """

    @property
    def complete(self) -> bool:
        """Whether everything was indexed at some time; if not, a rebuild is due."""

    async def users(self, query: NameQuery, after: Position | None, limit: int) -> Page[int]:
        """Ids of people not hidden: that username, then all words whole in username or display
        name, then as prefixes, then with a typo; in each tier shorter usernames and older accounts first."""

    async def posts(self, words: Sequence[Sequence[str]], after: Position | None, limit: int) -> Page[int]:
        """Ids of posts, public and restricted, whose caption has one word of every group; newest first."""

    async def tagged(self, tag: str, after: Position | None, limit: int) -> Page[int]:
        """Ids of posts, public and restricted, that carry a hashtag; newest first."""

    async def taken_at(self, place_id: str, after: Position | None, limit: int) -> Page[int]:
        """Ids of posts, public and restricted, that were taken at a place; newest first."""

    async def hashtags(self, prefix: str, after: Position | None, limit: int) -> Page[HashtagHit]:
        """Hashtags whose folded text starts so and that public posts carry; most used first, exactly counted."""

    async def places(self, words: Sequence[str], after: Position | None, limit: int) -> Page[PlaceHit]:
        """Places of public posts with every word, or its beginning, in their name; most used first, exactly counted."""

    async def rebuild(self) -> Rebuild:
        """Begin a fresh index. One at a time: a second call drops the first's."""

    async def close(self) -> None:
        """Finish what is under way and release the index. Idempotent."""
