"""What a photo becomes: sizes, upright pixels, plain sRGB, nothing but pixels."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import blurhash
import pytest
import pytest_asyncio
from PIL import Image, ImageChops, ImageStat

from services.media.imaging.pool import ImageWorker
from services.media.imaging.rendered import Rendered
from tests.media.imaging_sources import encoded, flat_png, photo, quadrants, swapped_profile

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def images() -> AsyncIterator[ImageWorker]:
    worker = ImageWorker(processes=1)
    await worker.start()
    yield worker
    await worker.stop()


def sizes(rendered: Rendered) -> dict[str, tuple[int, int]]:
    return {variant.name: (variant.width, variant.height) for variant in rendered.variants}


def picture(rendered: Rendered, name: str, format: str = "jpeg") -> Image.Image:
    (variant,) = [v for v in rendered.variants if (v.name, v.format) == (name, format)]
    image = Image.open(io.BytesIO(variant.content))
    image.load()
    assert image.size == (variant.width, variant.height)
    return image


def assert_colour(actual: object, expected: tuple[int, int, int], within: int = 12) -> None:
    assert isinstance(actual, tuple)
    assert max(abs(a - e) for a, e in zip(actual, expected, strict=True)) <= within, (actual, expected)


async def test_photo_gets_three_widths_and_a_square_in_both_formats(images: ImageWorker) -> None:
    rendered = await images.render(encoded(photo(4000, 3000), quality=90))
    assert (rendered.width, rendered.height) == (4000, 3000)
    assert sizes(rendered) == {"1080": (1080, 810), "640": (640, 480), "320": (320, 240), "150": (150, 150)}
    assert [(v.name, v.format) for v in rendered.variants] == [
        (name, format) for name in ("1080", "640", "320", "150") for format in ("jpeg", "webp")
    ]
    for variant in rendered.variants:
        assert picture(rendered, variant.name, variant.format).format == variant.format.upper()


async def test_cascade_is_as_good_as_one_resize_from_the_full_picture(images: ImageWorker) -> None:
    source = photo(3000, 2000).resize((3000, 2000), Image.Resampling.LANCZOS)
    rendered = await images.render(encoded(source, quality=95))
    for name, size in (("1080", (1080, 720)), ("640", (640, 427)), ("320", (320, 213))):
        direct = Image.open(io.BytesIO(encoded(source.resize(size, Image.Resampling.LANCZOS), quality=80)))
        difference = ImageStat.Stat(ImageChops.difference(picture(rendered, name), direct)).rms
        assert max(difference) < 6, (name, difference)


async def test_source_may_be_a_file(images: ImageWorker, tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(encoded(photo()))
    assert await images.render(file) == await images.render(file.read_bytes())


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1080, 1350), {"1080": (1080, 1350), "640": (640, 800), "320": (320, 400), "150": (150, 150)}),
        ((500, 400), {"640": (500, 400), "320": (320, 256), "150": (150, 150)}),
        ((200, 100), {"320": (200, 100), "150": (100, 100)}),
        ((1, 1), {"320": (1, 1), "150": (1, 1)}),
        ((10000, 10), {"1080": (1080, 1), "640": (640, 1), "320": (320, 1), "150": (10, 10)}),
        ((10, 10000), {"320": (1, 1280), "150": (10, 10)}),
        ((5000, 400), {"1080": (1080, 86), "640": (640, 51), "320": (320, 26), "150": (150, 150)}),
    ],
)
async def test_nothing_is_scaled_up(
    images: ImageWorker, size: tuple[int, int], expected: dict[str, tuple[int, int]]
) -> None:
    assert sizes(await images.render(encoded(Image.new("RGB", size, "teal")))) == expected


INVERSE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
async def test_every_exif_orientation_gives_upright_pixels(images: ImageWorker, orientation: int, format: str) -> None:
    upright = quadrants(2400, 1800)
    turn = INVERSE[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    rendered = await images.render(encoded(upright.transpose(turn) if turn is not None else upright, format, exif=exif))
    assert (rendered.width, rendered.height) == (2400, 1800)
    assert sizes(rendered)["640"] == (640, 480)
    for name in ("1080", "150"):
        image = picture(rendered, name)
        width, height = image.size
        corners = [image.getpixel(at) for at in ((5, 5), (width - 6, 5), (5, height - 6), (width - 6, height - 6))]
        for corner, colour in zip(corners, ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)), strict=True):
            assert_colour(corner, colour)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0"])
async def test_broken_exif_does_not_spoil_a_photo(images: ImageWorker, exif: bytes) -> None:
    assert (await images.render(encoded(quadrants(), exif=exif))).width == 400


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
async def test_no_variant_keeps_place_comment_camera_or_profile(images: ImageWorker, format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    options = {"comment": b"SECRET-COMMENT"} if format == "JPEG" else {}
    source = encoded(photo(), format, exif=exif, icc_profile=swapped_profile(), xmp=b"<x>SECRET-XMP</x>", **options)
    assert b"SECRET" in source
    for variant in (await images.render(source)).variants:
        assert b"SECRET" not in variant.content
        image = Image.open(io.BytesIO(variant.content))
        assert not image.getexif()
        assert not {"exif", "comment", "icc_profile", "xmp", "photoshop"} & image.info.keys()


async def test_icc_profile_is_converted_to_srgb(images: ImageWorker) -> None:
    source = encoded(Image.new("RGB", (400, 300), (255, 0, 0)), icc_profile=swapped_profile())
    assert_colour(picture(await images.render(source), "320").getpixel((100, 100)), (0, 255, 0))


async def test_icc_profile_leaves_alpha_alone(images: ImageWorker) -> None:
    source = encoded(Image.new("RGBA", (400, 300), (255, 0, 0, 0)), "PNG", icc_profile=swapped_profile())
    assert_colour(picture(await images.render(source), "320").getpixel((100, 100)), (255, 255, 255))


async def test_broken_icc_profile_is_ignored(images: ImageWorker) -> None:
    source = encoded(Image.new("RGB", (400, 300), (255, 0, 0)), icc_profile=b"nonsense" * 40)
    assert_colour(picture(await images.render(source), "320").getpixel((100, 100)), (255, 0, 0))


def _palette(transparent: bool) -> bytes:
    image = Image.new("P", (400, 300), 1)
    image.putpalette([0, 0, 0, 200, 30, 60])
    return encoded(image, "PNG", transparency=1) if transparent else encoded(image, "PNG")


WHITE = (255, 255, 255)


@pytest.mark.parametrize(
    ("source", "colour"),
    [
        pytest.param(encoded(Image.new("CMYK", (400, 300), (0, 255, 255, 0))), (255, 0, 0), id="CMYK"),
        pytest.param(encoded(Image.new("L", (400, 300), 77)), (77, 77, 77), id="gray JPEG"),
        pytest.param(encoded(Image.new("1", (400, 300), 1), "PNG"), WHITE, id="1 bit"),
        pytest.param(encoded(Image.new("I;16", (400, 300), 128 * 256), "PNG"), (128, 128, 128), id="16-bit gray"),
        pytest.param(flat_png(400, 300, depth=16, colour_type=2), (0, 0, 0), id="16-bit RGB"),
        pytest.param(_palette(transparent=False), (200, 30, 60), id="palette"),
        pytest.param(_palette(transparent=True), WHITE, id="transparent palette"),
        pytest.param(encoded(Image.new("LA", (400, 300), (0, 0)), "PNG"), WHITE, id="gray with alpha"),
        pytest.param(encoded(Image.new("RGBA", (400, 300), (0, 0, 0, 0)), "PNG"), WHITE, id="transparent PNG"),
        pytest.param(encoded(Image.new("RGBA", (400, 300), (0, 0, 0, 0)), "WEBP"), WHITE, id="transparent WebP"),
        pytest.param(encoded(Image.new("RGBA", (400, 300), (0, 0, 0, 128)), "PNG"), (127, 127, 127), id="half alpha"),
        pytest.param(encoded(Image.new("RGB", (400, 300)), "PNG", transparency=(0, 0, 0)), WHITE, id="keyed RGB"),
    ],
)
async def test_every_pixel_layout_becomes_rgb_on_white(
    images: ImageWorker, source: bytes, colour: tuple[int, int, int]
) -> None:
    rendered = await images.render(source)
    for name in ("320", "150"):
        assert picture(rendered, name).mode == "RGB"
        assert_colour(picture(rendered, name).getpixel((60, 60)), colour, within=2)


async def test_further_pictures_of_a_camera_jpeg_are_not_frames(images: ImageWorker) -> None:
    source = encoded(quadrants(), "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30))])
    assert sizes(await images.render(source))["320"] == (320, 240)


async def test_placeholder_resembles_the_photo(images: ImageWorker) -> None:
    rendered = await images.render(encoded(Image.new("RGB", (800, 600), (30, 120, 200))))
    assert_colour(blurhash.decode(rendered.blurhash, 8, 8).convert("RGB").getpixel((4, 4)), (30, 120, 200))
    assert_colour(tuple(bytes.fromhex(rendered.dominant_colour[1:])), (30, 120, 200))
