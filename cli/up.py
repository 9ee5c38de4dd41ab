"""`tintype up`: all of Tintype on this machine, in the foreground."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from stack.installation import Installation

_console = Console(stderr=False, highlight=False)


def up(
    seed: bool = typer.Option(True, help="Fill an empty installation with the demo world."),
    spread: bool = typer.Option(False, "--spread", help="Run every service in a process of its own, as clusters do."),
    set_: list[str] = typer.Option(None, "--set", help="key=value, over environment and file."),
) -> None:
    """Start the stores, the services and the gateway; seed a demo world the first time; log until Ctrl-C."""
    from cli import configuration
    from cli.modules import targets
    from stack.installation import Installation
    from stack.ports import PortTaken
    from stack.process import ProcessFailed

    settings = configuration.load([*(set_ or []), *(["stack.spread=true"] if spread else [])])
    # The services are processes of their own: what was said here holds there.
    os.environ.update(configuration.as_variables(set_))
    installation = Installation(settings, settings.stack, _service_line, _say, targets(settings.stack))
    try:
        asyncio.run(_run(installation, seed))
    except (ProcessFailed, PortTaken) as error:
        _console.print(f"[red]{error}[/red]", soft_wrap=True)
        raise typer.Exit(1) from None


def _say(text: str) -> None:
    _console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] [cyan]tintype[/cyan]  {text}", soft_wrap=True)


def _service_line(line: str) -> None:
    _console.out(line)


async def _run(installation: Installation, seed: bool) -> None:
    installation.require_ports()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    started = time.monotonic()
    starting = asyncio.create_task(installation.start())
    stop = asyncio.create_task(told.wait())
    tasks: list[asyncio.Task[None]] = []
    try:
        await asyncio.wait([starting, stop], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            return
        starting.result()
        _say(f"[green]ready[/green] after {time.monotonic() - started:.1f} s")
        _welcome(installation)
        tasks.append(asyncio.create_task(installation.watch()))
        if seed:
            tasks.append(asyncio.create_task(_seed(installation)))
        await _until_told_or_failed(stop, tasks)
    finally:
        _say("stopping …")
        for task in (starting, *tasks):
            task.cancel()
        await asyncio.gather(starting, *tasks, return_exceptions=True)
        await installation.stop()
        _say("stopped; the data is kept")


async def _until_told_or_failed(stop: asyncio.Task[bool], tasks: list[asyncio.Task[None]]) -> None:
    waiting: set[asyncio.Task[object]] = {stop, *tasks}
    while not stop.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _seed(installation: Installation) -> None:
    """Seed while it already serves. A demo world that cannot be finished is said, and does no harm."""
    from cli.client import explain_all
    from cli.demo.people import DEMO_PASSWORD
    from cli.demo.world import World

    world = World(f"127.0.0.1:{installation.section.gateway_port}", _console)
    try:
        if await world.fill():
            _say(f"the demo world is complete; log in as any of its people with the password {DEMO_PASSWORD}")
    except Exception as error:
        _say(f"[red]the demo world was not finished ({explain_all(error)}); `tintype seed` goes on with it[/red]")


def _welcome(installation: Installation) -> None:
    from cli.demo.people import DEMO_PASSWORD

    url, metrics = installation.url, installation.section.metrics_port
    body = f'{{"username":"ana.souza","password":"{DEMO_PASSWORD}"}}'
    _console.print(
        f"""
  API          {url}/v1      (REST, gRPC and gRPC-Web on one port)
  API explorer {url}/docs
  Metrics      {f"http://127.0.0.1:{metrics}/metrics" if metrics else "none"}
  Data         {installation.settings.state_dir}

  Try:
    curl -s {url}/healthz
    TOKEN=$(curl -s {url}/v1/sessions -H 'content-type: application/json' \\
      -d '{body}' | sed 's/.*"accessToken":"\\([^"]*\\).*/\\1/')
    curl -s '{url}/v1/feed?pageSize=3' -H "authorization: Bearer $TOKEN"
""",
        markup=False,
        soft_wrap=True,
    )
