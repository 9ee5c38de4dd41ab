"""No error of Redis' client leaves the bus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from mesh.events.bus import open_bus
from mesh.events.bus.contract import BEGINNING, Bus, BusUnavailable, Stream
from mesh.events.row import OutboxRow, State
from mesh.testing.events.world import BRISK
from stack.ports import free_port
from stack.redis import RedisServer

STREAM = Stream("media", 0)
ROW = OutboxRow(1, 0, "type", 1, b"", State.COMMITTED)
Call = Callable[[Bus], Awaitable[object]]
CALLS: dict[str, Call] = {
    "append": lambda bus: bus.append(STREAM, [ROW]),
    "replay": lambda bus: bus.replay(STREAM, ROW, "timeline"),
    "begin_rebuild": lambda bus: bus.begin_rebuild(STREAM, "token", ["timeline"]),
    "finish_rebuild": lambda bus: bus.finish_rebuild(STREAM, "token"),
    "state": lambda bus: bus.state(STREAM),
    "trim": lambda bus: bus.trim(STREAM),
    "lease": lambda bus: bus.lease(STREAM, "timeline"),
    "release": lambda bus: bus.release(STREAM, "timeline"),
    "create_group": lambda bus: bus.create_group(STREAM, "timeline"),
    "remove_group": lambda bus: bus.remove_group(STREAM, "timeline"),
    "read": lambda bus: bus.read(STREAM, "timeline", 1),
    "claim": lambda bus: bus.claim(STREAM, "timeline", BEGINNING, 1),
    "acknowledge": lambda bus: bus.acknowledge(STREAM, "timeline", [BEGINNING]),
    "tries": lambda bus: bus.tries(STREAM, "timeline", BEGINNING),
    "note_try": lambda bus: bus.note_try(STREAM, "timeline", BEGINNING, 1),
    "end": lambda bus: bus.end(STREAM),
    "read_live": lambda bus: bus.read_live(STREAM, BEGINNING, 1),
}


def test_every_call_of_the_contract_is_looked_at() -> None:
    assert {*CALLS, "close", "timing"} == {name for name in vars(Bus) if not name.startswith("_")}


@pytest.mark.parametrize("name", CALLS)
async def test_a_server_that_is_away_is_the_contract_s_error(name: str) -> None:
    bus = open_bus(f"redis://127.0.0.1:{free_port()}/0", BRISK)
    with pytest.raises(BusUnavailable):
        await CALLS[name](bus)
    await bus.close()


async def test_what_the_server_refuses_is_the_contract_s_error(redis: RedisServer) -> None:
    bus = open_bus(redis.url, BRISK)
    with pytest.raises(BusUnavailable, match="NOGROUP"):
        await bus.claim(Stream("nobody", 0), "nobody", BEGINNING, 1)
    await bus.close()


def test_a_url_that_names_no_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="begin with redis://"):
        open_bus("kafka://localhost", BRISK)
