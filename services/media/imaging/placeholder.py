"""What an app shows while the photo loads."""

from __future__ import annotations

import blurhash
from PIL import Image

_SIDE = 32
_COLOURS = 5


def placeholder(image: Image.Image) -> tuple[str, str]:
    """The blurhash (4x3 components) and the most common colour (``#rrggbb``) of an RGB image."""
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    # encode() closes the image that it is given.
    return str(blurhash.encode(small.copy(), 4, 3)), _dominant_colour(small)


def _dominant_colour(image: Image.Image) -> str:
    quantized = image.quantize(_COLOURS)
    palette = quantized.getpalette() or [0, 0, 0]
    histogram = quantized.histogram()
    index = histogram.index(max(histogram))
    return "#" + bytes(palette[index * 3 : index * 3 + 3]).hex()
