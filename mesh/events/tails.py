"""Follows one shard of an area from now on: every process sees every event, nobody acknowledges."""

from __future__ import annotations

import asyncio

import structlog

from mesh.events.background import Background
from mesh.events.bus.contract import BEGINNING, Bus, BusError, Entry, Position, Stream
from mesh.events.dispatch import Dispatch

_log = structlog.get_logger("events")
_BATCH = 256


class ShardTail:
    """One process's live view of one shard. A handler that fails is logged and not tried again."""

    def __init__(self, bus: Bus, dispatch: Dispatch, shard: int) -> None:
        self.stream = Stream(dispatch.area, shard)
        self._bus, self._dispatch = bus, dispatch
        self._tasks = Background()
        self._ready = asyncio.Event()
        self.seen = BEGINNING
        """Up to where everything was handled."""

    def start(self) -> None:
        """Begin to follow."""
        self._tasks.spawn(self._run(), f"tail {self.stream}")

    async def ready(self) -> None:
        """Until events published from now on are certain to be seen."""
        await self._ready.wait()

    async def stop(self) -> None:
        """Follow no more."""
        await self._tasks.cancel()

    async def _run(self) -> None:
        """Follow for the life of the process; where the bus lost data, from its new beginning."""
        shortest, longest = self._bus.timing.away_s
        wait, after = shortest, None
        while True:
            try:
                after = await self._begin(after)
                wait = shortest
                while True:
                    after = await self._follow(after)
            except BusError as error:
                _log.debug("tail starts anew", stream=str(self.stream), error=repr(error))
            except Exception:
                _log.exception("tail failed", stream=str(self.stream))
            await asyncio.sleep(wait)
            wait = min(wait * 2, longest)

    async def _begin(self, after: Position | None) -> Position:
        """Where to go on: after the last event seen, or at the end where none was."""
        if after is None:
            after = await self._bus.end(self.stream)
        self.seen = after
        self._ready.set()
        return after

    async def _follow(self, after: Position) -> Position:
        for entry in await self._bus.read_live(self.stream, after, _BATCH):
            if self._dispatch.takes(entry) and not entry.only_group:
                await self._handle(entry)
            self.seen = after = entry.position
        return after

    async def _handle(self, entry: Entry) -> None:
        try:
            async with asyncio.timeout(self._bus.timing.handler_s):
                await self._dispatch.handle(entry)
        except Exception:
            _log.exception("live handler failed", stream=str(self.stream))
