"""What this service knows: originals, what became of them, and posts. Plain values, compared by value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class AssetState(StrEnum):
    """The life of an asset; the last two are final."""

    PROCESSING = "PROCESSING"
    READY = "READY"
    FAILED = "FAILED"


class Audience(StrEnum):
    """For whom a post is meant. Kept here, judged by the edge."""

    EVERYONE = "EVERYONE"
    FOLLOWERS = "FOLLOWERS"
    CLOSE_FRIENDS = "CLOSE_FRIENDS"
    ONLY_ME = "ONLY_ME"


class Restriction(StrEnum):
    """What an operator puts on a post. Kept here, judged by the edge."""

    REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An upload that began: the asset that it may become, and the key that its bytes go to."""

    asset_id: int
    owner_id: int
    request_id: str
    object_key: str


@dataclass(frozen=True, slots=True)
class Original:
    """An uploaded file, durable in the blob store. Never changes."""

    asset_id: int
    owner_id: int
    request_id: str
    """What made the upload repeatable; may be empty."""
    object_key: str
    """Key of the bytes: random, told to nobody."""
    variant_prefix: str
    """Random beginning of its variants' keys, chosen once so that a repeated rendering overwrites its own objects."""
    content_type: str
    """Told from the bytes, not from what the client said."""
    filename: str
    size_bytes: int
    sha256: str
    create_time_ms: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One size and format of an asset."""

    name: str
    """``1080``, ``640``, ``320`` or ``150``."""
    format: str
    """``jpeg`` or ``webp``."""
    width: int
    height: int
    size_bytes: int
    object_key: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Rendered: what is needed to show it. Width and height are pixels of the upright original."""

    width: int
    height: int
    blurhash: str
    dominant_colour: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Never to be shown: a machine-readable reason and a sentence for its owner."""

    failure_reason: str
    failure_message: str


Outcome: TypeAlias = Ready | Failed


@dataclass(frozen=True, slots=True)
class Asset:
    """An original and what became of it."""

    original: Original
    outcome: Outcome | None = None

    @property
    def asset_id(self) -> int:
        return self.original.asset_id

    @property
    def owner_id(self) -> int:
        return self.original.owner_id

    @property
    def state(self) -> AssetState:
        match self.outcome:
            case Ready():
                return AssetState.READY
            case Failed():
                return AssetState.FAILED
        return AssetState.PROCESSING


@dataclass(frozen=True, slots=True)
class Place:
    """Where a photo was taken, as its author says. Degrees, WGS 84; both or neither."""

    place_id: str
    place_name: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A post that somebody asks for."""

    asset_ids: tuple[int, ...]
    caption: str = ""
    place: Place | None = None
    audience: Audience = Audience.EVERYONE
    comments_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """One version of a post; the newest is the post. A deleted one is a tombstone without caption and place."""

    post_id: int
    author_id: int
    version: int
    """1 is the creation."""
    asset_ids: tuple[int, ...]
    caption: str
    hashtags: tuple[str, ...]
    place: Place | None
    audience: Audience
    comments_disabled: bool
    archived: bool
    deleted: bool
    create_time_ms: int
    restrictions: tuple[str, ...] = ()
    """Of :class:`Restriction`, sorted: beside the content, which never changes with them."""
