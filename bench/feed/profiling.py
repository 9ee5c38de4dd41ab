"""Where the services' time goes in one series: cProfile in their process, while pages are asked for.

``python -m bench.feed.profiling FILE`` is that process: it serves, and writes what it did between
SIGUSR1 and SIGUSR2 into the file. Its event loop's thread is watched, the storage engine's threads
are not.
"""

from __future__ import annotations

import asyncio
import cProfile
import itertools
import os
import pstats
import signal
import sys
import tempfile
from pathlib import Path

from bench.feed.load import flat_out, paced
from bench.feed.rounds import PACE, page_of
from bench.installed import installed
from bench.world import Size, build, direct, each
from cli.main import app

_SECONDS = 20.0
_FUNCTIONS = 40
_WRITTEN_S = 20.0


async def profile(settings: tuple[str, ...], size: Size, series: str) -> None:
    """Print the functions that took most time of their own, and most with what they called."""
    with tempfile.TemporaryDirectory() as directory:
        written = Path(directory) / "profile"
        async with installed(Path(directory), *settings) as installation:
            found = await build(installation, size)
            services = installation.process("services")
            await services.stop()
            services.argv = [sys.executable, "-m", "bench.feed.profiling", str(written)]
            await services.start()
            assert services.pid
            turns = itertools.cycle(found.readers)
            async with page_of(direct(installation)) as page:
                await each(found.readers, page)
                os.kill(services.pid, signal.SIGUSR1)
                if series == "warm":
                    await flat_out(page, turns, {}, _SECONDS)
                else:
                    await paced(page, turns, {}, _SECONDS, PACE)
                os.kill(services.pid, signal.SIGUSR2)
            async with asyncio.timeout(_WRITTEN_S):
                while not written.exists():  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.1)
        for order in ("tottime", "cumulative"):
            pstats.Stats(str(written)).sort_stats(order).print_stats(_FUNCTIONS)


def _serve(written: Path) -> None:
    """``tintype serve``, watched between the two signals."""
    watch = cProfile.Profile()

    def write(*_: object) -> None:
        watch.disable()
        unfinished = written.with_suffix(".part")
        watch.dump_stats(unfinished)
        unfinished.rename(written)

    signal.signal(signal.SIGUSR1, lambda *_: watch.enable())
    signal.signal(signal.SIGUSR2, write)
    app(["serve"])


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
