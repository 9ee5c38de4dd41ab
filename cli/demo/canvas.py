"""Light and texture from Pillow's primitives: gradients, noise, ridges, planes in perspective, lens and film.

Everything is drawn from a ``random.Random``, so that a seed is a picture. Image.effect_noise is not used: it draws
from the C library's generator, which nobody seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Size = tuple[int, int]
Colour = tuple[int, int, int]


def rgb(text: str) -> Colour:
    """``rrggbb`` as three numbers."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """``first`` with a share (0 to 1) of ``second``."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def gradient(size: Size, colours: Sequence[Colour], bend: float = 1.0) -> Image.Image:
    """Top to bottom through the colours; ``bend`` above 1 keeps the first ones longer."""
    strip = Image.new("RGB", (1, 256))
    for y in range(256):
        at = (y / 255) ** bend * (len(colours) - 1)
        index = min(int(at), len(colours) - 2)
        strip.putpixel((0, y), mix(colours[index], colours[index + 1], at - index))
    return strip.resize(size, Image.Resampling.BILINEAR)


def ramp(size: Size, top: int, bottom: int) -> Image.Image:
    """A gray gradient from top to bottom."""
    return gradient(size, [(top,) * 3, (bottom,) * 3]).getchannel(0)


def noise(random: Random, size: Size, cell: tuple[float, float]) -> Image.Image:
    """Smooth gray noise with features of about ``cell`` pixels."""
    width, height = (max(2, round(side / step) + 1) for side, step in zip(size, cell, strict=True))
    grid = Image.frombytes("L", (width, height), random.randbytes(width * height))
    return grid.resize(size, Image.Resampling.BICUBIC)


def clouds(random: Random, size: Size, cell: tuple[float, float], octaves: int = 4) -> Image.Image:
    """Fractal noise, stretched to use the whole range: clouds, rock, fog."""
    half = (max(2, size[0] // 2), max(2, size[1] // 2))
    image = noise(random, half, (cell[0] / 2, cell[1] / 2))
    for octave in range(1, octaves):
        finer = noise(random, half, (max(1.0, cell[0] / 2 / 2**octave), max(1.0, cell[1] / 2 / 2**octave)))
        image = Image.blend(image, finer, (0.38, 0.24, 0.15, 0.1)[min(octave, 4) - 1])
    return curve(image, 50, 205).resize(size, Image.Resampling.BICUBIC)


def curve(image: Image.Image, low: int, high: int, gamma: float = 1.0) -> Image.Image:
    """Stretch [low, high] of a gray image to [0, 255]."""
    span = max(1, high - low)
    return image.point([round(255 * min(1.0, max(0.0, (value - low) / span)) ** gamma) for value in range(256)])


def dimmed(mask: Image.Image, share: float) -> Image.Image:
    """A mask at a share of its strength."""
    return mask.point([round(value * share) for value in range(256)])


def dimmed_light(image: Image.Image, share: float) -> Image.Image:
    """A colour image at a share of its light."""
    return image.point([round(value * share) for value in range(256)] * 3)


def tint(image: Image.Image, colour: Colour, mask: Image.Image) -> None:
    """Paint a colour where the mask is bright."""
    image.paste(colour, mask=mask)


def shade(image: Image.Image, texture: Image.Image, strength: float) -> Image.Image:
    """Darken and lighten by a gray texture around its middle."""
    middle = Image.blend(Image.new("L", texture.size, 128), texture, strength)
    return ImageChops.overlay(image, Image.merge("RGB", (middle,) * 3))


def glow(size: Size, centre: tuple[float, float], radius: float, colour: Colour, gamma: float = 2.0) -> Image.Image:
    """Light around a point on black, to be screened on."""
    reach = max(4, round(radius))
    light = curve(ImageChops.invert(Image.radial_gradient("L")), 75, 255, gamma).resize((reach * 2, reach * 2))
    layer = Image.new("RGB", size)
    layer.paste(colour, (round(centre[0]) - reach, round(centre[1]) - reach), light)
    return layer


def disc(size: Size, centre: tuple[float, float], radius: float, soft: float = 1.2) -> Image.Image:
    """A gray mask with one bright, slightly soft disc."""
    mask = Image.new("L", size)
    x, y = centre
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return blur(mask, soft)


def spot(
    image: Image.Image,
    colour: Colour,
    centre: tuple[float, float],
    radius: float,
    soft: float = 1.2,
    share: float = 1.0,
) -> None:
    """Paint a soft disc, touching no more of the picture than it covers."""
    reach = round(radius + soft * 3) + 2
    left, top = round(centre[0]) - reach, round(centre[1]) - reach
    mask = disc((reach * 2, reach * 2), (centre[0] - left, centre[1] - top), radius, soft)
    image.paste(colour, (left, top), dimmed(mask, share))


def shine(image: Image.Image, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    """Screen the light of a lamp onto the part of the picture that it reaches."""
    reach = round(radius)
    left, top = round(centre[0]) - reach, round(centre[1]) - reach
    box = (left, top, left + reach * 2, top + reach * 2)
    image.paste(ImageChops.screen(image.crop(box), glow((reach * 2, reach * 2), (reach, reach), reach, colour)), box)


def blur(image: Image.Image, radius: float) -> Image.Image:
    """A Gaussian blur; large radii are done small, which looks the same and costs a fraction."""
    if radius <= 4:
        return image.filter(ImageFilter.GaussianBlur(radius)) if radius > 0 else image
    scale = radius / 2.5
    small = image.resize(
        (max(2, round(image.width / scale)), max(2, round(image.height / scale))), Image.Resampling.BOX
    )
    return small.filter(ImageFilter.GaussianBlur(2.5)).resize(image.size, Image.Resampling.BICUBIC)


def heights(random: Random, count: int, roughness: float) -> list[float]:
    """A ridge by midpoint displacement: ``count`` heights in 0 to 1."""
    points, step = [random.random() for _ in range(5)], 0.45
    while len(points) < count:
        between = [(a + b) / 2 + (random.random() - 0.5) * step for a, b in pairwise(points)]
        points = [value for pair in zip(points, between, strict=False) for value in pair] + points[-1:]
        step *= roughness
    low, high = min(points), max(points)
    return [(value - low) / (high - low) for value in points[:count]]


def ridge(size: Size, crest: Sequence[float], top: float, rise: float) -> Image.Image:
    """A mask of everything below a crest; ``top`` and ``rise`` in pixels, edges smoothed."""
    width, height = size
    mask = Image.new("L", size)
    step = width / (len(crest) - 1)
    line = [(index * step, top + (1 - value) * rise) for index, value in enumerate(crest)]
    ImageDraw.Draw(mask).polygon([(0, height + 9), *line, (width, height + 9)], 255)
    return blur(mask, 0.8)


def ground(texture: Image.Image, size: Size, nearness: float = 0.12) -> Image.Image:
    """A texture laid flat before the viewer, the horizon at the upper edge."""
    width, height = size
    eye = height * nearness
    # At the horizon the whole width of the texture is seen, at the lower edge only its middle.
    across = texture.width / width
    centre, far = texture.width / 2, texture.height - 2
    left = centre - width / 2 * across
    coefficients = (across, centre / eye, left, 0, 0, far, 0, 1 / eye)
    return texture.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)


def water(random: Random, size: Size, cell: float = 14) -> Image.Image:
    """Gray ripples in perspective: fine and flat far away, broad near by."""
    return ground(clouds(random, (size[0] * 4, size[1] * 2), (cell * 2.4, cell), 3), size, 0.16)


def bokeh(
    random: Random, size: Size, colours: Sequence[Colour], count: int, radius: tuple[float, float]
) -> Image.Image:
    """Lights out of focus on black: discs with a brighter rim, to be screened on."""
    layer = Image.new("RGB", size)
    for _ in range(3):
        sheet = Image.new("RGB", size)
        draw = ImageDraw.Draw(sheet)
        for _ in range(count // 3):
            x, y, reach = random.uniform(0, size[0]), random.uniform(0, size[1]), random.uniform(*radius)
            colour = mix((0, 0, 0), random.choice(colours), random.uniform(0.25, 0.85))
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), mix(colour, (0, 0, 0), 0.25))
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), None, colour, max(1, round(reach / 9)))
        layer = ImageChops.screen(layer, sheet)
    return blur(layer, 1.4)


def flare(image: Image.Image, source: tuple[float, float], colour: Colour, strength: float) -> Image.Image:
    """Ghosts of a light source along the line through the middle of the picture."""
    width, height = image.size
    image = image.copy()
    for at, reach in ((0.5, 0.02), (1.25, 0.035), (1.5, 0.015), (1.8, 0.06)):
        x = source[0] + (width / 2 - source[0]) * at
        y = source[1] + (height / 2 - source[1]) * at
        spot(image, mix(colour, (255, 255, 255), 0.3), (x, y), reach * width, 2, strength * 0.35)
    return image


def film(random: Random, image: Image.Image, size: Size, grain: float, vignette: float) -> Image.Image:
    """The last step: enlarge to the final size, fall off towards the corners, add grain."""
    image = image.resize(size, Image.Resampling.BICUBIC)
    tile = Image.frombytes("L", (512, 512), random.randbytes(512 * 512)).filter(ImageFilter.GaussianBlur(0.6))
    sheet = Image.new("L", size)
    for x in range(0, size[0], 512):
        for y in range(0, size[1], 512):
            sheet.paste(tile, (x, y))
    falloff = curve(ImageChops.invert(Image.radial_gradient("L")), 0, 150, 0.6)
    dark = Image.blend(Image.new("L", falloff.size, 255), falloff, vignette).resize(size, Image.Resampling.BILINEAR)
    image = ImageChops.multiply(image, Image.merge("RGB", (dark,) * 3))
    return shade(image, sheet, grain)


def arc(count: int, cycles: float, phase: float) -> list[float]:
    """A soft wave in 0 to 1, for dunes and shores."""
    return [0.5 + 0.5 * math.sin(phase + index / count * math.tau * cycles) for index in range(count)]
