"""Whose data is kept: declared beside whatever keeps it, so that all of one person's can be found.

A table says it in its declaration (``TableSpec.personal``); other places, where bytes, events, cached values or
documents are kept, are each a :class:`Holding`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Personal:
    """Whose data something is. Made by :func:`owned` and :func:`nobodys`."""

    owners: tuple[str, ...] = ()
    """Columns or fields that hold the ids of those whose data it is: every one of them."""
    through: str = ""
    """Where the ids in ``owners`` are not people's: the table and column that tells whose they are."""
    nobodys: str = ""
    """Why it is nobody's."""


def owned(*owners: str, through: str = "") -> Personal:
    """Somebody's: of the people whose ids these columns or fields hold, or to whom ``through`` leads (a column
    ``service.table.column``, or another kind of holding)."""
    if not owners:
        raise ValueError("name the columns that say whose data it is, or say nobodys(why)")
    return Personal(owners, through)


def nobodys(why: str) -> Personal:
    """Nobody's data, with the reason in a few words."""
    return Personal(nobodys=why)


class Kind(StrEnum):
    """What keeps data beside tables."""

    BUCKET = "bucket"
    """Objects of the blob store whose keys begin with the name."""
    STREAM = "stream"
    """Events of the name, on the bus and as payloads in outboxes."""
    CACHE = "cache"
    """Keys of Redis that begin with the name."""
    INDEX = "index"
    """Documents of the name in a search index."""


@dataclass(frozen=True)
class Holding:
    """Something other than a table that keeps data."""

    kind: Kind
    name: str
    personal: Personal
