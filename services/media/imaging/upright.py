"""EXIF orientation: which way up a photo was taken."""

from __future__ import annotations

from PIL import Image

_ORIENTATION_TAG = 0x0112
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(image: Image.Image) -> int:
    """The orientation that the EXIF data states, 1 to 8; 1 (upright) where it is absent or unreadable."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except MemoryError:
        raise
    except Exception:  # broken EXIF is no reason to refuse a photo, and its parser raises anything
        return 1
    return orientation if orientation in _TRANSPOSES else 1


def transposed(image: Image.Image, orientation: int) -> Image.Image:
    """The image turned so that it stands upright."""
    return image.transpose(_TRANSPOSES[orientation]) if orientation in _TRANSPOSES else image
