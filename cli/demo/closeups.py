"""Scenes with depth of field: flower, coffee, portrait."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw

from cli.demo.canvas import (
    Colour,
    Size,
    blur,
    bokeh,
    clouds,
    curve,
    dimmed,
    dimmed_light,
    flare,
    glow,
    gradient,
    mix,
    noise,
    ramp,
    rgb,
    shade,
    spot,
    tint,
)
from cli.demo.skies import DUSKS, sky, sunlit


def flower(random: Random, size: Size) -> Image.Image:
    """One blossom in focus before a garden that is not."""
    width, height = size
    greens = [
        rgb(code)
        for code in random.choice(
            [("1f3a24", "4f7a3c", "a9bf6a"), ("22382f", "3f6b57", "9cc0a0"), ("3a3a1f", "7d7a35", "d9c27a")]
        )
    ]
    petal = rgb(random.choice(["f2a7c3", "f7d154", "e85d4a", "f4f0f7", "9a7fd1", "ff9e5e", "d64f8a"]))
    image = gradient(size, greens[::-1] if random.random() < 0.5 else greens)
    image = shade(image, blur(clouds(random, size, (width * 0.3, width * 0.3), 3), 20), 0.8)
    lights = bokeh(random, size, [*greens[1:], petal, (255, 245, 200)], 36, (width * 0.02, width * 0.08))
    image = ImageChops.screen(image, dimmed_light(blur(lights, 5), 0.6))
    for _ in range(3):
        at = (random.uniform(0, width), random.uniform(0.2, 0.9) * height)
        spot(image, mix(petal, greens[1], 0.2), at, width * random.uniform(0.05, 0.09), 16, share=0.75)
    centre = (width * random.uniform(0.38, 0.62), height * random.uniform(0.36, 0.5))
    stem = Image.new("L", size)
    bend = random.uniform(-0.1, 0.1) * width
    path = [(centre[0] + bend * (t / 20) ** 2, centre[1] + (height - centre[1]) * t / 18) for t in range(21)]
    ImageDraw.Draw(stem).line(path, 255, max(4, width // 70), "curve")
    tint(image, mix(greens[1], greens[0], 0.3), blur(stem, 1.2))
    _blossom(random, image, centre, min(size) * random.uniform(0.24, 0.32), petal)
    return image


def _blossom(random: Random, image: Image.Image, centre: tuple[float, float], reach: float, colour: Colour) -> None:
    side = round(reach)
    rings = (
        ((1.0, 0.0, 0.25), (0.82, 0.5, 0.05))
        if random.random() < 0.7
        else ((1.0, 0.0, 0.2), (0.85, 0.5, 0.08), (0.6, 0.2, 0.0))
    )
    count = random.choice((8, 11, 13, 16))
    slim = random.uniform(1.5, 2.1) * math.pi / count
    for scale, turn, dark in rings:
        petal, mask = _petal(random, side, slim, mix(colour, (60, 10, 40), dark))
        length = max(8, round(reach * scale))
        petal, mask = petal.resize((length * 2, length * 2)), mask.resize((length * 2, length * 2))
        shadow = dimmed(blur(mask, 5), 0.3)
        for index in range(count):
            angle = (index + turn + random.uniform(-0.12, 0.12)) * 360 / count
            leaf, shape = (part.rotate(angle, Image.Resampling.BILINEAR) for part in (petal, mask))
            at = (round(centre[0]) - length, round(centre[1]) - length)
            image.paste((30, 12, 24), (at[0] + 3, at[1] + 4), shadow.rotate(angle))
            image.paste(leaf, at, shape)
    spot(image, (92, 58, 18), centre, reach * 0.2, 2)
    draw = ImageDraw.Draw(image)
    for index in range(260):
        angle, radius = index * 2.39996, reach * 0.2 * math.sqrt(index / 260)
        x, y = centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)
        dot = reach * 0.012
        draw.ellipse((x - dot, y - dot, x + dot, y + dot), mix((250, 205, 70), (140, 80, 20), random.random() * 0.8))


def _petal(random: Random, side: int, slim: float, colour: Colour) -> tuple[Image.Image, Image.Image]:
    """One petal that points up from the middle of a square, veined and lighter at its tip."""
    size = (side * 2, side * 2)
    mask = Image.new("L", size)
    broad = side * slim / 2
    ImageDraw.Draw(mask).ellipse((side - broad, side * 0.02, side + broad, side * 1.02), 255)
    body = gradient(
        size,
        [mix(colour, (255, 255, 255), 0.3), colour, mix(colour, (70, 10, 40), 0.55), mix(colour, (70, 10, 40), 0.6)],
    )
    return shade(body, noise(random, size, (3, side * 0.8)), 0.3), blur(mask, 1.1)


def coffee(random: Random, size: Size) -> Image.Image:
    """A cup on a wooden table from above, with something beside it."""
    width, height = size
    wood = rgb(random.choice(["8a5a3a", "a9764c", "5f4434", "c29a6b"]))
    image = Image.new("RGB", size, wood)
    image = shade(image, clouds(random, size, (width * 0.9, 7), 3), 0.34)
    image = shade(image, clouds(random, size, (width * 0.5, height * 0.5), 3), 0.5)
    draw = ImageDraw.Draw(image)
    for board in range(1, 5):
        y = height * board / 5 + random.uniform(-6, 6)
        draw.line((0, y, width, y), mix(wood, (0, 0, 0), 0.65), 3)
    unit = min(size)
    cup = (width * random.uniform(0.34, 0.5), height * random.uniform(0.42, 0.6))
    china = rgb(random.choice(["f4efe6", "dfe6ea", "3d4650", "e9d8c8"]))
    beside = (cup[0] + unit * 0.5, cup[1] + unit * random.uniform(-0.3, 0.22))
    _plate(image, beside, unit * 0.24, mix(china, (255, 255, 255), 0.3))
    _biscuits(random, image, beside, unit * 0.1)
    _plate(image, cup, unit * 0.31, china)
    _plate(image, cup, unit * 0.2, mix(china, (255, 255, 255), 0.4))
    _latte(random, image, cup, unit * 0.175)
    window = blur(ramp(size, 255, 30).rotate(random.choice((35, -35)), Image.Resampling.BILINEAR), 60)
    return shade(image, window, 0.65)


def _plate(image: Image.Image, at: tuple[float, float], radius: float, colour: Colour) -> None:
    spot(image, (20, 10, 6), (at[0] + radius * 0.09, at[1] + radius * 0.13), radius * 1.02, radius * 0.09, share=0.6)
    spot(image, mix(colour, (0, 0, 0), 0.12), at, radius)
    spot(image, colour, (at[0] - radius * 0.01, at[1] - radius * 0.015), radius * 0.97, 2)
    spot(image, mix(colour, (0, 0, 0), 0.16), at, radius * 0.7, 4)
    spot(image, mix(colour, (0, 0, 0), 0.04), (at[0] + radius * 0.02, at[1] + radius * 0.03), radius * 0.67, 5)


def _latte(random: Random, image: Image.Image, at: tuple[float, float], radius: float) -> None:
    size = image.size
    spot(image, (52, 27, 12), at, radius)
    spot(image, (150, 92, 48), at, radius * 0.96, 5)
    foam = Image.new("L", size)
    draw = ImageDraw.Draw(foam)
    for leaf in range(5):
        reach = radius * (0.72 - 0.13 * leaf)
        y = at[1] + radius * (0.25 - 0.2 * leaf)
        draw.arc(
            (at[0] - reach, y - reach * 0.9, at[0] + reach, y + reach * 0.7), 10, 170, 255, max(3, round(radius * 0.09))
        )
    heart = radius * 0.2
    top = at[1] - radius * 0.52
    draw.ellipse((at[0] - heart, top - heart, at[0], top), 255)
    draw.ellipse((at[0], top - heart, at[0] + heart, top), 255)
    draw.polygon([(at[0] - heart, top - heart * 0.4), (at[0] + heart, top - heart * 0.4), (at[0], top + heart)], 255)
    draw.line((at[0], at[1] - radius * 0.4, at[0], at[1] + radius * 0.8), 255, max(2, round(radius * 0.03)))
    foam = foam.rotate(random.uniform(-50, 50), Image.Resampling.BICUBIC, center=at)
    tint(image, (246, 228, 200), dimmed(blur(foam, radius * 0.022), 0.92))


def _biscuits(random: Random, image: Image.Image, at: tuple[float, float], radius: float) -> None:
    for index in range(3):
        angle = index * 2.1 + random.uniform(0, 1)
        here = (at[0] + radius * 0.62 * math.cos(angle), at[1] + radius * 0.62 * math.sin(angle))
        spot(image, (40, 22, 10), (here[0] + 4, here[1] + 6), radius * 0.7, 5, share=0.55)
        spot(image, (150, 96, 48), here, radius * 0.7, 1.5)
        spot(image, (205, 150, 88), (here[0] - 1, here[1] - 2), radius * 0.62, 5)
        draw = ImageDraw.Draw(image)
        for _ in range(11):
            turn, out, chip = (
                random.uniform(0, math.tau),
                random.uniform(0, radius * 0.5),
                radius * random.uniform(0.04, 0.1),
            )
            x, y = here[0] + out * math.cos(turn), here[1] + out * math.sin(turn)
            draw.ellipse((x - chip, y - chip, x + chip, y + chip * 0.8), (66, 36, 20))


def portrait(random: Random, size: Size) -> Image.Image:
    """Somebody against the evening sky, rim-lit by the sun behind them."""
    width, height = size
    palette = random.choice(DUSKS)
    image = sky(random, size, palette, 0.7)
    x = width * random.uniform(0.36, 0.64)
    sun = (x + random.choice((-1, 1)) * width * random.uniform(0.1, 0.22), height * random.uniform(0.42, 0.6))
    image = sunlit(image, sun, rgb(palette[-2]))
    image = blur(image, 3)
    lights = bokeh(
        random, (width, height // 3), [rgb(palette[-1]), rgb(palette[-2])], 24, (width * 0.012, width * 0.04)
    )
    low = Image.new("RGB", size)
    low.paste(lights, (0, height - lights.height))
    image = ImageChops.screen(image, dimmed_light(low, 0.5))
    shape = _bust(random, size, x)
    rim = ImageChops.subtract(shape, ImageChops.offset(blur(shape, 3), 4 if sun[0] < x else -4, 3))
    body = gradient(size, [mix(rgb(palette[0]), (10, 8, 14), 0.6), (12, 9, 15)])
    body = ImageChops.screen(body, glow(size, sun, width * 0.45, mix((0, 0, 0), rgb(palette[-2]), 0.35)))
    image.paste(body, mask=shape)
    tint(image, mix(rgb(palette[-1]), (255, 255, 255), 0.3), dimmed(blur(rim, 1.2), 0.9))
    return flare(image, sun, rgb(palette[-1]), 0.6)


def _bust(random: Random, size: Size, x: float) -> Image.Image:
    """Head and shoulders from behind, as a mask."""
    height = size[1]
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    unit = min(size) * random.uniform(0.125, 0.15)
    y = height * random.uniform(0.4, 0.48)
    draw.ellipse((x - unit * 0.8, y - unit * 1.1, x + unit * 0.8, y + unit), 255)
    draw.polygon(
        [
            (x - unit * 0.42, y + unit * 0.5),
            (x + unit * 0.42, y + unit * 0.5),
            (x + unit * 0.5, y + unit * 1.9),
            (x - unit * 0.5, y + unit * 1.9),
        ],
        255,
    )
    draw.rounded_rectangle((x - unit * 2.1, y + unit * 1.55, x + unit * 2.1, height + unit * 2), unit * 1.1, 255)
    draw.polygon(
        [
            (x - unit * 0.4, y + unit * 1.1),
            (x + unit * 0.4, y + unit * 1.1),
            (x + unit * 1.5, y + unit * 1.75),
            (x - unit * 1.5, y + unit * 1.75),
        ],
        255,
    )
    style = random.choice(("bun", "long", "hat", "short"))
    if style == "bun":
        draw.ellipse((x - unit * 0.42, y - unit * 1.75, x + unit * 0.42, y - unit * 0.95), 255)
    elif style == "long":
        draw.rounded_rectangle((x - unit * 0.98, y - unit * 0.9, x + unit * 0.98, y + unit * 2.1), unit * 0.8, 255)
        draw.ellipse((x - unit * 0.95, y - unit * 1.25, x + unit * 0.95, y + unit * 0.6), 255)
    elif style == "hat":
        draw.ellipse((x - unit * 1.7, y - unit * 0.85, x + unit * 1.7, y - unit * 0.3), 255)
        draw.rounded_rectangle((x - unit * 0.85, y - unit * 1.5, x + unit * 0.85, y - unit * 0.5), unit * 0.35, 255)
    mask = blur(mask, 2)
    wild = curve(clouds(random, size, (7, 9), 2), 70, 150)
    edge = ImageChops.subtract(blur(mask, 4), mask)
    return ImageChops.lighter(mask, dimmed(ImageChops.multiply(edge, wild), 0.8))
