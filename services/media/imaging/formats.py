"""Image formats told from their first bytes, whatever a file's name or Content-Type claims."""

from __future__ import annotations

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
ACCEPTED = (JPEG, PNG, WEBP)
HEAD_BYTES = 32
"""What :func:`sniff` needs; fewer bytes may leave a format unknown."""

_PREFIXES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"%!PS", "application/postscript"),
    (b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (b"<svg", "image/svg+xml"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"heim": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
}


def sniff(head: bytes) -> str | None:
    """The content type of an image that begins with ``head``, or None where it begins like no image.

    Known is more than accepted: compare with :data:`ACCEPTED`, so that a HEIC is told from a text.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return next((kind for prefix, kind in _PREFIXES if head.startswith(prefix)), None)


def webp_declared_bytes(source: bytes) -> int:
    """The length that a WebP's RIFF header declares, in bytes; a shorter file is truncated."""
    return int.from_bytes(source[4:8], "little") + 8


def webp_size(source: bytes) -> tuple[int, int] | None:
    """Width and height that a WebP declares, or None where its first chunk is not one that says so.

    Read here because the decoder reserves memory for the whole canvas as soon as it opens a file.
    """
    kind, body = source[12:16], source[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
