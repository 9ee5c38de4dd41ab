"""Brings any pixel layout and colour space to plain sRGB on white."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

_SRGB = ImageCms.createProfile("sRGB")
_MODES_OF_SPACE = {"RGB": ("RGB", "RGBA"), "GRAY": ("L",), "CMYK": ("CMYK",)}
_MAX_PROFILE_BYTES = 1024 * 1024


def resizable(image: Image.Image) -> Image.Image:
    """The image in a layout that can be resampled: palettes expanded, 16 bits reduced to 8."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        return image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
    if image.mode in ("P", "PA"):
        return image.convert("RGB")
    return image.convert("L") if image.mode == "1" else image


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB pixels in sRGB, alpha flattened on white, and nothing but pixels: no comment, profile or EXIF."""
    if profile and (transform := _transform(profile, image.mode)):
        # With alpha the transform copies that channel as it is.
        image = ImageCms.applyTransform(image, transform) or image
    if image.mode == "LA":
        image = image.convert("RGBA")
    elif image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGB")
    plain = Image.new("RGB", image.size, "white")
    plain.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return plain


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from an embedded profile to sRGB, or None where it is sRGB already, broken or for another layout."""
    if len(profile) > _MAX_PROFILE_BYTES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode not in _MODES_OF_SPACE.get(source.profile.xcolor_space.strip(), ()):
            return None
        if ImageCms.getProfileDescription(source).strip().startswith("sRGB"):
            return None
        output = "RGBA" if mode == "RGBA" else "RGB"
        return ImageCms.buildTransform(source, _SRGB, mode, output)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
