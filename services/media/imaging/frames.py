"""What parent and worker say to each other over the pipes: a length, then that many bytes.

A request is one frame, the source. An answer is one frame of JSON, followed by the bytes of the
variants in the order, and of the lengths, that the JSON names.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from services.media.imaging.formats import sniff
from services.media.imaging.reasons import ImageRejected, RejectionReason
from services.media.imaging.rendered import MIB, Rendered, Variant

LENGTH = struct.Struct("!I")
MAX_HEADER_BYTES = 64 * 1024
MAX_VARIANTS = 16
MAX_VARIANT_BYTES = 16 * MIB


class BadFrame(Exception):
    """The worker said something that it never says: it is not to be trusted any more."""


def frame(header: dict[str, Any]) -> bytes:
    """A JSON header with its length in front."""
    body = json.dumps(header).encode()
    return LENGTH.pack(len(body)) + body


def parse(body: bytes) -> dict[str, Any]:
    """The header that a frame holds; raises BadFrame."""
    try:
        header = json.loads(body)
    except ValueError as error:
        raise BadFrame(str(error)) from error
    if not isinstance(header, dict):
        raise BadFrame("a header is an object")
    return header


def encode_rendered(rendered: Rendered) -> bytes:
    """The header of a successful answer; the variants' bytes follow it."""
    variants = [[v.name, v.width, v.height, v.format, len(v.content)] for v in rendered.variants]
    return frame(
        {
            "size": [rendered.width, rendered.height],
            "blurhash": rendered.blurhash,
            "dominant_colour": rendered.dominant_colour,
            "variants": variants,
        }
    )


def encode_rejected(rejected: ImageRejected) -> bytes:
    """The header of an answer that refuses the source."""
    return frame({"reason": rejected.reason, "message": rejected.message})


def lengths(header: dict[str, Any]) -> list[int]:
    """The lengths of the contents that follow a header; raises BadFrame or the ImageRejected that it carries."""
    try:
        if "reason" in header:
            raise ImageRejected(RejectionReason(header["reason"]), str(header["message"])[:500])
        sizes = [int(variant[4]) for variant in header["variants"]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BadFrame(f"unexpected header: {error!r}") from error
    if not 0 < len(sizes) <= MAX_VARIANTS or not all(0 < size <= MAX_VARIANT_BYTES for size in sizes):
        raise BadFrame("variants out of bounds")
    return sizes


def decode_rendered(header: dict[str, Any], contents: list[bytes]) -> Rendered:
    """The answer, believed only as far as the bytes bear it out; raises BadFrame."""
    try:
        variants = tuple(
            Variant(str(name), int(width), int(height), str(format), content)
            for (name, width, height, format, _), content in zip(header["variants"], contents, strict=True)
        )
        width, height = (int(side) for side in header["size"])
        rendered = Rendered(width, height, str(header["blurhash"]), str(header["dominant_colour"]), variants)
    except (KeyError, TypeError, ValueError) as error:
        raise BadFrame(f"unexpected header: {error!r}") from error
    if any(sniff(variant.content) != f"image/{variant.format}" for variant in variants):
        raise BadFrame("a variant is not of the format it claims")
    return rendered
