"""What the embedded index keeps of each thing, and how it is stored."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from services.search.documents import Listing, Place, Post, User


@dataclass(frozen=True, slots=True)
class ListedPost:
    """A post and where it stands, which its author's account also decides."""

    post: Post
    listing: Listing


@dataclass(frozen=True, slots=True)
class HashtagCount:
    """A hashtag and how many public posts carry it."""

    tag: str
    count: int


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """A place and how many public posts were taken there."""

    place: Place
    count: int


Record: TypeAlias = User | ListedPost | HashtagCount | PlaceCount


def user_key(user_id: int) -> str:
    """The key of a user's record."""
    return f"u{user_id}"


def post_key(post_id: int) -> str:
    """The key of a post's record."""
    return f"p{post_id}"


def hashtag_key(tag: str) -> str:
    """The key of a hashtag's count."""
    return f"h{tag}"


def place_key(place_id: str) -> str:
    """The key of a place's count."""
    return f"l{place_id}"


def key_of(record: Record) -> str:
    """The key of any record."""
    match record:
        case User():
            return user_key(record.user_id)
        case ListedPost():
            return post_key(record.post.post_id)
        case HashtagCount():
            return hashtag_key(record.tag)
        case PlaceCount():
            return place_key(record.place.place_id)


def encode(record: Record) -> bytes:
    """A record as stored."""
    values = asdict(record)
    if isinstance(record, ListedPost):
        values["listing"] = record.listing.value
    return json.dumps([type(record).__name__, values], ensure_ascii=False).encode()


def decode(stored: bytes) -> Record:
    """A stored record."""
    name, values = json.loads(stored)
    record: Record = _DECODERS[name](values)
    return record


def _place(values: dict[str, Any] | None) -> Place | None:
    return Place(**values) if values else None


def _listed(values: dict[str, Any]) -> ListedPost:
    post = values["post"]
    whole = {**post, "hashtags": tuple(post["hashtags"]), "place": _place(post["place"])}
    return ListedPost(Post(**whole), Listing(values["listing"]))


_DECODERS: dict[str, Any] = {
    "User": lambda values: User(**values),
    "ListedPost": _listed,
    "HashtagCount": lambda values: HashtagCount(**values),
    "PlaceCount": lambda values: PlaceCount(Place(**values["place"]), values["count"]),
}
