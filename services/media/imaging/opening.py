"""Opens a source: only the accepted formats, only within the limits, nothing decoded yet."""

from __future__ import annotations

import io

from PIL import Image

from services.media.imaging import formats
from services.media.imaging.reasons import ImageRejected, RejectionReason
from services.media.imaging.rendered import Limits

# Pillow only warns at this number and lets twice of it pass; check_size() refuses.
Image.MAX_IMAGE_PIXELS = None

_PILLOW_NAMES = {formats.JPEG: "JPEG", formats.PNG: "PNG", formats.WEBP: "WEBP"}


class Source(io.BytesIO):
    """The source's bytes; remembers whether a decoder asked for more than there are."""

    starved = False

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.starved |= not data and size is not None and size > 0
        return data


def open_image(source: bytes, limits: Limits) -> tuple[Image.Image, Source]:
    """An image whose header has been read and found within the limits, and the stream under it."""
    kind = _accepted_format(source)
    if kind == formats.WEBP:
        _check_webp(source, limits)
    stream = Source(source)
    try:
        image = Image.open(stream, formats=(_PILLOW_NAMES[kind],))
    except MemoryError:
        raise
    except Exception as error:
        raise undecodable(stream, error) from error
    check_size(*image.size, limits)
    # A JPEG may carry further pictures (depth, gain map) that are not frames.
    if kind != formats.JPEG and getattr(image, "n_frames", 1) > 1:
        raise ImageRejected(RejectionReason.ANIMATED, "Animated pictures are not photos; send a still picture.")
    return image, stream


def check_size(width: int, height: int, limits: Limits) -> None:
    """Refuse a declared size beyond the limits, before a byte of it is decoded."""
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise ImageRejected(
            RejectionReason.TOO_MANY_PIXELS,
            f"The picture is {width}x{height}; at most {limits.pixels // 1_000_000} megapixels "
            f"and {limits.side} pixels a side are accepted.",
        )


def undecodable(stream: Source, error: Exception) -> ImageRejected:
    """The rejection for a decoder's error: cut short where it ran out of bytes, damaged otherwise."""
    if stream.starved or "truncated" in str(error).lower():
        return ImageRejected(RejectionReason.TRUNCATED, "The file ends before the picture does; upload it again.")
    return ImageRejected(RejectionReason.CORRUPT, "The file is damaged and cannot be decoded.")


def _accepted_format(source: bytes) -> str:
    kind = formats.sniff(source[: formats.HEAD_BYTES])
    if kind is None:
        raise ImageRejected(RejectionReason.NOT_AN_IMAGE, "The file is not an image; send a JPEG, PNG or WebP.")
    if kind not in formats.ACCEPTED:
        raise ImageRejected(RejectionReason.UNSUPPORTED_FORMAT, f"{kind} is not accepted; send a JPEG, PNG or WebP.")
    return kind


def _check_webp(source: bytes, limits: Limits) -> None:
    if size := formats.webp_size(source):
        check_size(*size, limits)
    if formats.webp_declared_bytes(source) > len(source):
        raise ImageRejected(RejectionReason.TRUNCATED, "The file ends before the picture does; upload it again.")
