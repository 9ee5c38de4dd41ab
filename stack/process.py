"""A server program as a supervised child process: started, watched, stopped, killed, restarted.

Nothing here belongs to an event loop: the methods that wait are coroutines that poll, so that a
process may be started in one loop and stopped in another, and used from synchronous test fixtures
through ``asyncio.run``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, TypeAlias

from stack.guard import guard
from stack.ports import require_free

Ready: TypeAlias = Callable[[], Awaitable[bool]]
"""Answers whether the server serves now. An ``OSError`` counts as no."""
LogLine: TypeAlias = Callable[[str], None]
"""Receives each line of the server's output, without its end, on a thread of its own."""

_POLL_SECONDS = 0.02
_TAIL_LINES = 20
_LAST_OUTPUT_SECONDS = 1.0
_LOG_BYTES = 10 * 1024 * 1024


class ProcessFailed(Exception):
    """A server did not start, or ended by itself; the message is for the operator."""


@dataclass
class Process:
    """One child process and how it is told to be ready.

    ``ports`` maps each port that the program listens on to the setting that changes it (None where
    there is none): they are checked before every start. ``log`` is a file, rotated at 10 MiB, or
    a callback for each line; the last 20 lines are kept either way. ``start_seconds`` bounds the
    wait until ready, ``stop_seconds`` the wait between SIGTERM and SIGKILL.
    """

    name: str
    argv: Sequence[str | Path]
    ready: Ready
    log: Path | LogLine | None = None
    ports: Mapping[int, str | None] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    start_seconds: float = 30.0
    stop_seconds: float = 10.0

    def __post_init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    @property
    def pid(self) -> int | None:
        """The process id while the child runs."""
        return self._child.pid if self._child is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether the child has been started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def tail(self) -> list[str]:
        """The last lines of the output."""
        return list(self._tail)

    async def start(self) -> None:
        """Start the program and return once it is ready; nothing is left running on failure.

        Raises :class:`ProcessFailed` or :class:`stack.ports.PortTaken`. A running process stays as it is.
        """
        if self.running:
            return
        self.spawn()
        try:
            await self._until_ready()
        except BaseException:
            self.kill()
            raise

    def spawn(self) -> None:
        """Start the program without waiting for it."""
        self.kill()
        for port, setting in self.ports.items():
            require_free(port, self.name, setting)
        self._tail.clear()
        # A session of its own keeps the terminal's Ctrl-C from the child: the parent stops it in order.
        try:
            self._child = subprocess.Popen(
                [os.fspath(part) for part in self.argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.env},
                cwd=self.cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise ProcessFailed(f"{self.name} cannot be started: {error}") from error
        guard.watch(self._child.pid)
        self._reader = threading.Thread(
            target=self._read, args=(self._child.stdout,), name=f"{self.name}-log", daemon=True
        )
        self._reader.start()

    async def wait_stopped(self, seconds: float) -> bool:
        """Whether the child has ended within this time."""
        until = time.monotonic() + seconds
        while self.running and time.monotonic() < until:  # noqa: ASYNC110 - an event would bind us to one loop
            await asyncio.sleep(_POLL_SECONDS)
        return not self.running

    async def stop(self) -> None:
        """End the program: SIGTERM, a bounded wait, SIGKILL. May be repeated."""
        if self.running:
            self._signal(signal.SIGTERM)
            await self.wait_stopped(self.stop_seconds)
        self.kill()

    def kill(self) -> None:
        """End the program and all its descendants at once, as a crash would. May be repeated."""
        if self._child is None:
            return
        self._signal(signal.SIGKILL)
        self._child.wait()
        guard.forget(self._child.pid)
        if self._reader is not None:
            self._reader.join(_LAST_OUTPUT_SECONDS)
        self._child = None

    async def restart(self) -> None:
        """Crash the program and start it again on the same data."""
        self.kill()
        await self.start()

    def pause(self) -> None:
        """Freeze the program (SIGSTOP): it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused program go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            # macOS says PermissionError of a group that is only waiting to be reaped.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, number)

    async def _until_ready(self) -> None:
        until = time.monotonic() + self.start_seconds
        while not await self._is_ready(until - time.monotonic()):
            if not self.running:
                raise ProcessFailed(f"{self.name} ended while starting{self._last_words()}")
            if time.monotonic() >= until:
                raise ProcessFailed(f"{self.name} was not ready within {self.start_seconds:g} s{self._last_words()}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _is_ready(self, seconds: float) -> bool:
        try:
            # Not wait_for: until Python 3.12 it drops a cancellation that meets the end of what it waits for.
            async with asyncio.timeout(max(seconds, _POLL_SECONDS)):
                return await self.ready()
        except (OSError, TimeoutError):
            return False

    def _last_words(self) -> str:
        if not self.running and self._reader is not None:
            self._reader.join(_LAST_OUTPUT_SECONDS)
        words = " | ".join(line for line in self.tail[-5:] if line)
        return f": {words}" if words else " and said nothing"

    def _read(self, output: IO[bytes]) -> None:
        with output, _log_sink(self.log) as log:
            for raw in output:
                line = raw.decode(errors="replace").rstrip()
                self._tail.append(line)
                log(line)


@contextlib.contextmanager
def _log_sink(log: Path | LogLine | None) -> Iterator[LogLine]:
    if not isinstance(log, Path):
        yield log or (lambda _line: None)
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(log, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    try:
        yield lambda line: handler.emit(logging.makeLogRecord({"msg": line}))
    finally:
        handler.close()
