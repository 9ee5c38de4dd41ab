"""Two hundred photographs that nobody took: drawn, deterministic, each from its seed.

``draw_photo`` gives a JPEG like a camera's, with EXIF data for the pipeline to strip; ``draw_avatar`` a profile
picture. One costs 0.12 to 0.44 s on one core, by its kind.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFont

from cli.demo import cities, closeups, landscapes, shores, wilds
from cli.demo.canvas import Colour, Size, bokeh, film, glow, gradient, rgb

Scene = Callable[[Random, Size], Image.Image]
SCENES: dict[str, Scene] = {
    "mountains": landscapes.mountains,
    "sunset": shores.sunset,
    "city": cities.city,
    "forest": wilds.forest,
    "beach": shores.beach,
    "stars": wilds.stars,
    "flower": closeups.flower,
    "coffee": closeups.coffee,
    "portrait": closeups.portrait,
    "street": cities.street,
    "snow": landscapes.snow,
    "desert": landscapes.desert,
}
KINDS = tuple(SCENES)
PHOTOS = 200
"""Seeds 0 to 199 make up the demo world; any other seed draws as well."""

_SIZES: tuple[Size, ...] = ((1600, 1200), (1620, 1080), (1600, 1600), (1440, 1800), (1800, 1200), (1500, 2000))
_CAMERAS = (("Aurora", "AR-7"), ("Kestrel", "Field 2"), ("Lumo", "Phone 9"), ("Halden", "M35"))
_DARK = ("city", "stars", "street")
AVATAR_SIDE = 400


def kind_of(seed: int) -> str:
    """The kind of picture that a seed gets where none is asked for."""
    return KINDS[seed % len(KINDS)]


def draw_photo(seed: int, kind: str | None = None) -> bytes:
    """A JPEG of about 2 to 3 megapixels; the same seed and kind give the same bytes.

    ``kind`` is one of KINDS; raises ValueError for any other.
    """
    kind = kind or kind_of(seed)
    if kind not in SCENES:
        raise ValueError(f"kind: {kind!r} is not one of {', '.join(KINDS)}")
    random = Random(f"{kind}/{seed}")
    size = random.choice(_SIZES)
    # Scenes are drawn at half size; film() enlarges them and lays the grain on at full size.
    scene = SCENES[kind](random, (size[0] // 2, size[1] // 2))
    scene = ImageEnhance.Color(scene).enhance(random.uniform(0.9, 1.15))
    image = film(random, scene, size, grain=0.16 if kind in _DARK else 0.1, vignette=random.uniform(0.25, 0.5))
    output = io.BytesIO()
    image.save(output, "JPEG", quality=88, exif=_camera_data(random, kind))
    return output.getvalue()


def draw_avatar(seed: int, name: str) -> bytes:
    """A square JPEG: the first letter of a name on soft light."""
    random = Random(f"avatar/{seed}/{name}")
    size = (AVATAR_SIDE, AVATAR_SIDE)
    first, second = _avatar_colours(random)
    image = gradient(size, [first, second]).rotate(random.choice((0, 90, 180, 270)))
    image = ImageChops.screen(image, glow(size, (random.uniform(0, 400), random.uniform(0, 200)), 300, (90, 80, 70)))
    image = ImageChops.screen(
        image, bokeh(random, size, [first, second], 9, (20, 60)).point([v // 2 for v in range(256)] * 3)
    )
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=190)
    draw.text((AVATAR_SIDE / 2, AVATAR_SIDE / 2), name[:1].upper() or "?", (255, 255, 255), font, anchor="mm")
    output = io.BytesIO()
    image.save(output, "JPEG", quality=88)
    return output.getvalue()


def _avatar_colours(random: Random) -> tuple[Colour, Colour]:
    pairs = (
        ("355c7d", "c06c84"),
        ("1f4e5f", "79a8a9"),
        ("5b4b8a", "f18f01"),
        ("2d6a4f", "b7c68b"),
        ("8d3b72", "f2a65a"),
    )
    first, second = random.choice(pairs)
    return rgb(first), rgb(second)


def _camera_data(random: Random, kind: str) -> Image.Exif:
    """EXIF data as a camera writes it (CIPA DC-008): maker, model, time and exposure."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = random.choice(_CAMERAS)
    day = f"2025:{random.randint(1, 12):02}:{random.randint(1, 28):02}"
    taken = f"{day} {random.randint(5, 22):02}:{random.randint(0, 59):02}:00"
    exif[0x0132] = taken
    exif[0x0112] = 1
    details = exif.get_ifd(0x8769)
    details[0x9003] = taken
    details[0x829D] = random.choice((1.8, 2.8, 4.0, 8.0))
    details[0x829A] = 1 / random.choice((30, 60) if kind in _DARK else (125, 250, 500))
    details[0x8827] = random.choice((800, 1600) if kind in _DARK else (100, 200))
    details[0x920A] = float(random.choice((24, 35, 50, 85)))
    return exif
