"""Taking older relations into the circles: once, after an upgrade from a version that kept none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import structlog

from mesh.errors import Problem
from mesh.storage import StorageError
from services.graph.changes import Changes
from services.graph.circle_store import CircleStore
from services.graph.store import LISTED_OUT, GraphStore

_log = structlog.get_logger("graph")
_AGAIN_S = 1.0
_PAGE = 1_000
_AT_ONCE = 32

Everybody = Callable[[int], Awaitable[list[int]]]
"""A page of everybody's ids after an id, in their order; empty at the end."""


class TakingIn:
    """Brings the circles of every edge in line with it, then says that they are complete. May be repeated, and
    done by several processes at once."""

    def __init__(self, store: GraphStore, circles: CircleStore, changes: Changes, everybody: Everybody) -> None:
        self._store, self._circles, self._changes, self._everybody = store, circles, changes, everybody

    async def begin(self) -> None:
        """Before the process serves: nothing is to be taken in where there is nobody yet."""
        with contextlib.suppress(Problem, StorageError):  # accounts may start after us
            if not await self._circles.complete() and not await self._everybody(0):
                await self._circles.mark_complete()

    async def run(self) -> None:
        """Do it where it was not done, trying again while accounts or the tables are away; then only wait."""
        after = 0
        while True:
            try:
                if await self._circles.complete():
                    break
                page = await self._everybody(after)
                if not page:
                    await self._circles.mark_complete()
                for user_id in page:
                    await self._take_in(user_id)
                    after = user_id
            except (Problem, StorageError) as error:
                _log.warning("older relations not taken in yet", error=str(error))
                await asyncio.sleep(_AGAIN_S)
        await asyncio.Event().wait()  # a background part that ends takes the process down

    async def _take_in(self, user_id: int) -> None:
        for name in LISTED_OUT:
            async for targets in _pages(partial(self._store.outgoing, user_id, name, _PAGE)):
                await self._align([(user_id, target_id) for target_id in targets])
        async for askers in _pages(partial(self._store.incoming, user_id, "requested", _PAGE)):
            await self._align([(asker_id, user_id) for asker_id in askers])

    async def _align(self, edges: list[tuple[int, int]]) -> None:
        for at in range(0, len(edges), _AT_ONCE):
            await asyncio.gather(*(self._changes.bring_in_line(*edge) for edge in edges[at : at + _AT_ONCE]))


async def _pages(read: Callable[[int], Awaitable[tuple[list[int], int]]]) -> AsyncIterator[list[int]]:
    """Every page of a list that is read by where the page before ended (0: the beginning, and the end)."""
    before = 0
    while True:
        found, before = await read(before)
        yield found
        if not before:
            return
