"""The media service as a process of its own: logs, then prints ``port N``; serves until its standard input ends."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace

from mesh.testing.harness import running
from services.media.module import MODULE


async def main() -> None:
    """Serve with the servers that the first argument describes."""
    settings = json.loads(sys.argv[1])
    s3 = SimpleNamespace(**settings["s3"])
    flags = {"targets": "media", "media.image_processes": "1"}
    async with running([MODULE], Path(settings["state"]), redis_url=settings["redis"], s3=s3, flags=flags) as harness:
        print("port", harness.process.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
