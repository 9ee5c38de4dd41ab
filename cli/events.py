"""`tintype events`: how far consumers are behind, and what they gave up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from mesh.events.events import Events, Lag

_console = Console(highlight=False)


def events(
    replay: list[str] = typer.Option(None, help="Deliver these dead letters again."),
    discard: list[str] = typer.Option(None, help="Drop these dead letters for good."),
    limit: int = typer.Option(20, min=1, max=1000, help="Dead letters shown per group."),
    set_: list[str] = typer.Option(None, "--set", help="key=value, over environment and file."),
) -> None:
    """Show how far consumers are behind, and dead letters; deliver those again."""
    from cli import configuration
    from mesh.events.bus.contract import BusError
    from mesh.storage import StorageError

    try:
        asyncio.run(_run(configuration.load(set_), replay or [], discard or [], limit))
    except (BusError, StorageError) as error:
        away = "the bus" if isinstance(error, BusError) else "the tables"
        typer.secho(f"{away} cannot be reached: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
    except ValueError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(2) from None


async def _run(settings: Any, replay: Sequence[str], discard: Sequence[str], limit: int) -> None:
    from cli.modules import modules
    from mesh.clock import SystemClock
    from mesh.events.events import Events
    from mesh.ids import IdGenerator

    clock, names = SystemClock(), [module.name for module in modules()]
    async with AsyncExitStack() as stack:
        bus = Events(_redis_url(settings), clock, IdGenerator(clock), settings.events)
        stack.push_async_callback(bus.stop)
        lags = await bus.lag(names)
        for group in sorted({lag.group for lag in lags} & set(names)):
            await _know(bus, settings, group, stack)
        if replay:
            _console.print(f"{await bus.replay(*replay)} delivered again")
        if discard:
            _console.print(f"{await bus.discard(*discard)} dropped")
        await _show(bus, lags, limit)


async def _know(bus: Events, settings: Any, group: str, stack: AsyncExitStack) -> None:
    from mesh.clock import SystemClock
    from mesh.events.events import OUTBOX_TABLES
    from mesh.storage import open_store

    store = await open_store(settings.storage_url, group, SystemClock())
    stack.push_async_callback(store.close)
    await store.create(OUTBOX_TABLES)
    bus.know(group, store)


async def _show(bus: Events, lags: Sequence[Lag], limit: int) -> None:
    behind = Table("area", "group", "shard", "behind", "in hand", "oldest (ms)", box=None)
    for lag in lags:
        row = (lag.area, lag.group, lag.shard, lag.lag, lag.pending, lag.oldest_age_ms)
        behind.add_row(*(str(cell) for cell in row))
    _console.print(behind)
    letters = Table("dead letter", "type", "tries", "error", box=None)
    for area, group in sorted({(lag.area, lag.group) for lag in lags}):
        for letter in await bus.dead_letters(area, group, limit):
            letters.add_row(letter.id, letter.type, str(letter.tries), letter.error)
    _console.print(letters if letters.row_count else "no dead letters")


def _redis_url(settings: Any) -> str:
    """The configured Redis, or the one that `tintype up` starts."""
    configured = "url" in settings.redis.model_fields_set
    return str(settings.redis.url) if configured else f"redis://127.0.0.1:{settings.stack.redis_port}/0"
