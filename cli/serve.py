"""`tintype serve`: one process with the modules that its targets name."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from typing import Any

import typer


def serve(
    target: list[str] = typer.Option(None, help="Modules to run; all where none is named."),
    set_: list[str] = typer.Option(None, "--set", help="key=value, over environment and file."),
) -> None:
    """Run services in this process until it is told to stop (SIGTERM, Ctrl-C), then drain."""
    import uvloop

    from cli import configuration
    from mesh import telemetry
    from mesh.app import PartFailed
    from mesh.blobs.contract import BlobError
    from mesh.config import ConfigError
    from mesh.rpc.method import IncompleteRule
    from mesh.storage import StorageError

    flags = list(set_ or [])
    if target:
        flags.append("targets=" + ",".join(target))
    settings = configuration.load(flags)
    try:
        telemetry.set_up(settings.telemetry, "+".join(settings.targets))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))
    except (PartFailed, ConfigError, IncompleteRule, StorageError, BlobError, OSError) as error:
        typer.secho(f"stopped: {error}", fg="red", err=True)
        raise typer.Exit(1) from None


def _spare_the_collector() -> None:
    """What was built at the start lives as long as the process: the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _run(settings: Any) -> None:
    """Serve until told to stop, at whatever moment of starting or serving that is."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    stop = asyncio.create_task(told.wait())
    serving = asyncio.create_task(_serve(settings))
    await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _serve(settings: Any) -> None:
    from cli.modules import modules
    from mesh.app import Process

    async with Process(settings, modules()) as process:
        _spare_the_collector()
        await process.wait()
