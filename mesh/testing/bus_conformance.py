"""What the event bus promises. A test class supplies a ``server`` fixture, and nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mesh.clock import FakeClock
from mesh.events.events import OUTBOX_TABLES
from mesh.storage import open_store
from mesh.testing.events.crashes import Crashes
from mesh.testing.events.dead_letters import DeadLettersOutliveTheBus
from mesh.testing.events.delivery import Delivery
from mesh.testing.events.housekeeping import Housekeeping
from mesh.testing.events.intents import Intents
from mesh.testing.events.retries import Retries
from mesh.testing.events.sharing import Sharing
from mesh.testing.events.traces import Traces
from mesh.testing.events.world import (
    AREA,
    BusServer,
    World,
)


class BusConformance(Delivery, Retries, DeadLettersOutliveTheBus, Sharing, Crashes, Intents, Housekeeping, Traces):
    """Subclass it and give it a fixture ``server``: a running, empty :class:`BusServer` of its own."""

    @pytest.fixture
    async def world(self, server: BusServer) -> AsyncIterator[World]:
        clock = FakeClock(1_800_000_000_000)
        store = await open_store("sqlite::memory:", AREA, clock)
        await store.create(OUTBOX_TABLES)
        world = World(server, store, clock)
        yield world
        await world.close()
