"""What every storage engine is held to. An engine's test says where the engine is, and nothing more::

    class TestMyEngine(StorageConformance):
        @pytest.fixture(scope="class")
        @classmethod
        def url(cls) -> str: ...

and, where the engine has a server, sets ``has_server`` and overrides ``kill`` and ``revive``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from mesh.clock import SystemClock
from mesh.storage import Store, open_store
from mesh.testing.storage.batches import Batches
from mesh.testing.storage.claims import Claims
from mesh.testing.storage.expiry import Expiry
from mesh.testing.storage.lifecycle import SERVICE, Lifecycle
from mesh.testing.storage.records import Records
from mesh.testing.storage.refusals import Refusals
from mesh.testing.storage.rows import Rows
from mesh.testing.storage.slices import Slices
from mesh.testing.storage.tables import TABLES


@pytest.mark.asyncio(loop_scope="class")
class StorageConformance(Rows, Records, Slices, Claims, Batches, Expiry, Refusals, Lifecycle):
    """The table contract, promise by promise. One store serves all tests of a class; each uses keys of its own."""

    @pytest_asyncio.fixture(scope="class", loop_scope="class")
    @classmethod
    async def store(cls, url: str) -> AsyncIterator[Store]:
        """The store under test, with every table created."""
        store = await open_store(url, SERVICE, SystemClock())
        await store.create(TABLES)
        yield store
        await store.close()

    @pytest_asyncio.fixture(loop_scope="class")
    async def another(self, url: str) -> AsyncIterator[Callable[[], Awaitable[Store]]]:
        """Opens more stores over the same data, closed when the test ends."""
        opened: list[Store] = []

        async def open_another() -> Store:
            opened.append(await open_store(url, SERVICE, SystemClock()))
            return opened[-1]

        yield open_another
        for store in opened:
            await store.close()
