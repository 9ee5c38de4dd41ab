"""Pages: read ids, keep what the law lets through, read on where it emptied the page. Bounded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from mesh.paging import PageTokens

Id = TypeVar("Id")
Kept = TypeVar("Kept")

DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_ROUNDS = 5
"""Reads that one page may cost; a page that is still not full then ends early, with a token."""

Skeleton = Callable[[bytes, int], Awaitable[tuple[Sequence[Id], bytes]]]
"""(cursor, how many) → ids and the next cursor, empty at the end."""
Rules = Callable[[Sequence[Id]], Awaitable[list[Kept]]]
"""Hydrates ids and keeps what may be shown, in order."""


def size(asked: int) -> int:
    """The page size that a request means."""
    return asked or DEFAULT_SIZE


async def fill(skeleton: Skeleton[Id], rules: Rules[Id, Kept], cursor: bytes, count: int) -> tuple[list[Kept], bytes]:
    """A page of up to ``count`` and the cursor of the next, empty at the end.

    Each round asks for only as many as the page still lacks, so the cursor never passes over
    something that was read and not shown.
    """
    kept: list[Kept] = []
    for _ in range(MAX_ROUNDS):
        found, cursor = await skeleton(cursor, count - len(kept))
        kept += await rules(found)
        if not cursor or len(kept) >= count:
            break
    return kept, cursor


class Request(Protocol):
    """A request for a page of a list (AIP-158)."""

    page_size: int
    page_token: str


async def read(
    tokens: PageTokens,
    request: Request,
    binding: tuple[object, ...],
    skeleton: Skeleton[Id],
    rules: Rules[Id, Kept],
) -> tuple[list[Kept], str]:
    """The page that a request asks for, and the token of the next. ``binding`` names the list, the caller too."""
    cursor = tokens.open(request.page_token, *binding)
    kept, following = await fill(skeleton, rules, cursor, size(request.page_size))
    return kept, tokens.sign(following, *binding)


def from_id(before: int) -> bytes:
    """An id as a cursor; 0 is the end."""
    return before.to_bytes(8, "big") if before else b""


def to_id(cursor: bytes) -> int:
    """The id in a cursor; 0: from the beginning."""
    return int.from_bytes(cursor, "big")
