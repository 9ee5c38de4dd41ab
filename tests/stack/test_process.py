"""Supervised child processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stack.ports import PortTaken, free_port, free_ports, is_free, require_free
from stack.process import Process, ProcessFailed

PATIENCE_SECONDS = 15.0
SERVE = """
import signal, socket, sys, time
{before}
server = socket.create_server(("127.0.0.1", {port}))
print("listening", flush=True)
while True:
    server.accept()[0].close()
"""


def accepting(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def serving(port: int, before: str = "", **options: object) -> Process:
    """A small server that is ready once it accepts."""

    async def ready() -> bool:
        return accepting(port)

    argv = [sys.executable, "-c", SERVE.format(port=port, before=before)]
    return Process("example", argv, ready, ports={port: "TINTYPE_EXAMPLE_PORT"}, **options)  # type: ignore[arg-type]


def eventually_gone(pid: int) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


async def test_a_started_process_is_ready_and_a_stopped_one_is_gone() -> None:
    port = free_port()
    process = serving(port)
    await process.start()
    assert accepting(port)
    assert process.running
    await process.stop()
    assert not accepting(port)
    assert not process.running
    assert process.pid is None


async def test_start_and_stop_may_be_repeated() -> None:
    process = serving(free_port())
    await process.start()
    pid = process.pid
    await process.start()
    assert process.pid == pid
    await process.stop()
    await process.stop()


def test_a_process_outlives_the_event_loop_that_started_it() -> None:
    process = serving(free_port())
    asyncio.run(process.start())
    assert process.running
    asyncio.run(process.stop())
    assert not process.running


async def test_restart_is_another_process_on_the_same_port() -> None:
    port = free_port()
    process = serving(port)
    await process.start()
    pid = process.pid
    await process.restart()
    assert process.pid != pid
    assert accepting(port)
    await process.stop()


async def test_a_process_that_ends_while_starting_is_reported_with_its_last_words() -> None:
    process = serving(free_port(), before="print('cannot open /data: read-only'); sys.exit(3)")
    with pytest.raises(ProcessFailed, match="example ended while starting: cannot open /data: read-only"):
        await process.start()
    assert not process.running


async def test_a_process_that_is_never_ready_is_ended_and_reported() -> None:
    process = serving(free_port(), before="print('waiting', flush=True); time.sleep(600)", start_seconds=1.0)
    with pytest.raises(ProcessFailed, match="example was not ready within 1 s: waiting"):
        await process.start()
    assert not process.running


async def test_a_cancelled_start_leaves_nothing_running() -> None:
    process = serving(free_port(), before="time.sleep(600)")
    starting = asyncio.create_task(process.start())
    while process.pid is None:
        await asyncio.sleep(0.01)
    pid = process.pid
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert eventually_gone(pid)


async def test_a_cancellation_holds_that_comes_as_a_probe_fails() -> None:
    async def refused() -> bool:
        starting.cancel()
        raise ConnectionRefusedError

    process = Process("example", [sys.executable, "-c", "import time; time.sleep(600)"], refused)
    starting = asyncio.create_task(process.start())
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not process.running


async def test_a_program_that_is_not_there_is_reported() -> None:
    async def ready() -> bool:
        return True

    with pytest.raises(ProcessFailed, match=r"ghost cannot be started: .*no-such-program"):
        await Process("ghost", ["/no-such-program"], ready).start()


async def test_a_taken_port_is_named_with_the_setting_that_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            await serving(port).start()
    assert str(caught.value) == f"port {port} (example) is taken; set TINTYPE_EXAMPLE_PORT or stop what uses it"


async def test_a_process_that_ignores_sigterm_is_killed_after_a_bound() -> None:
    process = serving(
        free_port(), before="signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))", stop_seconds=0.2
    )
    await process.start()
    pid = process.pid
    assert pid is not None
    await process.stop()
    assert eventually_gone(pid)
    assert process.tail == ["listening", "no"]


async def test_descendants_end_with_their_process() -> None:
    before = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"
    process = serving(free_port(), before=before)
    await process.start()
    descendant = int(process.tail[0])
    process.kill()
    assert eventually_gone(descendant)


async def test_the_child_has_a_session_of_its_own_so_that_ctrl_c_passes_it_by() -> None:
    process = serving(free_port())
    await process.start()
    assert process.pid is not None
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    await process.stop()


async def test_output_goes_to_the_log_file(tmp_path: Path) -> None:
    process = serving(free_port(), log=tmp_path / "logs" / "example.log")
    await process.start()
    await process.stop()
    assert (tmp_path / "logs" / "example.log").read_text() == "listening\n"


async def test_output_goes_line_by_line_to_the_callback() -> None:
    lines: list[str] = []
    process = serving(
        free_port(), before="print('one'); print('zwei äöü'); sys.stderr.write('three\\n')", log=lines.append
    )
    await process.start()
    await process.stop()
    assert sorted(lines) == ["listening", "one", "three", "zwei äöü"]


async def test_the_environment_is_added_to_ours() -> None:
    before = "import os; print(os.environ['COLOUR'], 'PATH' in os.environ, flush=True)"
    process = serving(free_port(), before=before, env={"COLOUR": "sepia"})
    await process.start()
    await process.stop()
    assert process.tail[0] == "sepia True"


async def test_a_paused_process_goes_on_when_resumed() -> None:
    port = free_port()
    process = serving(port)
    await process.start()
    process.pause()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)  # the kernel accepts, nobody hangs up
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.1)
    process.resume()
    assert await asyncio.wait_for(reader.read(1), PATIENCE_SECONDS) == b""
    writer.close()
    await process.stop()


PARENT = """
import asyncio, sys, time
from stack.process import Process
async def ready(): return True
async def main():
    for seconds in ("601", "602"):
        process = Process("sleeper", ["sleep", seconds], ready)
        await process.start()
        print(process.pid, flush=True)
        if seconds == "601": stopped = process
    {then}
asyncio.run(main())
"""


def run_parent(then: str) -> tuple[subprocess.Popen[str], list[int]]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then=then)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert parent.stdout is not None
    return parent, [int(parent.stdout.readline()) for _ in range(2)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_end_when_their_parent_is_killed(number: signal.Signals) -> None:
    parent, children = run_parent("time.sleep(600)")
    with parent:
        parent.send_signal(number)
        parent.wait()
        assert [eventually_gone(child) for child in children] == [True, True]


def test_children_end_when_their_parent_forgets_to_stop_them() -> None:
    parent, children = run_parent("pass")
    with parent:
        parent.wait()
        assert [eventually_gone(child) for child in children] == [True, True]


def test_a_parent_that_stopped_its_children_ends_at_once_and_signals_nobody_else() -> None:
    parent, children = run_parent("await stopped.stop(); process.kill(); print('done', flush=True)")
    with parent:
        assert parent.wait() == 0
        assert [eventually_gone(child) for child in children] == [True, True]


def test_free_ports_are_different_and_free_with_their_distances() -> None:
    ports = free_ports(20, also=(10_000,))
    assert len(set(ports)) == 20
    assert all(is_free(port) and is_free(port + 10_000) for port in ports)


def test_a_port_in_use_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortTaken, match=f"port {port} \\(example\\) is taken; choose another or stop what uses it"):
            require_free(port, "example")
    require_free(port, "example")
