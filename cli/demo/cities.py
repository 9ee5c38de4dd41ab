"""Scenes of artificial light: a skyline, a street after rain."""

from __future__ import annotations

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
    glow,
    gradient,
    ground,
    mix,
    noise,
    rgb,
    shade,
    shine,
    spot,
    tint,
    water,
)
from cli.demo.skies import DUSKS

LAMPS = [rgb(code) for code in ("ffb45e", "ffd9a0", "ff7a59", "7fd0ff", "ff5fa2", "fff1d0", "9dffcf", "b08cff")]


def city(random: Random, size: Size) -> Image.Image:
    """A skyline at night behind its own reflection, lights near by out of focus."""
    width, height = size
    quay = round(height * random.uniform(0.58, 0.68))
    dusk = random.choice(
        [
            ["070b1d", "15234a", "3b3f6e", "a3607a"],
            ["050811", "0e1c33", "23415c", "5f7f8f"],
            ["0b0716", "2a1440", "63305f", "d07a5c"],
        ]
    )
    above = gradient((width, quay), [rgb(code) for code in dusk])
    for index in range(3):
        near = (index + 1) / 3
        _towers(random, above, near, mix(rgb(dusk[2]), (8, 9, 16), 0.45 + 0.5 * near))
    lit = ImageChops.screen(above, blur(above.point([max(0, v - 90) for v in range(256)] * 3), 9))
    image = Image.new("RGB", size)
    image.paste(lit)
    mirror = lit.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, height - quay))
    streaks = mirror.resize((width // 3, 9), Image.Resampling.BOX).resize(mirror.size, Image.Resampling.BICUBIC)
    mirror = dimmed_light(Image.blend(mirror, streaks, 0.72), 0.85)
    image.paste(shade(mirror, water(random, mirror.size, 10), 0.7), (0, quay))
    image.paste((6, 7, 12), (0, quay - 2, width, quay + 3))
    return ImageChops.screen(
        image, bokeh(random, size, random.sample(LAMPS, 3) + LAMPS[:2], 15, (width * 0.012, width * 0.042))
    )


def _towers(random: Random, image: Image.Image, near: float, colour: Colour) -> None:
    width, height = image.size
    draw = ImageDraw.Draw(image)
    x = -random.uniform(0, 40)
    while x < width:
        broad = width * random.uniform(0.035, 0.085)
        top = height * (1 - random.uniform(0.25, 0.85) * (1.05 - 0.45 * near))
        tone = mix(colour, (0, 0, 0), random.uniform(0, 0.25))
        draw.rectangle((x, top, x + broad, height), tone)
        if random.random() < 0.3:
            draw.line((x + broad / 2, top, x + broad / 2, top - height * 0.07), tone, 2)
        _windows(random, draw, (x, top, x + broad, height), near)
        x += broad + random.uniform(-4, 14)


def _windows(random: Random, draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], near: float) -> None:
    pitch = 5 + 3 * near
    lamp, lively = random.choice(LAMPS[:2] + LAMPS[5:6]), random.uniform(0.15, 0.6)
    y = box[1] + pitch
    while y < box[3] - pitch:
        x = box[0] + pitch * 0.7
        while x < box[2] - pitch * 0.7:
            if random.random() < lively:
                light = mix((20, 20, 30), lamp, random.uniform(0.35, 1))
                draw.rectangle((x, y, x + pitch * 0.42, y + pitch * 0.5), light)
            x += pitch
        y += pitch * 1.25


def street(random: Random, size: Size) -> Image.Image:
    """A wet street between houses that run to one point, lamps on both sides, somebody walking."""
    width, height = size
    vanish = (width * random.uniform(0.42, 0.58), height * random.uniform(0.45, 0.53))
    dusk = [rgb(code) for code in random.choice(DUSKS)]
    image = gradient(size, [*dusk[:4], dusk[3]], 1.4)
    image = ImageChops.screen(image, glow(size, vanish, width * 0.42, mix((0, 0, 0), dusk[4], 0.8)))
    for left in (True, False):
        _house_fronts(random, image, vanish, left, mix(dusk[3], dusk[0], 0.3))
    road = _road(random, image, vanish)
    image.paste(road, (0, round(vanish[1])))
    haze = curve(glow(size, vanish, width * 0.3, (255, 255, 255)).getchannel(0), 0, 255)
    tint(image, mix(dusk[3], dusk[4], 0.5), dimmed(haze, 0.75))
    for step in (0.1, 0.17, 0.28, 0.46, 0.75):
        for side in (-1, 1):
            at = (vanish[0] + side * width * 0.62 * step, vanish[1] - height * 0.42 * step)
            ImageDraw.Draw(image).line(
                (*at, at[0], vanish[1] + height * 0.4 * step), (20, 18, 24), max(1, round(5 * step))
            )
            shine(image, at, width * 0.13 * step + 8, rgb("ffb45e"))
            spot(image, (255, 238, 205), at, width * 0.011 * step + 1, 1)
    for _ in range(random.randint(1, 3)):
        _walker(random, image, vanish, random.uniform(0.2, 0.5))
    return image


def _house_fronts(random: Random, image: Image.Image, vanish: tuple[float, float], left: bool, light: Colour) -> None:
    width, height = image.size
    wall = Image.new("RGB", (512, 256))
    draw, x = ImageDraw.Draw(wall), 0
    while x < 512:
        broad = random.randint(44, 90)
        tone = mix(rgb(random.choice(["6b4a3f", "4d4a55", "7a5a48", "3f4a55", "80604a"])), (15, 14, 24), 0.45)
        draw.rectangle((x, 0, x + broad, 256), tone)
        for row in range(9, 246, 26):
            for column in range(x + 7, x + broad - 10, 17):
                lamp = random.choice(LAMPS[:2]) if random.random() < 0.33 else mix(tone, (0, 0, 0), 0.5)
                draw.rectangle((column, row, column + 8, row + 14), lamp)
        x += broad
    wall = shade(wall, clouds(random, wall.size, (60, 60), 4), 0.4)
    wall = Image.blend(wall, Image.new("RGB", wall.size, light), 0.12)
    edge, far = (0.0, vanish[0] - width * 0.05) if left else (float(width), vanish[0] + width * 0.05)
    top, bottom = -height * 0.5, height * 1.02
    far_top, far_bottom = vanish[1] - (vanish[1] - top) * 0.11, vanish[1] + (bottom - vanish[1]) * 0.11
    corners = [(edge, top), (far, far_top), (far, far_bottom), (edge, bottom)]
    coefficients = _perspective(corners, [(0, 0), (512, 0), (512, 256), (0, 256)])
    warped = wall.transform(image.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon(corners, 255)
    image.paste(warped, mask=blur(mask, 0.8))


def _perspective(seen: list[tuple[float, float]], source: list[tuple[float, float]]) -> list[float]:
    """The eight coefficients that carry the corners seen back to those of the source (Gauss-Jordan)."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(seen, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for column in range(8):
        pivot = max(range(column, 8), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(8):
            if row != column:
                share = rows[row][column]
                rows[row] = [a - share * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[8] for row in rows]


def _road(random: Random, image: Image.Image, vanish: tuple[float, float]) -> Image.Image:
    width, height = image.size
    size = (width, height - round(vanish[1]))
    mirror = image.crop((0, max(0, round(vanish[1]) - size[1]), width, round(vanish[1])))
    mirror = blur(mirror.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize(size), 7)
    stones = ground(noise(random, (width * 3, size[1] * 3), (7, 9)), size, 0.16)
    asphalt = gradient(size, [(70, 66, 74), (26, 26, 33)])
    wet = Image.blend(asphalt, mirror, 0.6)
    return shade(wet, stones, 0.28)


def _walker(random: Random, image: Image.Image, vanish: tuple[float, float], near: float) -> None:
    height = image.height
    tall = height * 0.42 * near
    x, foot = vanish[0] + random.uniform(-0.9, 0.9) * near * image.width * 0.3, vanish[1] + height * 0.42 * near
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    head = tall * 0.075
    draw.ellipse((x - head, foot - tall, x + head, foot - tall + head * 2.3), 255)
    coat = [
        (x - tall * 0.11, foot - tall * 0.8),
        (x + tall * 0.11, foot - tall * 0.8),
        (x + tall * 0.14, foot - tall * 0.36),
        (x - tall * 0.14, foot - tall * 0.36),
    ]
    draw.polygon(coat, 255)
    draw.line((x - tall * 0.04, foot - tall * 0.4, x - tall * 0.1, foot), 255, max(2, round(tall * 0.07)))
    draw.line((x + tall * 0.04, foot - tall * 0.4, x + tall * 0.08, foot), 255, max(2, round(tall * 0.07)))
    if random.random() < 0.5:
        reach = tall * 0.34
        draw.pieslice((x - reach, foot - tall * 1.25, x + reach, foot - tall * 0.75), 180, 360, 255)
    tint(image, (14, 13, 20), blur(mask, 0.9))
