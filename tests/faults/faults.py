"""One fault: a process killed under load, away for a moment, and back; then the audit."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from cli.client import Client
from mesh.clock import SystemClock
from mesh.events.dead_letters import DEAD_LETTERS, DeadLetters
from mesh.events.events import Events
from mesh.ids import IdGenerator
from mesh.storage import open_store
from tests.distributed.installed import APART, Installed
from tests.faults.audit import Audit
from tests.faults.doors import Door, GrpcDoor, RestDoor
from tests.faults.ledger import Ledger
from tests.faults.load import Load, settle_doubts
from tests.mesh.mesh_client import Person, Rest

PEOPLE = 4
SETTLED_S = 60.0
_POLL_S = 0.3


@dataclass(frozen=True)
class Fault:
    """What dies. ``wipe``: its data is deleted before it comes back."""

    process: str
    wipe: bool = False

    def __str__(self) -> str:
        return f"{self.process}-wiped" if self.wipe else self.process

    async def strike(self, installation: Installed, away_s: float) -> None:
        """Kill it, leave it away for a while, start it again."""
        process = installation.process(self.process)
        process.kill()
        if self.wipe:
            directory = installation.state_dir / self.process
            shutil.rmtree(directory)
            directory.mkdir()
        await asyncio.sleep(away_s)
        await process.start()


async def survive(installation: Installed, fault: Fault, seed: int) -> Ledger:
    """Load, fault, and every check; the ledger, for what a test wants to know beside."""
    dice = random.Random(f"{fault} {seed}")
    async with doors(installation) as (rest, both):
        people = [await rest.register(f"p{number}") for number in range(PEOPLE)]
        for person in people:
            await rest.ok("GET", "/v1/feed", person)  # who reads is pushed to; others get a part when they return
        load = Load(people, both, dice.randrange(1 << 30), gateway_dies=fault.process == "envoy")
        ledger = load.ledger
        load.start()
        await _posted(ledger, dice.randint(4, 12), load)
        await asyncio.sleep(dice.uniform(0, 0.3))
        await fault.strike(installation, away_s=dice.uniform(0.1, 1.5))
        await _posted(ledger, len(ledger.known_posts()) + 4, load)
        await load.stop()
        audit = Audit(rest, people, ledger)
        await settled(audit.everything)
        await settle_doubts(ledger, people, both)
        await settled(audit.everything)
        await settled(lambda: _nothing_waits(installation))
        await audit.everything()
        return ledger


async def _posted(ledger: Ledger, count: int, load: Load) -> None:
    """Until so many posts are acknowledged, or the load failed."""
    async with asyncio.timeout(90):
        while len(ledger.known_posts()) < count and not load.failed:
            await asyncio.sleep(0.02)


async def settled(check: Callable[[], Awaitable[None]]) -> None:
    """Until the check passes; its own failure where it does not within a minute."""
    clock = asyncio.get_running_loop()
    until = clock.time() + SETTLED_S
    while True:
        try:
            return await check()
        except AssertionError:
            if clock.time() > until:
                raise
        await asyncio.sleep(_POLL_S)


async def _nothing_waits(installation: Installed) -> None:
    """Every consumer is up to date, and none gave an event up."""
    clock, redis_port = SystemClock(), installation.section.redis_port
    events = Events(f"redis://127.0.0.1:{redis_port}/0", clock, IdGenerator(clock), installation.settings.events)
    try:
        lags = await events.lag(APART)
        behind = [lag for lag in lags if lag.lag or lag.pending]
        assert lags, "the bus knows no consumer"
        assert not behind, behind
        for area, group in {(lag.area, lag.group) for lag in lags}:
            store = await open_store(installation.settings.storage_url, group, clock)
            await store.create([DEAD_LETTERS])
            letters = await DeadLetters(store, area, group, most=1).newest(1)
            await store.close()
            assert not letters, f"{group} gave up events of {area}"
    finally:
        await events.stop()


@asynccontextmanager
async def doors(installation: Installed) -> AsyncIterator[tuple[Rest, list[Door]]]:
    """REST, for looking; REST and gRPC, for doing."""
    async with AsyncExitStack() as stack:
        rest = await stack.enter_async_context(Rest(installation.url))
        client = await stack.enter_async_context(Client(installation.gateway))
        yield rest, [RestDoor(rest.http), GrpcDoor(client)]


__all__ = ["Fault", "Person", "settled", "survive"]
