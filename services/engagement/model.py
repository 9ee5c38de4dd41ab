"""The words of this service."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

from mesh.counting import Entry, ExactCounter


class Kind(IntEnum):
    """What a claim adds one to, while it holds."""

    LIKE = 0
    """The likes of a post."""
    COMMENT = 1
    """The comments of a post, replies included."""
    REPLY = 2
    """The replies to a comment."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Names one row that counts: a like by its post and person, a comment by its id alone."""

    kind: Kind
    owner_id: int
    person_id: int = 0


_ENTRY = struct.Struct(">Bqq?qq")


def pack(entries: Iterable[Entry[Claim]]) -> bytes:
    """A batch as the bytes kept beside the value that includes it."""
    return b"".join(
        _ENTRY.pack(e.claim.kind, e.claim.owner_id, e.claim.person_id, e.holds, e.before, e.after) for e in entries
    )


def unpack(batch: bytes) -> list[Entry[Claim]]:
    """The entries of :func:`pack`."""
    return [
        Entry(Claim(Kind(kind), owner, person), holds, before, after)
        for kind, owner, person, holds, before, after in _ENTRY.iter_unpack(batch)
    ]


@dataclass(frozen=True, slots=True)
class Tally:
    """Exact counts of a subject. ``fold`` rises with every change; ``batch`` is what the last one took in."""

    subject_id: int
    likes: int = 0
    comments: int = 0
    peak_likes: int = 0
    peak_comments: int = 0
    fold: int = 0
    batch: bytes = b""

    @property
    def entries(self) -> list[Entry[Claim]]:
        """The claims of the batch."""
        return unpack(self.batch)

    def folded(self, entries: Sequence[Entry[Claim]]) -> Tally:
        """These counts after one more fold."""
        likes, comments = self.likes, self.comments
        for entry in entries:
            change = 1 if entry.holds else -1
            if entry.claim.kind is Kind.LIKE:
                likes += change
            else:
                comments += change
        return replace(
            self,
            likes=likes,
            comments=comments,
            peak_likes=max(likes, self.peak_likes),
            peak_comments=max(comments, self.peak_comments),
            fold=self.fold + 1,
            batch=pack(entries),
        )


@dataclass(frozen=True, slots=True)
class Like:
    """A person's like of a post: the claim's row. ``like_id`` names its place in the list of likers."""

    post_id: int
    person_id: int
    liked: bool = False
    version: int = 0
    event_id: int = 0
    like_id: int = 0
    bucket: int = 0
    counted: bool = False
    counted_version: int = 0

    @property
    def event_ids(self) -> tuple[int, ...]:
        """The event that made this version."""
        return (self.event_id,) if self.version else ()

    @property
    def claim(self) -> Claim:
        return Claim(Kind.LIKE, self.post_id, self.person_id)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment's row. ``parent_id`` is 0 for a top-level one, ``edit_time_ms`` 0 where never edited."""

    comment_id: int
    post_id: int
    author_id: int
    parent_id: int
    text: str
    create_time_ms: int
    edit_time_ms: int
    live: bool
    version: int
    event_id: int
    bucket: int
    counted: bool = False
    counted_version: int = 0
    reply_counted: bool = False
    reply_counted_version: int = 0

    @classmethod
    def absent(cls, comment_id: int) -> Comment:
        """There is no such comment (yet)."""
        return cls(comment_id, 0, 0, 0, "", 0, 0, live=False, version=0, event_id=0, bucket=0)

    @property
    def event_ids(self) -> tuple[int, ...]:
        """The event that made this version."""
        return (self.event_id,) if self.version else ()

    @property
    def thread_id(self) -> int:
        """The list it stands in: its parent's replies, or its post's comments."""
        return self.parent_id or self.post_id


@dataclass(frozen=True, slots=True)
class PostCounts:
    """What a feed shows under a post. ``fold`` tells newer from older counts."""

    post_id: int
    likes: int
    comments: int
    liked: bool = False
    fold: int = 0


Counter: TypeAlias = ExactCounter[int, Claim, Tally]
"""Counts likes, comments and replies by their subjects."""
