"""Cursors: positions as bytes, for the edge to sign. They hold no offset."""

from __future__ import annotations

import struct

from mesh.errors import invalid
from services.search.index import Position

_HEAD = struct.Struct(">BQ")
_MAX_BYTES = 64


def encode(position: Position | None) -> bytes:
    """The cursor of a position; empty: the end."""
    return b"" if position is None else _HEAD.pack(position.tier, position.rank) + position.key.encode()


def decode(cursor: bytes) -> Position | None:
    """The position in a cursor; None for the first page. Raises INVALID_CURSOR."""
    if not cursor:
        return None
    try:
        if len(cursor) > _MAX_BYTES:
            raise ValueError
        tier, rank = _HEAD.unpack_from(cursor)
        return Position(tier, rank, cursor[_HEAD.size :].decode())
    except (struct.error, ValueError):
        message = "must be the next_cursor of an earlier answer to the same request; start again without it"
        raise invalid("cursor", message, "INVALID_CURSOR") from None
