"""A process that takes the first event of its group and never finishes it: to be killed meanwhile."""

from __future__ import annotations

import asyncio
import sys

from tintype.events.v1.media_pb2 import PostChanged

from mesh.clock import SystemClock
from mesh.config import EventsSection
from mesh.events import Event
from mesh.events.events import Events
from mesh.ids import IdGenerator
from mesh.storage import open_store
from mesh.testing.events.world import AREA, BRISK


async def never_finish(event: Event) -> None:
    print(event.message.version, flush=True)  # noqa: T201 - tells the test
    await asyncio.Event().wait()


async def main(redis_url: str) -> None:
    clock = SystemClock()
    store = await open_store("sqlite::memory:", AREA, clock)
    events = Events(redis_url, clock, IdGenerator(clock, 999), EventsSection(shards=2, retention_hours=72), BRISK)
    events.subscribe("timeline", AREA, {PostChanged: never_finish}, store)
    await events.start()
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
