"""The confined process: reads sources from standard input, writes variants to standard output.

Started by ``process`` as ``python -m services.media.imaging.worker <limits as JSON> <formats as JSON>``;
it ends when its standard input does.
"""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import BinaryIO

from PIL import Image

from services.media.imaging import frames, sandbox
from services.media.imaging.reasons import ImageRejected, RejectionReason
from services.media.imaging.rendered import FORMATS, MIB, Limits, Rendered
from services.media.imaging.variants import render

_THREADS = 2
"""Encoders release the interpreter's lock: measured on 12 megapixels, a lone photo takes 95 ms instead of 102."""


def main() -> None:
    """Serve renders until the parent closes the pipe."""
    limits, formats = Limits(**json.loads(sys.argv[1])), tuple(json.loads(sys.argv[2]))
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # Stacks count as address space; codecs need little.
    threading.stack_size(MIB)
    _warm_up(limits)
    _send(answers, frames.frame({"confined": sandbox.confine(limits)}))
    with ThreadPoolExecutor(_THREADS) as executor:
        while (source := _receive(requests, limits)) is not None:
            sandbox.allow_one_render(limits)
            _answer(answers, partial(render, source, limits, executor, formats))
            sandbox.rest()


def _answer(answers: BinaryIO, work: Callable[[], Rendered]) -> None:
    try:
        rendered = work()
    except ImageRejected as rejected:
        _send(answers, frames.encode_rejected(rejected))
    except MemoryError:
        costly = ImageRejected(RejectionReason.TOO_COSTLY, "The picture takes more memory than any photo should.")
        _send(answers, frames.encode_rejected(costly))
    else:
        _send(answers, frames.encode_rendered(rendered), *(variant.content for variant in rendered.variants))


def _receive(requests: BinaryIO, limits: Limits) -> bytes | None:
    """The next source, or None when the parent has gone or breaks the rules."""
    head = requests.read(frames.LENGTH.size)
    if len(head) < frames.LENGTH.size:
        return None
    (length,) = frames.LENGTH.unpack(head)
    source = requests.read(length) if length <= limits.source_bytes else b""
    return source if len(source) == length else None


def _send(answers: BinaryIO, *parts: bytes) -> None:
    for part in parts:
        answers.write(part)
    answers.flush()


def _warm_up(limits: Limits) -> None:
    """Load every module and codec while files can still be opened."""
    photo = Image.new("RGB", (8, 8))
    for format in ("JPEG", "PNG", "WEBP"):
        output = io.BytesIO()
        photo.save(output, format)
        with ThreadPoolExecutor(1) as executor:
            render(output.getvalue(), limits, executor, FORMATS)


if __name__ == "__main__":
    main()
