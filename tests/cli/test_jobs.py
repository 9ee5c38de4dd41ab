"""`tintype jobs …`: what is submitted is listed, shown and cancelled, without services."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import holdings
from cli.main import app
from mesh.clock import SystemClock
from mesh.ids import IdGenerator
from mesh.jobs import JOB_TABLES, Job, Jobs, State
from mesh.storage import open_store

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command of an installation in which one service, `exports`, has jobs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(holdings, "tables", lambda: {"exports": JOB_TABLES, "media": ()})
    return lambda *arguments: CliRunner().invoke(app, ["jobs", *arguments, "--set", f"state_dir={tmp_path}"])


def with_jobs(tmp_path: Path, work: Callable[[Jobs], object]) -> object:
    async def run() -> object:
        store = await open_store(f"sqlite://{tmp_path}/db", "exports", SystemClock())
        await store.create(JOB_TABLES)
        try:
            return await work(Jobs(store))  # type: ignore[misc]
        finally:
            await store.close()

    return asyncio.run(run())


def test_a_job_is_listed_shown_and_cancelled(tmp_path: Path, run: Run) -> None:
    clock = SystemClock()
    job = Job(IdGenerator(clock, 1).next(), "export", 4711, at_ms=clock.now_ms() + 3_600_000)
    with_jobs(tmp_path, lambda jobs: jobs.submit(job, clock.now_ms()))
    listed = run("list")
    assert listed.exit_code == 0
    assert [word in listed.output for word in (str(job.job_id), "export", "4711", "open")] == [True] * 4
    assert "kind: export" in run("show", str(job.job_id)).output
    assert "state: cancelled" in run("cancel", str(job.job_id)).output
    found = with_jobs(tmp_path, lambda jobs: jobs.job(job.job_id))
    assert isinstance(found, Job)
    assert found.state is State.CANCELLED
    assert "no jobs of that day" in run("list", "--day", "2020-02-29").output


def test_a_job_that_is_not_there_is_said_in_a_line(run: Run) -> None:
    for command in ("show", "cancel"):
        said = run(command, "4711")
        assert (said.exit_code, said.output.strip()) == (1, "there is no such job")


def test_an_installation_without_jobs_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "tables", lambda: {"media": ()})
    assert run("list").output.strip() == "no service has jobs"
