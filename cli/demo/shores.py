"""Scenes by the sea: sunset, beach."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw

from cli.demo.canvas import (
    Colour,
    Size,
    arc,
    blur,
    clouds,
    curve,
    dimmed,
    flare,
    gradient,
    ground,
    heights,
    mix,
    noise,
    ramp,
    rgb,
    ridge,
    shade,
    tint,
    water,
)
from cli.demo.skies import DAYS, DUSKS, sky, sunlit


def sunset(random: Random, size: Size) -> Image.Image:
    width, height = size
    palette = random.choice(DUSKS)
    horizon = round(height * random.uniform(0.5, 0.62))
    warm = rgb(palette[-1])
    above = sky(random, (width, horizon), palette, 0.75)
    sun = (random.uniform(0.3, 0.7) * width, horizon * random.uniform(0.72, 0.93))
    above = sunlit(above, sun, rgb(palette[-2]))
    image = Image.new("RGB", size)
    image.paste(above)
    image.paste(_sea(random, above, sun, (width, height - horizon), warm), (0, horizon))
    if random.random() < 0.7:
        island = Image.new("L", size)
        crest = heights(random, 300, 0.5)
        side = random.choice((0.0, 0.62))
        part = ridge(
            (round(width * 0.4), horizon),
            [value * math.sin(i / 299 * math.pi) for i, value in enumerate(crest)],
            horizon * 0.84,
            horizon * 0.16,
        )
        island.paste(part, (round(side * width), 0))
        island.paste(0, (0, horizon, width, height))
        tint(image, mix(rgb(palette[0]), rgb(palette[2]), 0.35), island)
    _boat(random, image, horizon)
    return flare(image, sun, warm, 0.5)


def _sea(random: Random, above: Image.Image, sun: tuple[float, float], size: Size, warm: Colour) -> Image.Image:
    """The sky upside down, broken by ripples, with the sun's glitter."""
    width, height = size
    mirror = blur(above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize(size), 5)
    mirror = ImageChops.multiply(mirror, gradient(size, [(235, 230, 230), (95, 100, 130)]))
    ripples = water(random, size)
    sea = shade(mirror, ripples, 0.75)
    path = Image.new("L", size)
    x, near = sun[0], width * 0.2
    ImageDraw.Draw(path).polygon(
        [(x - width * 0.02, 0), (x + width * 0.02, 0), (x + near, height), (x - near, height)], 255
    )
    glitter = ImageChops.multiply(blur(path, width * 0.03), curve(ripples, 120, 215, 1.4))
    glitter = ImageChops.multiply(glitter, ramp(size, 255, 110))
    tint(sea, mix(warm, (255, 255, 255), 0.3), glitter)
    return sea


def _boat(random: Random, image: Image.Image, horizon: int) -> None:
    width = image.width
    x, y, s = random.uniform(0.1, 0.9) * width, horizon + image.height * 0.03, width * random.uniform(0.015, 0.03)
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    draw.polygon([(x - s, y), (x + s, y), (x + s * 0.7, y + s * 0.35), (x - s * 0.7, y + s * 0.35)], 255)
    draw.polygon([(x, y - s * 2.4), (x + s * 0.85, y - s * 0.2), (x, y - s * 0.2)], 255)
    draw.polygon([(x - s * 0.1, y - s * 2), (x - s * 0.1, y - s * 0.2), (x - s * 0.6, y - s * 0.2)], 230)
    tint(image, (24, 20, 34), blur(mask, 0.8))


def beach(random: Random, size: Size) -> Image.Image:
    width, height = size
    horizon = round(height * random.uniform(0.36, 0.46))
    image = Image.new("RGB", size)
    image.paste(sky(random, (width, horizon), random.choice(DAYS), 0.95))
    sea_size = (width, height - horizon)
    tones = random.choice([["2b7a9b", "3fa7b5", "7fd3cb", "bfe8d8"], ["1f5f8b", "2f8fb0", "6cc3c9", "c5e6dc"]])
    sea = shade(gradient(sea_size, [rgb(code) for code in tones]), water(random, sea_size, 12), 0.5)
    image.paste(sea, (0, horizon))
    sand = rgb(random.choice(["e3c9a0", "ead7b8", "d9bd95"]))
    slope, phase = random.uniform(-0.12, 0.12), random.uniform(0, 6)
    shore = [
        value * 0.25 + 0.5 + slope * 8 * (i / 300 - 0.5)
        for i, value in enumerate(arc(300, random.uniform(0.8, 1.6), phase))
    ]
    for index, (offset, colour, share) in enumerate(
        (
            (0.60, (255, 255, 255), 0.55),
            (0.635, rgb("9adbd0"), 0.5),
            (0.66, (255, 255, 255), 0.95),
            (0.69, mix(sand, rgb("6b563c"), 0.4), 1.0),
            (0.74, sand, 1.0),
        )
    ):
        jitter = heights(random, 300, 0.62)
        line = [value + (jitter[i] - 0.5) * 0.12 for i, value in enumerate(shore)]
        mask = ridge(size, line, height * offset, height * 0.14)
        if index == 0:
            mask = ImageChops.multiply(mask, curve(clouds(random, size, (120, 14), 4), 120, 190))
        elif index == 2:
            mask = ImageChops.multiply(mask, curve(clouds(random, size, (50, 16), 4), 30, 130))
        else:
            mask = blur(mask, 5)
        layer = Image.new("RGB", size, colour)
        if index == 4:
            grains = ground(noise(random, (width * 2, height), (3, 3)), size, 0.5)
            layer = shade(shade(layer, grains, 0.4), clouds(random, size, (260, 40), 5), 0.45)
        image.paste(layer, mask=dimmed(mask, share))
    if random.random() < 0.6:
        _palm(random, image, rgb("1f2a20"))
    return image


def _palm(random: Random, image: Image.Image, colour: Colour) -> None:
    width, height = image.size
    side = random.choice((0, 1))
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    top = (width * (0.2 if side == 0 else 0.8), height * random.uniform(0.16, 0.24))
    foot = (width * (-0.02 if side == 0 else 1.02), height * 0.95)
    for step in range(60):
        t = step / 59
        x = foot[0] + (top[0] - foot[0]) * t**0.7
        y, thick = foot[1] + (top[1] - foot[1]) * t, width * (0.014 - 0.007 * t)
        draw.ellipse((x - thick, y - thick, x + thick, y + thick), 255)
    for index in range(11):
        _frond(draw, top, index / 11 * math.tau + random.uniform(-0.2, 0.2), width * random.uniform(0.15, 0.22))
    tint(image, colour, blur(mask, 0.9))


def _frond(draw: ImageDraw.ImageDraw, top: tuple[float, float], angle: float, reach: float) -> None:
    for step in range(26):
        t = step / 25
        x = top[0] + math.cos(angle) * reach * t
        y = top[1] + math.sin(angle) * reach * 0.55 * t + reach * 0.55 * t * t
        leaf = reach * 0.24 * math.sin(math.pi * (0.15 + 0.8 * t))
        draw.line((x, y, x - leaf * 0.35, y + leaf), 255, 2)
        draw.line((x, y, x + leaf * 0.45, y + leaf * 0.8), 255, 2)
