"""What a render is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
WIDTHS = (1080, 640, 320)
FORMATS = ("jpeg", "webp")
MAX_ASPECT = 4
"""A variant is at most this many times as high as it is wide, which bounds the cost of a very tall source."""

Size = tuple[int, int]


@dataclass(frozen=True)
class Limits:
    """What one source may cost. The defaults fit the largest photos that telephones and cameras make."""

    source_bytes: int = 32 * MIB
    pixels: int = 50_000_000
    side: int = 16_384
    """Longest side in pixels."""
    memory_bytes: int = 1536 * MIB
    """Address space of a worker process; a 50-megapixel PNG with alpha was measured at 454 MB."""
    cpu_seconds: int = 10
    """Processor time of one render; beyond it the source is rejected as TOO_COSTLY."""
    wall_seconds: float = 30.0
    """Time of one render by the clock; beyond it the process is killed and the render may be tried again."""


@dataclass(frozen=True)
class Variant:
    """One encoded size of a photo, without any metadata."""

    name: str
    """``1080``, ``640`` or ``320`` (the width it fits), or ``150`` (a square cut from the middle)."""
    width: int
    height: int
    format: str
    """``jpeg`` or ``webp``."""
    content: bytes


@dataclass(frozen=True)
class Rendered:
    """A photo ready to show."""

    width: int
    """Pixels of the source, upright."""
    height: int
    blurhash: str
    dominant_colour: str
    """``#rrggbb``."""
    variants: tuple[Variant, ...]
    """Widest first. A width is left out where a smaller name already holds the source's full width."""


def widths_for(width: int) -> list[int]:
    """The names of the widths that a source gets: those below its own and the first that holds it whole."""
    whole = min((name for name in WIDTHS if name >= width), default=WIDTHS[0])
    return [name for name in WIDTHS if name <= whole]


def fit(size: Size, width: int) -> Size:
    """The size scaled down, never up, to a width and at most MAX_ASPECT times that height; sides stay >= 1."""
    scale = min(1.0, width / size[0], width * MAX_ASPECT / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
