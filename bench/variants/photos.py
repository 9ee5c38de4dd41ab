"""Eight 12-megapixel JPEGs, drawn once: as large and as detailed as a telephone's."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from cli.demo.pictures import KINDS, draw_photo

SIZE = (4000, 3000)
COUNT = 8


def photos(directory: Path) -> tuple[Path, list[bytes]]:
    """The directory that holds the photos, drawn where they are missing, and their bytes."""
    directory.mkdir(parents=True, exist_ok=True)
    for seed in range(COUNT):
        file = directory / f"{seed}.jpg"
        if not file.exists():
            file.write_bytes(_draw(seed))
    return directory, [(directory / f"{seed}.jpg").read_bytes() for seed in range(COUNT)]


def _draw(seed: int) -> bytes:
    small = Image.open(io.BytesIO(draw_photo(seed, KINDS[seed % len(KINDS)])))
    grain = Image.effect_noise(SIZE, 30).convert("RGB")
    photo = Image.blend(small.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS), grain, 0.12)
    output = io.BytesIO()
    photo.save(output, "JPEG", quality=90)
    return output.getvalue()
