"""Scenes under trees and under stars."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw

from cli.demo.canvas import (
    Colour,
    Size,
    blur,
    clouds,
    curve,
    dimmed,
    dimmed_light,
    glow,
    gradient,
    heights,
    mix,
    ramp,
    rgb,
    ridge,
    shade,
    tint,
)
from cli.demo.skies import band, pines


def stars(random: Random, size: Size) -> Image.Image:
    width, height = size
    night = random.choice(
        [
            ["050714", "0d1836", "23406b", "5b7f96"],
            ["060510", "1a1238", "40306b", "a0688a"],
            ["03080f", "0a2233", "1c4a55", "6f9a86"],
        ]
    )
    image = gradient(size, [rgb(code) for code in night], 1.2)
    galaxy = _milky_way(random, size, rgb(random.choice(["b7a6d8", "9fb6e0", "d8b9a6"])))
    image = ImageChops.screen(image, galaxy)
    image = ImageChops.screen(image, _star_field(random, size, galaxy.convert("L")))
    for index in range(3):
        near = (index + 1) / 3
        mask = ridge(size, heights(random, 600, 0.52), height * (0.7 + 0.07 * index), height * 0.13)
        tint(image, mix(rgb(night[2]), (3, 4, 8), 0.45 + 0.55 * near), mask)
    pines(random, image, height * 0.96, 34, height * 0.24, (2, 3, 6))
    if random.random() < 0.5:
        x = random.uniform(0.3, 0.7) * width
        image = ImageChops.screen(image, glow(size, (x, height * 0.93), width * 0.12, (255, 150, 60)))
        ImageDraw.Draw(image).polygon(
            [(x - width * 0.03, height * 0.955), (x, height * 0.915), (x + width * 0.03, height * 0.955)],
            (235, 150, 70),
        )
    return image


def _milky_way(random: Random, size: Size, colour: Colour) -> Image.Image:
    width, height = size
    square = (round(max(size) * 1.4),) * 2
    core = Image.blend(clouds(random, square, (260, 160), 5), Image.new("L", square, 190), 0.35)
    core = ImageChops.multiply(core, band(square, square[1] / 2))
    dust = blur(curve(clouds(random, square, (260, 50), 5), 100, 190), 3)
    lane = ImageChops.subtract(core, dimmed(ImageChops.multiply(dust, band(square, square[1] * 0.51)), 0.7))
    turned = lane.rotate(random.uniform(40, 75) * random.choice((-1, 1)), Image.Resampling.BILINEAR)
    left, top = (square[0] - width) // 2, (square[1] - height) // 2
    mask = turned.crop((left, top, left + width, top + height))
    glimmer = Image.new("RGB", size)
    tint(glimmer, colour, dimmed(mask, 0.75))
    return glimmer


def _star_field(random: Random, size: Size, density: Image.Image) -> Image.Image:
    sheet = Image.new("RGB", size)
    draw = ImageDraw.Draw(sheet)
    for _ in range(2600):
        x, y = random.randrange(size[0]), random.randrange(size[1])
        level = density.getpixel((x, y))
        if random.random() * 120 > 35 + (level if isinstance(level, int) else 0):
            continue
        light = round(255 * random.random() ** 3)
        draw.point((x, y), (light, light, min(255, light + 20)))
        if light > 215:
            draw.ellipse((x - 1, y - 1, x + 1, y + 1), (light, light, 255))
    return ImageChops.add(sheet, dimmed_light(blur(sheet, 1.6), 0.9))


def forest(random: Random, size: Size) -> Image.Image:
    width, height = size
    fog = rgb(random.choice(["dfe6e0", "e9dfcb", "cfdbe0", "f0d9b8"]))
    deep = rgb(random.choice(["16241c", "1c2619", "18252a", "2a2218"]))
    image = gradient(size, [fog, mix(fog, (255, 255, 255), 0.4), mix(fog, deep, 0.35)])
    light = (random.uniform(0.3, 0.7) * width, height * 0.25)
    for index in range(4):
        near = (index + 1) / 4
        colour = mix(fog, deep, 0.12 + 0.86 * near**1.3)
        mask = Image.new("L", size)
        draw = ImageDraw.Draw(mask)
        for _ in range(round(26 - 19 * near)):
            _trunk(random, draw, random.uniform(-0.02, 1.02) * width, size, near)
        floor = ridge(size, heights(random, 200, 0.5), height * (0.68 + 0.17 * near), height * 0.05)
        leaves = curve(clouds(random, size, (60 + 90 * near, 40 + 60 * near), 5), 140, 170)
        leaves = ImageChops.multiply(leaves, ramp(size, 255, 0).point([max(0, v * 2 - 290) for v in range(256)]))
        mask = ImageChops.lighter(ImageChops.lighter(mask, floor), dimmed(leaves, 0.9))
        image.paste(
            shade(Image.new("RGB", size, colour), clouds(random, size, (24, 60), 4), 0.5 * near),
            mask=blur(mask, 1.6 - 1.2 * near),
        )
        drift = curve(clouds(random, size, (width * 0.4, height * 0.12), 3), 80, 230)
        tint(image, fog, dimmed(ImageChops.multiply(drift, band(size, height * 0.62)), 0.6 * (1 - near)))
    return ImageChops.screen(image, _rays(random, size, light, mix(fog, rgb("ffd9a0"), 0.5)))


def _trunk(random: Random, draw: ImageDraw.ImageDraw, x: float, size: Size, near: float) -> None:
    width, height = size
    thick = width * (0.004 + 0.017 * near**1.6) * random.uniform(0.7, 1.4)
    lean = random.uniform(-0.03, 0.03) * height
    foot = height * (0.72 + 0.2 * near)
    draw.polygon(
        [(x - thick, foot), (x - thick * 0.6 + lean, -9), (x + thick * 0.6 + lean, -9), (x + thick, foot)], 255
    )
    for _ in range(5):
        y, reach = random.uniform(0.02, 0.5) * height, random.choice((-1, 1)) * random.uniform(3, 9) * thick
        at = x + lean * (1 - y / foot)
        draw.line((at, y, at + reach, y - abs(reach) * random.uniform(0.2, 0.6)), 255, max(1, round(thick * 0.28)))


def _rays(random: Random, size: Size, light: tuple[float, float], colour: Colour) -> Image.Image:
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for _ in range(9):
        angle, half = random.uniform(0.15, 0.85) * math.pi, random.uniform(0.008, 0.035)
        ends = [(light[0] + 3000 * math.cos(a), light[1] + 3000 * math.sin(a)) for a in (angle - half, angle + half)]
        draw.polygon([light, *ends], random.randint(60, 130))
    mask = ImageChops.multiply(blur(mask, size[0] * 0.012), ramp(size, 220, 20))
    layer = Image.new("RGB", size)
    tint(layer, colour, mask)
    return ImageChops.screen(layer, glow(size, light, size[0] * 0.5, mix((0, 0, 0), colour, 0.55)))
