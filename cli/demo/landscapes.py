"""Scenes of the open land: mountains, snow, desert."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageChops, ImageDraw

from cli.demo.canvas import (
    Colour,
    Size,
    arc,
    blur,
    bokeh,
    clouds,
    curve,
    dimmed,
    dimmed_light,
    flare,
    gradient,
    heights,
    mix,
    ramp,
    rgb,
    ridge,
    shade,
    tint,
)
from cli.demo.skies import DAYS, DUSKS, band, pine, pines, sky, sunlit


def mountains(random: Random, size: Size) -> Image.Image:
    width, height = size
    palette = random.choice(DUSKS + DAYS)
    image = sky(random, size, palette, 0.45)
    haze = rgb(palette[-1])
    sun = (random.uniform(0.15, 0.85) * width, random.uniform(0.22, 0.38) * height)
    if palette in DUSKS:
        image = sunlit(image, sun, haze)
    deep = random.choice([rgb("1d2b36"), rgb("22303f"), rgb("1c2f2b"), rgb("2b2438")])
    layers = random.randint(4, 5)
    for index in range(layers):
        near = (index + 1) / layers
        crest = heights(random, 700, 0.5 + 0.08 * (1 - near))
        top = height * (0.26 + 0.5 * near**1.15)
        mask = ridge(size, crest, top, height * (0.3 - 0.14 * near))
        body = mix(haze, deep, near**1.25)
        rock = gradient(size, [mix(body, deep, 0.15), mix(body, haze, 0.55 * (1 - near))], 0.8)
        rock = shade(rock, clouds(random, size, (90 + 60 * near, 70), 4), 0.5 * near)
        if index < 2 and random.random() < 0.7:
            _snow_caps(random, rock, mask, haze)
        image.paste(rock, mask=mask)
        fog = ImageChops.multiply(
            curve(clouds(random, size, (width * 0.5, 60), 3), 90, 255), band(size, top + height * 0.2)
        )
        tint(image, haze, dimmed(fog, 0.55 * (1 - near)))
    pines(random, image, height * 0.97, 40, height * 0.16, mix(deep, (0, 0, 0), 0.5))
    return flare(image, sun, haze, 0.35) if palette in DUSKS else image


def _snow_caps(random: Random, rock: Image.Image, mask: Image.Image, haze: Colour) -> None:
    depth = mask.height // 9
    body = ImageChops.offset(mask, 0, depth)
    body.paste(0, (0, 0, mask.width, depth))
    cap = ImageChops.subtract(mask, blur(body, depth / 3))
    cap = ImageChops.multiply(cap, curve(clouds(random, mask.size, (40, 90), 4), 60, 150))
    tint(rock, mix(haze, (255, 255, 255), 0.7), dimmed(cap, 0.85))


def snow(random: Random, size: Size) -> Image.Image:
    width, height = size
    tones = random.choice(
        [["8fa9c9", "c4d2e4", "f2ddd5"], ["6f8fb5", "b9cbe0", "eef1f5"], ["b79fc0", "e9c6c9", "fbe6d3"]]
    )
    image = sky(random, size, tones, 0.4)
    haze = rgb(tones[-1])
    for index in range(4):
        near = (index + 1) / 4
        shadow = mix(rgb(tones[0]), (70, 95, 140), 0.3)
        _firs(random, image, height * (0.36 + 0.42 * near**1.3), height * (0.06 + 0.26 * near), near, haze)
        mask = ridge(size, heights(random, 240, 0.42), height * (0.36 + 0.42 * near**1.3), height * 0.17)
        white = mix(haze, (250, 252, 255), 0.5 + 0.5 * near)
        bank = gradient(size, [mix(white, shadow, 0.12), white, mix(white, shadow, 0.55)])
        bank = shade(bank, clouds(random, size, (300, 90), 5), 0.4)
        image.paste(bank, mask=mask)
    flakes = bokeh(random, size, [(255, 255, 255)], 90, (1.5, width * 0.007))
    return ImageChops.screen(image, dimmed_light(flakes, 0.8))


def _firs(random: Random, image: Image.Image, top: float, tall: float, near: float, haze: Colour) -> None:
    """Conifers with snow on them, whose feet the next bank will cover."""
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    for _ in range(round(52 - 42 * near)):
        x, foot = random.uniform(0, image.width), top + image.height * random.uniform(0.1, 0.19)
        pine(random, draw, x, foot, tall * random.uniform(0.5, 1.1))
    tint(image, mix(haze, rgb("1d2f3a"), 0.2 + 0.7 * near), blur(mask, 0.8))
    frost = curve(clouds(random, image.size, (5 + 9 * near, 4 + 5 * near), 2), 110, 200)
    tint(image, (240, 245, 252), dimmed(ImageChops.multiply(blur(mask, 1), frost), 0.6))


def desert(random: Random, size: Size) -> Image.Image:
    width, height = size
    palette = random.choice([DUSKS[1], DUSKS[2], ["2e6f9e", "7fb0c8", "f1dfc0"], ["3d5a80", "98a9c0", "f7d9b5"]])
    image = sky(random, size, palette, 0.2)
    sun = (random.uniform(0.12, 0.88) * width, height * random.uniform(0.14, 0.26))
    image = sunlit(image, sun, rgb(palette[-1]))
    lit = rgb(random.choice(["e8a868", "e39a55", "d98a5b", "ecc08a"]))
    dark = mix(lit, rgb("4a2440"), 0.72)
    haze = rgb(palette[-1])
    for index in range(5):
        near = (index + 1) / 5
        crest = arc(400, random.uniform(0.5, 1.3) + 0.4 * (1 - near), random.uniform(0, 6))
        bumps = heights(random, 400, 0.36)
        line = [value * 0.6 + bumps[i] * 0.4 for i, value in enumerate(crest)]
        top, rise = height * (0.34 + 0.36 * near**1.2), height * 0.2
        mask = ridge(size, line, top, rise)
        fade = 0.6 * (1 - near)
        body = gradient(size, [mix(mix(lit, (255, 240, 210), 0.25), haze, fade), mix(mix(lit, dark, 0.35), haze, fade)])
        body = shade(body, _sand_ripples(random, size, near), 0.35 * near)
        image.paste(body, mask=mask)
        lee = ImageChops.multiply(mask, _slope_shadow(crest, size, sun[0] < width / 2))
        tint(image, mix(dark, haze, fade), dimmed(lee, 0.85))
    return flare(image, sun, haze, 0.4)


def _slope_shadow(crest: list[float], size: Size, from_left: bool) -> Image.Image:
    """Dark where a dune falls away from the sun, in slanting tongues with a sharp edge along the crest."""
    facing = 1 if from_left else -1
    strip = Image.new("L", (len(crest), 1))
    for index in range(len(crest)):
        fall = (crest[index - 1] - crest[index]) * facing if index else 0.0
        strip.putpixel((index, 0), round(255 * min(1.0, max(0.0, fall * 260))))
    sheet = strip.resize(size, Image.Resampling.BILINEAR)
    slant = (1, -0.3 * facing, 0.18 * facing * size[1], 0, 1, 0)
    return ImageChops.multiply(sheet.transform(size, Image.Transform.AFFINE, slant), ramp(size, 255, 150))


def _sand_ripples(random: Random, size: Size, near: float) -> Image.Image:
    ripples = clouds(random, (size[0], size[1]), (70 * near + 30, 7 * near + 3), 2)
    return ImageChops.blend(ripples, clouds(random, size, (240, 120), 4), 0.4)
