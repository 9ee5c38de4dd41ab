"""How fast and in how much memory a photo gets through the media service: ``python -m bench.upload``.

A 64 MiB file goes to a real SeaweedFS by turns through the service (client-streaming gRPC in chunks of
256 KiB, the service in a process of its own, acknowledged when durable) and by one plain PUT. Memory is the
service's peak (VmHWM) in every upload, over its resident size after one small upload: code that is loaded at the first
call does not count, what an allocator keeps from one upload to the next does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.upload.client import StraightToStore, ThroughService
from mesh.blobs.contract import PART_BYTES
from stack.ports import free_port
from stack.redis import redis_server
from stack.s3 import GRPC_DISTANCE, S3Server, s3_server

MIB = 1024 * 1024
BUCKET = "tintype"
TARGET_RATIO = 0.45
TARGET_PARTS = 8
STOP_S = 20.0
SMALL_BYTES = 64 * 1024


@dataclass(frozen=True)
class Round:
    """One upload each way. Speeds in MB (10^6 bytes) a second, memory in bytes."""

    service_mb_s: float
    put_mb_s: float
    peak_growth_bytes: int

    @property
    def ratio(self) -> float:
        return self.service_mb_s / self.put_mb_s


@asynccontextmanager
async def servers(directory: Path) -> AsyncIterator[tuple[int, int, S3Server]]:
    """The service's process id and port, and the store."""
    redis = redis_server(directory / "redis", free_port())
    s3 = s3_server(directory / "s3", free_port(also=(GRPC_DISTANCE,)))
    await redis.process.start()
    await s3.process.start()
    identity = {name: getattr(s3, name) for name in ("host", "port", "access_key", "secret_key", "region", "url")}
    settings = {"state": str(directory / "state"), "redis": redis.url, "s3": identity}
    command = sys.executable, "-m", "bench.upload.serve", json.dumps(settings)
    service = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        yield service.pid, await port_of(service), s3
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(service.communicate(), STOP_S)
        if service.returncode is None:
            service.kill()
        await s3.process.stop()
        await redis.process.stop()


async def port_of(service: asyncio.subprocess.Process) -> int:
    """The port that the service says it serves on."""
    assert service.stdout
    async for line in service.stdout:
        if line.startswith(b"port "):
            return int(line.split()[1])
    raise RuntimeError("the service ended before it served")


async def measure(rounds: int, size: int) -> list[Round]:
    """All rounds; the first warms up."""
    content = b"\xff\xd8\xff\xe0" + os.urandom(size - 4)
    done: list[Round] = []
    with tempfile.TemporaryDirectory() as directory:
        async with servers(Path(directory)) as (pid, port, s3):
            service, store = ThroughService(Path(directory) / "state", port), StraightToStore(s3, BUCKET)
            _, small = await service.upload(content[:SMALL_BYTES])
            await service.processed(small)
            fresh = status_bytes(pid, "VmRSS")
            for turn in range(rounds + 1):
                measured = await one_round(service, store, content, pid, fresh, put_first=bool(turn % 2))
                done.append(measured)
            await service.close()
    return done


async def one_round(
    service: ThroughService, store: StraightToStore, content: bytes, pid: int, fresh: int, put_first: bool
) -> Round:
    """Both ways, in alternating order, each on a machine that has nothing else of ours to do."""
    put_s = await asyncio.to_thread(store.put, content) if put_first else 0.0
    reset_peak(pid)
    service_s, asset_id = await service.upload(content)
    growth = status_bytes(pid, "VmHWM") - fresh
    await service.processed(asset_id)
    put_s = put_s or await asyncio.to_thread(store.put, content)
    megabytes = len(content) / 1e6
    return Round(megabytes / service_s, megabytes / put_s, growth)


def reset_peak(pid: int) -> None:
    """Let the kernel measure a new VmHWM from here on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def status_bytes(pid: int, name: str) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name + ":")]
    return int(line.split()[1]) * 1024


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def report(rounds: list[Round], size: int) -> dict[str, Any]:
    """What was measured and whether it reaches the targets."""
    growth = [float(each.peak_growth_bytes) for each in rounds]
    timed = rounds[1:]
    ratio = spread([each.ratio for each in timed])
    return {
        "bytes": size,
        "rounds": [asdict(each) for each in rounds],
        "service_mb_s": spread([each.service_mb_s for each in timed]),
        "put_mb_s": spread([each.put_mb_s for each in timed]),
        "ratio": ratio,
        "target_ratio": TARGET_RATIO,
        "peak_growth_mb": spread([each / 1e6 for each in growth]),
        "peak_growth_parts": spread([each / PART_BYTES for each in growth]),
        "target_parts": TARGET_PARTS,
        "passed": ratio["median"] >= TARGET_RATIO and max(growth) <= TARGET_PARTS * PART_BYTES,
    }


def show(result: dict[str, Any]) -> None:
    table = Table(
        "",
        "median",
        "least",
        "most",
        "target",
        title=f"{len(result['rounds']) - 1} uploads each way, and one to warm up",
    )
    targets = {"ratio": f">= {TARGET_RATIO}", "peak_growth_parts": f"<= {TARGET_PARTS} of 5 MiB"}
    for name in ("service_mb_s", "put_mb_s", "ratio", "peak_growth_mb", "peak_growth_parts"):
        values = result[name]
        table.add_row(name, *(f"{values[each]:.2f}" for each in ("median", "min", "max")), targets.get(name, ""))
    Console().print(table)


def main() -> None:
    """Measure, print, write JSON; fail where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mib", type=int, default=64, help="size of the file")
    parser.add_argument("--output", type=Path, default=Path("bench/results/upload.json"))
    options = parser.parse_args()
    result = report(asyncio.run(measure(options.rounds, options.mib * MIB)), options.mib * MIB)
    show(result)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=1) + "\n")
    if not result["passed"]:
        sys.exit("a target was missed")


if __name__ == "__main__":
    main()
