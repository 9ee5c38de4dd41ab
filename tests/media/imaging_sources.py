"""Photos and hostile files, made from nothing, for the image worker's tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, format, **options)
    return output.getvalue()


def photo(width: int = 1600, height: int = 1200) -> Image.Image:
    """Something with soft gradients and detail, so that it compresses like a photo."""
    red = Image.linear_gradient("L").resize((width, height))
    green = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (red, green, Image.effect_noise((width, height), 40)))


def quadrants(width: int = 400, height: int = 300) -> Image.Image:
    """Red, green / blue, yellow: tells every one of the eight orientations from the others."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    image.paste("yellow", (width // 2, height // 2, width, height))
    return image


def flat_png(width: int, height: int, *, depth: int = 1, colour_type: int = 0) -> bytes:
    """A huge picture in few bytes, written row by row."""
    channels = {0: 1, 2: 3, 6: 4}[colour_type]
    row = bytes(1 + (width * channels * depth + 7) // 8)
    compressor = zlib.compressobj(1)
    pixels = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    header = struct.pack("!IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def scan_bomb(scans: int = 3000) -> bytes:
    """A flat progressive JPEG whose last scan is repeated: kilobytes that keep a decoder busy for minutes."""
    jpeg = encoded(Image.new("RGB", (4000, 4000), "gray"), progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * scans + b"\xff\xd9"


def resized_webp(width: int, height: int) -> bytes:
    """A small lossless WebP whose header declares other dimensions."""
    webp = bytearray(encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    assert webp[12:16] == b"VP8L"
    webp[21:25] = ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    return bytes(webp)


def swapped_profile() -> bytes:
    """An ICC profile in which red stands for green and green for red."""
    primaries = {
        b"rXYZ": (0.3851, 0.7169, 0.0971),
        b"gXYZ": (0.4361, 0.2225, 0.0139),
        b"bXYZ": (0.1431, 0.0606, 0.7141),
    }
    tags = {name: b"XYZ " + bytes(4) + _fixed(*xyz) for name, xyz in primaries.items()}
    tags[b"wtpt"] = b"XYZ " + bytes(4) + _fixed(0.9642, 1.0, 0.8249)
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags[name] = b"curv" + bytes(4) + struct.pack("!IHxx", 1, round(2.2 * 256))
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack("!I", 8) + b"swapped\0" + bytes(79)
    tags[b"cprt"] = b"text" + bytes(4) + b"none\0\0\0\0"
    return _profile(tags)


def _profile(tags: dict[bytes, bytes]) -> bytes:
    offset, table, body = 128 + 4 + 12 * len(tags), struct.pack("!I", len(tags)), b""
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += name + struct.pack("!II", offset + len(body), len(data))
        body += padded
    size = 128 + len(table) + len(body)
    header = struct.pack("!I4xI4s4s4s12x4s", size, 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    header = header.ljust(68, b"\0") + _fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + table + body


def _fixed(*values: float) -> bytes:
    return struct.pack(f"!{len(values)}i", *(round(value * 65536) for value in values))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
