"""Looking after jobs: list, show, cancel. Over the tables, whether services run or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from cli.operations import Set

if TYPE_CHECKING:
    from mesh.jobs import Job, Jobs

_console = Console(highlight=False)
_DAY_MS = 86_400_000
app = typer.Typer(help="Long work: exports, erasures, what happens at a time.", no_args_is_help=True)


@app.command("list")
def list_jobs(
    day: str = typer.Option("", help="Those submitted on this day (UTC, YYYY-MM-DD); today where none is given."),
    limit: int = typer.Option(20, min=1, max=1000, help="Jobs shown of each service."),
    set_: list[str] = Set,
) -> None:
    """Jobs of every service, newest first."""
    since = (date.fromisoformat(day) - date(1970, 1, 1)).days * _DAY_MS if day else None

    async def work(service: str, jobs: Jobs, now_ms: int) -> None:
        found = Table("job", "kind", "owner", "state", "progress", "due", "error", box=None)
        for job in await jobs.of_day(now_ms if since is None else since, limit):
            found.add_row(*_cells(job))
        _console.print(f"{service}:", found if found.row_count else "no jobs of that day")

    _each(set_, work)


@app.command()
def show(job_id: int, set_: list[str] = Set) -> None:
    """All that is known of a job; exit 1 where there is none."""
    _one(set_, lambda jobs, now_ms: jobs.job(job_id))


@app.command()
def cancel(job_id: int, set_: list[str] = Set) -> None:
    """See to it that a job does no further step; what it did stays done."""
    _one(set_, lambda jobs, now_ms: jobs.cancel(job_id, now_ms))


def _cells(job: Job) -> list[str]:
    due = datetime.fromtimestamp(job.due_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if job.due_ms else "now"
    progress = f"{job.done}/{job.total}" if job.total else str(job.done)
    return [str(job.job_id), job.kind, str(job.owner_id), job.state, progress, due, job.error]


def _one(set_: list[str], ask: Callable[[Jobs, int], Awaitable[Job | None]]) -> None:
    from dataclasses import asdict

    found: list[Job] = []

    async def work(service: str, jobs: Jobs, now_ms: int) -> None:
        if job := await ask(jobs, now_ms):
            found.append(job)

    _each(set_, work)
    if not found:
        typer.secho("there is no such job", fg="red", err=True)
        raise typer.Exit(1)
    for name, value in asdict(found[0]).items():
        _console.print(f"{name}: {value}", markup=False)


def _each(set_: list[str], work: Callable[[str, Jobs, int], Awaitable[None]]) -> None:
    """Do some work with the jobs of every service that has any."""
    from cli import configuration, holdings
    from mesh.clock import SystemClock
    from mesh.jobs import JOB_TABLES, Jobs
    from mesh.storage import StorageError, open_store

    settings, clock = configuration.load(set_), SystemClock()
    services = [service for service, tables in holdings.tables().items() if JOB_TABLES[0] in tables]

    async def run() -> None:
        for service in services:
            store = await open_store(settings.storage_url, service, clock)
            try:
                await store.create(JOB_TABLES)
                await work(service, Jobs(store), clock.now_ms())
            finally:
                await store.close()

    if not services:
        _console.print("no service has jobs")
    try:
        asyncio.run(run())
    except StorageError as error:
        typer.secho(f"storage: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
