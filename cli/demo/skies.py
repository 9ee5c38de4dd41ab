"""What scenes share: skies and the sun in them, haze, trees."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw

from cli.demo.canvas import Colour, Size, blur, clouds, curve, dimmed, glow, gradient, mix, ramp, rgb, spot, tint

DUSKS = [
    ["1b2a52", "5a4a86", "d0708a", "ffb37a", "ffe3b0"],
    ["16324f", "3f6f93", "f0a36b", "ffcf8c", "fff0cf"],
    ["2a1b3d", "74345f", "e2574c", "ff9a56", "ffd98a"],
    ["23395b", "6f86a8", "e8b9a0", "ffd9b8", "fff3df"],
]


DAYS = [
    ["2f6fb0", "6ea6d8", "bcd9ee", "eef5f8"],
    ["3a7ca5", "81b7cf", "cfe5e6", "f6efe0"],
    ["4f7fb8", "9bb8db", "dfd8e4", "fbe9dc"],
]


def sky(random: Random, size: Size, palette: list[str], cloudiness: float = 0.5) -> Image.Image:
    """A graded sky with clouds that thin out towards the horizon."""
    colours = [rgb(code) for code in palette]
    image = gradient(size, colours)
    cover = curve(clouds(random, size, (size[0] * 0.55, size[1] * 0.24), 5), 105, 245, 1.2)
    cover = ImageChops.multiply(cover, ramp(size, 255, 90))
    tint(image, mix(colours[-1], (255, 255, 255), 0.4), dimmed(cover, cloudiness))
    under = ImageChops.multiply(ImageChops.offset(cover, 0, size[1] // 40), ImageChops.invert(cover))
    tint(image, mix(colours[0], colours[1], 0.5), dimmed(under, cloudiness * 0.6))
    return image


def sunlit(image: Image.Image, sun: tuple[float, float], colour: Colour) -> Image.Image:
    """The sun itself and the air that it lights."""
    width = image.width
    for reach, share in ((0.75, 0.55), (0.25, 0.6)):
        image = ImageChops.screen(image, glow(image.size, sun, reach * width, mix((0, 0, 0), colour, share)))
    spot(image, (255, 250, 235), sun, width * 0.022, 3)
    return image


def band(size: Size, middle: float) -> Image.Image:
    """A soft horizontal band, bright in its middle."""
    strip = Image.new("L", (1, 64))
    for y in range(64):
        distance = (y / 63 * size[1] - middle) / (size[1] * 0.12)
        strip.putpixel((0, y), round(255 * math.exp(-distance * distance)))
    return strip.resize(size, Image.Resampling.BICUBIC)


def pine(random: Random, draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float) -> None:
    tiers = 9
    outline_left, outline_right = [(x, foot - tall)], [(x, foot - tall)]
    for tier in range(1, tiers + 1):
        y, reach = foot - tall * (1 - tier / tiers), tall * 0.2 * tier / tiers
        outline_left += [(x - reach * random.uniform(0.8, 1.2), y), (x - reach * 0.45, y - tall * 0.02)]
        outline_right += [(x + reach * random.uniform(0.8, 1.2), y), (x + reach * 0.45, y - tall * 0.02)]
    draw.polygon([*outline_left, *reversed(outline_right)], 255)
    draw.rectangle((x - tall * 0.012, foot - tall * 0.05, x + tall * 0.012, foot + tall), 255)


def pines(
    random: Random, image: Image.Image, base: float, count: int, tall: float, colour: Colour, soft: float = 0.7
) -> None:
    """A row of conifers, higher towards the edges of the picture."""
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    for _ in range(count):
        x = random.uniform(0, image.width)
        edge = abs(x / image.width - 0.5) * 2
        top = tall * random.uniform(0.35, 0.8) * (0.5 + 0.7 * edge)
        foot = base + random.uniform(-0.1, 0.25) * tall
        pine(random, draw, x, foot, top)
    draw.rectangle((0, min(base + tall * 0.2, image.height), image.width, image.height), 255)
    tint(image, colour, blur(mask, soft))
