"""The pool outlives its processes, and a process can do nothing but render."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from services.media.imaging.pool import ImageWorker
from services.media.imaging.reasons import WorkerBusy, WorkerCrashed
from services.media.imaging.rendered import Limits
from tests.media.imaging_sources import encoded, quadrants, scan_bomb

PHOTO = encoded(quadrants())
ENDLESS = scan_bomb()
PATIENT = Limits(cpu_seconds=600, wall_seconds=600)


@pytest.fixture
async def images() -> AsyncIterator[ImageWorker]:
    worker = ImageWorker(processes=2, limits=PATIENT, max_waiting=1)
    await worker.start()
    yield worker
    await worker.stop()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the condition never came true")


async def busy_pid(images: ImageWorker, besides: tuple[int, ...] = ()) -> int:
    """The process that has taken up a render; bounded."""
    idle = {pid: sum(psutil.Process(pid).cpu_times()[:2]) for pid in images.pids}
    for _ in range(2000):
        for pid, used in idle.items():
            if pid not in besides and sum(psutil.Process(pid).cpu_times()[:2]) > used + 0.05:
                return pid
        await asyncio.sleep(0.005)
    raise AssertionError("no process took the render up")


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_process_killed_in_mid_render_is_replaced(images: ImageWorker, deadly: signal.Signals) -> None:
    render = asyncio.create_task(images.render(ENDLESS))
    pid = await busy_pid(images)
    os.kill(pid, deadly)
    with pytest.raises(WorkerCrashed):
        await render
    assert len(images.pids) == 2
    assert pid not in images.pids
    for rendered in await asyncio.gather(images.render(PHOTO), images.render(PHOTO)):
        assert rendered.width == 400


async def test_process_killed_between_renders_is_replaced(images: ImageWorker) -> None:
    for pid in images.pids:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: not images.pids)
    for rendered in await asyncio.gather(images.render(PHOTO), images.render(PHOTO)):
        assert rendered.width == 400


async def test_render_over_its_wall_clock_is_killed_and_may_be_repeated() -> None:
    images = ImageWorker(processes=1, limits=Limits(cpu_seconds=600, wall_seconds=1.0))
    await images.start()
    (pid,) = images.pids
    with pytest.raises(WorkerCrashed, match="no answer"):
        await images.render(ENDLESS)
    assert not psutil.pid_exists(pid)
    assert (await images.render(PHOTO)).width == 400
    await images.stop()


async def test_cancelled_render_frees_its_process(images: ImageWorker) -> None:
    render = asyncio.create_task(images.render(ENDLESS))
    pid = await busy_pid(images)
    render.cancel()
    with pytest.raises(asyncio.CancelledError):
        await render
    assert not psutil.pid_exists(pid)
    assert (await images.render(PHOTO)).width == 400


async def test_waiting_line_is_bounded(images: ImageWorker) -> None:
    first = asyncio.create_task(images.render(ENDLESS))
    pid = await busy_pid(images)
    second = asyncio.create_task(images.render(ENDLESS))
    await busy_pid(images, besides=(pid,))
    waiting = asyncio.create_task(images.render(PHOTO))
    await until(lambda: images.waiting == 1)
    with pytest.raises(WorkerBusy):
        await images.render(PHOTO)
    for task in (waiting, first, second):
        task.cancel()
    await asyncio.gather(waiting, first, second, return_exceptions=True)


async def test_stop_ends_a_render_under_way_and_every_process(images: ImageWorker) -> None:
    render = asyncio.create_task(images.render(ENDLESS))
    await busy_pid(images)
    pids = images.pids
    await images.stop()
    with pytest.raises(WorkerCrashed):
        await render
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with pytest.raises(WorkerCrashed):
        await images.render(PHOTO)


async def test_missing_file_leaves_the_pool_as_it_was(images: ImageWorker, tmp_path: Path) -> None:
    pids = images.pids
    with pytest.raises(FileNotFoundError):
        await images.render(tmp_path / "nothing.jpg")
    assert images.pids == pids


async def test_process_inherits_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINTYPE_TOKEN_KEY", "secret")
    images = ImageWorker(processes=1)
    await images.start()
    environment = psutil.Process(images.pids[0]).environ()
    await images.stop()
    assert "secret" not in environment.values()


ESCAPES = """
import json, os, socket, sys
from services.media.imaging import sandbox
from services.media.imaging.rendered import Limits
parent = os.getppid()
attempts = {
    "read a file": lambda: open("/etc/hosts").close(),
    "write a file": lambda: open("/tmp/escaped", "w").close(),
    "delete a file": lambda: os.unlink(sys.argv[1]),
    "make a socket": lambda: socket.socket().close(),
    "fork": lambda: os.fork() or os._exit(0),
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "signal its parent": lambda: os.kill(parent, 0),
    "limit its parent": lambda: __import__("resource").prlimit(parent, 0),
    "regain memory": lambda: __import__("resource").setrlimit(9, (-1, -1)),
}
import resource
print(json.dumps(sandbox.confine(Limits())))
escaped = []
for name, attempt in attempts.items():
    try:
        attempt()
    except (OSError, ValueError):
        continue
    escaped.append(name)
print(json.dumps(escaped))
"""


async def test_confined_process_reaches_nothing(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch()
    command = [sys.executable, "-c", ESCAPES, str(victim)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)
    confined, escaped = (json.loads(line) for line in done.stdout.splitlines())
    assert {"address-space", "core", "file-size", "open-files"} <= set(confined)
    if "seccomp" in confined:
        assert escaped == []
    assert not {"read a file", "write a file", "make a socket", "regain memory"} & set(escaped)
