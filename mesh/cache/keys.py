"""Names of keys, with the hash tag that keeps what belongs together on one node of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from mesh.personal import Holding, Kind, Personal

KeyPart: TypeAlias = str | int


def key(area: str, owner: KeyPart, *rest: KeyPart) -> bytes:
    """``key("feed", 123)`` is ``feed:{123}``, ``key("feed", 123, "seen")`` is ``feed:{123}:seen``.

    All keys of one owner share a slot, so that one script may touch them. Raises ``ValueError``
    for an empty part or one that holds a brace, which would move the tag.
    """
    for part in (area, owner, *rest):
        if part == "" or (isinstance(part, str) and not {"{", "}"}.isdisjoint(part)):
            raise ValueError(f"part {part!r} of a key is empty or holds a brace")
    return ":".join([area, f"{{{owner}}}", *map(str, rest)]).encode()


class KeyFamily(Holding):
    """Keys of one area, with a declaration of whose data is kept under them."""

    def __init__(self, area: str, personal: Personal) -> None:
        super().__init__(Kind.CACHE, area, personal)

    def key(self, owner: KeyPart, *rest: KeyPart) -> bytes:
        """A key of this family; see :func:`key`."""
        return key(self.name, owner, *rest)

    def keys(self, owner: KeyPart, numbers: Sequence[int]) -> list[bytes]:
        """Many keys of one owner, each with one number behind."""
        start = key(self.name, owner) + b":"
        return [start + b"%d" % number for number in numbers]


def tag_of(name: bytes) -> bytes:
    """The part of a key that chooses its slot: what is between the first braces, else all of it."""
    _, opening, behind = name.partition(b"{")
    tag, closing, _ = behind.partition(b"}")
    return tag if opening and closing and tag else name
