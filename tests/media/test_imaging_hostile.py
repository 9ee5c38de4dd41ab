"""Files that are not photos, and files made to hurt: each refused with its reason, none outlives its limits."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from services.media.imaging.formats import ACCEPTED, HEAD_BYTES, sniff
from services.media.imaging.pool import ImageWorker
from services.media.imaging.reasons import ImageRejected, RejectionReason
from services.media.imaging.rendered import MIB, Limits
from tests.media.imaging_sources import encoded, flat_png, photo, quadrants, resized_webp, scan_bomb

pytestmark = pytest.mark.asyncio(loop_scope="module")

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(/etc/passwd) (r) file\n"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def images() -> AsyncIterator[ImageWorker]:
    worker = ImageWorker(processes=1)
    await worker.start()
    yield worker
    await worker.stop()


async def refused(images: ImageWorker, source: bytes) -> RejectionReason:
    with pytest.raises(ImageRejected) as rejected:
        await images.render(source)
    assert rejected.value.message.endswith(".")
    return rejected.value.reason


def archive() -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as file:
        file.writestr("photo.jpg", encoded(quadrants()))
    return output.getvalue()


@pytest.mark.parametrize(
    "source",
    [b"", b"\xff", b"\xff\xd8", b"hello, this is no picture at all", archive(), b"<!DOCTYPE html>", b"\0" * 4096],
    ids=["empty", "one byte", "two bytes", "text", "zip", "html", "zeros"],
)
async def test_what_begins_like_no_image_is_not_an_image(images: ImageWorker, source: bytes) -> None:
    assert await refused(images, source) is RejectionReason.NOT_AN_IMAGE


def unsupported() -> dict[str, bytes]:
    small = Image.new("RGB", (16, 16))
    sources = {"eps": EPS, "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}
    sources |= {format: encoded(small, format) for format in ("GIF", "BMP", "TIFF", "ICO", "JPEG2000")}
    sources["heic"] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    if features.check("avif"):
        sources["avif bomb"] = encoded(Image.new("L", (4096, 4096)), "AVIF", speed=10)
    return sources


@pytest.mark.parametrize("name", unsupported().keys())
async def test_other_image_formats_are_named_and_refused(images: ImageWorker, name: str) -> None:
    assert await refused(images, unsupported()[name]) is RejectionReason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.95])
async def test_truncated_file_is_told_as_truncated(images: ImageWorker, format: str, kept: float) -> None:
    source = encoded(photo(800, 600), format)
    assert await refused(images, source[: int(len(source) * kept)]) is RejectionReason.TRUNCATED


@pytest.mark.parametrize("kept", [4, 20, 100, 200, 400, 600])
async def test_jpeg_cut_within_its_header_is_truncated(images: ImageWorker, kept: int) -> None:
    assert await refused(images, encoded(photo(800, 600))[:kept]) is RejectionReason.TRUNCATED


async def test_damaged_png_is_corrupt(images: ImageWorker) -> None:
    source = bytearray(encoded(photo(800, 600), "PNG"))
    pixels = source.index(b"IDAT") + 4
    source[pixels : pixels + 64] = b"\xff" * 64
    assert await refused(images, bytes(source)) is RejectionReason.CORRUPT


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
async def test_animation_is_refused_rather_than_cut_to_its_first_frame(images: ImageWorker, format: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    source = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    assert await refused(images, source) is RejectionReason.ANIMATED


@pytest.mark.parametrize(
    "source",
    [flat_png(13312, 13312), flat_png(16385, 16), flat_png(100_000, 100_000)[:200], resized_webp(16384, 16384)],
    ids=["177 megapixels of PNG", "one side too long", "10 gigapixels in a header", "268 megapixels of WebP"],
)
async def test_pixel_bomb_is_refused_by_its_declared_size(images: ImageWorker, source: bytes) -> None:
    (pid,) = images.pids
    assert await refused(images, source) is RejectionReason.TOO_MANY_PIXELS
    assert images.pids == [pid]


async def test_too_many_bytes_are_refused_before_a_process_sees_them() -> None:
    images = ImageWorker(limits=Limits(source_bytes=MIB))
    assert await refused(images, encoded(quadrants()) + bytes(MIB)) is RejectionReason.TOO_LARGE


async def test_data_behind_the_picture_is_left_behind(images: ImageWorker) -> None:
    rendered = await images.render(encoded(quadrants()) + archive() + b"<script>alert(1)</script>")
    assert all(b"PK\x03\x04" not in v.content and b"<script>" not in v.content for v in rendered.variants)


async def test_scan_bomb_is_too_costly() -> None:
    images = ImageWorker(processes=1, limits=Limits(cpu_seconds=1))
    await images.start()
    assert await refused(images, scan_bomb()) is RejectionReason.TOO_COSTLY
    assert (await images.render(encoded(quadrants()))).width == 400
    await images.stop()


async def test_memory_limit_holds() -> None:
    images = ImageWorker(processes=1, limits=Limits(memory_bytes=400 * MIB))
    await images.start()
    assert await refused(images, flat_png(7000, 7000, depth=8, colour_type=6)) is RejectionReason.TOO_COSTLY
    assert (await images.render(encoded(quadrants()))).width == 400
    await images.stop()


@pytest.mark.parametrize("colour_type", [0, 2, 6])
async def test_largest_accepted_picture_fits_the_memory_limit(images: ImageWorker, colour_type: int) -> None:
    depth = 16 if colour_type == 0 else 8
    assert (await images.render(flat_png(7000, 7100, depth=depth, colour_type=colour_type))).width == 7000


BASES = [encoded(quadrants(64, 48), format) for format in ("JPEG", "PNG", "WEBP")]


@given(st.sampled_from(BASES), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_flipped_bytes_are_rendered_or_refused_never_fatal(
    images: ImageWorker, base: bytes, flips: list[tuple[int, int]]
) -> None:
    source = bytearray(base)
    for position, value in flips:
        source[position % len(source)] = value
    (pid,) = images.pids
    with contextlib.suppress(ImageRejected):
        await images.render(bytes(source))
    assert images.pids == [pid]


@pytest.mark.parametrize(("format", "kind"), [("JPEG", ACCEPTED[0]), ("PNG", ACCEPTED[1]), ("WEBP", ACCEPTED[2])])
async def test_sniff_tells_a_format_from_its_head(format: str, kind: str) -> None:
    assert sniff(encoded(quadrants(), format)[:HEAD_BYTES]) == kind


async def test_sniff_is_not_fooled_by_a_name_or_a_lookalike() -> None:
    assert sniff(b"RIFF\x10\0\0\0WAVEfmt ") is None
    assert sniff(b"JFIF photo.jpg") is None
    assert sniff(EPS[:HEAD_BYTES]) not in ACCEPTED
