"""Photos a second of the image worker beside sharp's four pipelines, in interleaved rounds.

``python -m bench.variants.run``: needs Node and npm; sharp goes into a cache directory. Both get the same
12-megapixel JPEGs from memory and make the same outputs: 1080, 640, 320 wide and a 150 square, JPEG quality 80
and WebP effort 2, bicubic. Writes bench/results/variants.json and prints a table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.variants.photos import photos
from services.media.imaging.pool import ImageWorker

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CASES = {"JPEG": ("jpeg",), "JPEG and WebP": ("jpeg", "webp")}
PROCESSES = 2
IN_FLIGHT = 4


def sharp_modules(cache: Path) -> Path:
    """The directory that holds node_modules with sharp as package-lock.json pins it; installed once."""
    target = cache / "sharp"
    target.mkdir(parents=True, exist_ok=True)
    lock = HERE / "package-lock.json"
    if not (target / "node_modules/sharp").is_dir() or (target / lock.name).read_bytes() != lock.read_bytes():
        for name in ("package.json", lock.name):
            shutil.copy(HERE / name, target / name)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=target, check=True, timeout=300)
    return target


class Sharp:
    """The Node process under comparison."""

    def __init__(self, directory: Path, modules: Path) -> None:
        command = ["node", str(HERE / "sharp.mjs"), str(directory), str(modules)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, formats: tuple[str, ...], count: int) -> float:
        assert self._process.stdin
        assert self._process.stdout
        order = {"formats": formats, "photos": count, "inFlight": IN_FLIGHT}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return float(json.loads(self._process.stdout.readline())["seconds"])

    def close(self) -> None:
        self._process.communicate(timeout=30)


async def ours(worker: ImageWorker, sources: list[bytes], count: int) -> float:
    """Seconds for ``count`` photos with a few always waiting."""
    start = time.perf_counter()
    queue = iter(range(count))

    async def lane() -> None:
        for index in queue:
            await worker.render(sources[index % len(sources)])

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))
    return time.perf_counter() - start


async def compare(formats: tuple[str, ...], sources: list[bytes], sharp: Sharp, rounds: int, count: int) -> Any:
    """Photos a second of both, round about, and the ratio of each pair of rounds."""
    worker = ImageWorker(PROCESSES, formats=formats)
    await worker.start()
    rates: dict[str, list[float]] = {"tintype": [], "sharp": []}
    for turn in range(rounds + 1):
        mine = count / await ours(worker, sources, count)
        theirs = count / await asyncio.to_thread(sharp.seconds, formats, count)
        if turn:  # the first round warms both up
            rates["tintype"].append(mine)
            rates["sharp"].append(theirs)
    await worker.stop()
    ratios = [mine / theirs for mine, theirs in zip(rates["tintype"], rates["sharp"], strict=True)]
    return {name: spread(values) for name, values in (*rates.items(), ("ratio", ratios))}


def spread(values: list[float]) -> dict[str, float]:
    return {
        "min": round(min(values), 2),
        "median": round(statistics.median(values), 2),
        "max": round(max(values), 2),
    }


def table(results: dict[str, Any]) -> str:
    lines = ["| outputs of each photo | | min | median | max |", "|---|---|---|---|---|"]
    for case, rows in results.items():
        for name, row in rows.items():
            unit = name if name == "ratio" else f"{name}, photos/s"
            lines.append(f"| {case} | {unit} | {row['min']} | {row['median']} | {row['max']} |")
    return "\n".join(lines)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--photos", type=int, default=24, help="photos a round")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache/bench")
    arguments = parser.parse_args()
    directory, sources = photos(arguments.cache / "photos")
    sharp = Sharp(directory, sharp_modules(arguments.cache))
    results = {
        case: await compare(formats, sources, sharp, arguments.rounds, arguments.photos)
        for case, formats in CASES.items()
    }
    sharp.close()
    output = ROOT / "bench/results/variants.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "processes": PROCESSES, "in_flight": IN_FLIGHT, "rounds": arguments.rounds}
    output.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")
    print(table(results))


if __name__ == "__main__":
    asyncio.run(main())
