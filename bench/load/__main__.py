"""One whole machine under a steady load, through Envoy over REST: ``python -m bench.load``.

Feed pages of 300 readers in turn at a fixed rate (a late answer does not delay the next request), then 3 MB
uploads one after the other: time to the acknowledgement and to READY. Memory is the resident size of
everything that runs, Cassandra not among it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from random import Random

import httpx
import psutil
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench.installed import installed
from bench.world import Person, Size, build

UPLOADS = 12


def photo_of_3_mb() -> bytes:
    """A 12 megapixel JPEG of about three million bytes."""
    random = Random(1)
    small = Image.frombytes("RGB", (800, 600), random.randbytes(800 * 600 * 3))
    image = Image.blend(
        small.resize((4000, 3000)), Image.linear_gradient("L").resize((4000, 3000)).convert("RGB"), 0.35
    )
    with tempfile.TemporaryFile() as file:
        image.save(file, "JPEG", quality=77)
        file.seek(0)
        return file.read()


async def steady(
    client: httpx.AsyncClient, url: str, readers: list[Person], rate: int, seconds: int
) -> tuple[list[float], int]:
    """Milliseconds of every answer at ``rate`` requests a second of all readers in turn, and how many were not 200."""
    times: list[float] = []
    errors = 0

    async def one(reader: Person) -> None:
        nonlocal errors
        started = time.perf_counter()
        answer = await client.get(url, headers={"authorization": f"Bearer {reader.token}"})
        times.append((time.perf_counter() - started) * 1000)
        errors += answer.status_code != 200

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(rate * seconds):
            await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
            group.create_task(one(readers[number % len(readers)]))
    return times, errors


async def uploads(client: httpx.AsyncClient, base: str, token: str) -> tuple[list[float], list[float]]:
    """Milliseconds until acknowledged, and until READY, of each upload."""
    content, acknowledged, ready = photo_of_3_mb(), [], []
    bearer = {"authorization": f"Bearer {token}"}
    headers = {**bearer, "content-type": "image/jpeg"}
    for _ in range(UPLOADS):
        started = time.perf_counter()
        answer = (await client.post(f"{base}/v1/media:upload", content=content, headers=headers)).json()
        acknowledged.append((time.perf_counter() - started) * 1000)
        state = answer["media"]
        while state["state"] == "PROCESSING":
            await asyncio.sleep(0.02)
            polled = await client.get(f"{base}/v1/media/{state['mediaId']}", headers=bearer)
            assert polled.status_code == 200, polled.text
            state = polled.json()["media"]
        assert state["state"] == "READY", state
        ready.append((time.perf_counter() - started) * 1000)
    return acknowledged, ready


def resident_mb() -> float:
    """The resident size of every process under this one."""
    return sum(child.memory_info().rss for child in psutil.Process().children(recursive=True)) / 1e6


async def measure(rate: int, seconds: int) -> dict[str, object]:
    """Start everything, fill it, load it."""
    with tempfile.TemporaryDirectory() as directory:
        async with (
            installed(Path(directory)) as installation,
            httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=100)) as http,
        ):
            readers = (await build(installation, Size(readers=300))).readers
            url = f"{installation.url}/v1/feed"
            await steady(http, url, readers, rate, 2)
            times, errors = await steady(http, url, readers, rate, seconds)
            acknowledged, ready = await uploads(http, installation.url, readers[0].token)
            return {
                "rate": rate,
                "errors": errors,
                "feed_ms": percentiles(times),
                "upload_acknowledged_ms": percentiles(acknowledged),
                "upload_ready_ms": percentiles(ready),
                "resident_mb": round(resident_mb()),
            }


def percentiles(values: list[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1), "max": round(max(values), 1)}


def report(found: dict[str, object]) -> None:
    """A table and bench/results/load.json."""
    table = Table("", "p50", "p95", "max", "target")
    targets = {"feed_ms": "p95 ≤ 50", "upload_acknowledged_ms": "≤ 200", "upload_ready_ms": "≤ 5000"}
    for name, target in targets.items():
        values = found[name]
        assert isinstance(values, dict)
        table.add_row(name, *(str(values[cut]) for cut in ("p50", "p95", "max")), target)
    Console().print(table, f"{found['rate']} requests/s, {found['errors']} errors, {found['resident_mb']} MB (≤ 1500)")
    results = Path(__file__).parent.parent / "results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "load.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    report(asyncio.run(measure(arguments.rate, arguments.seconds)))
