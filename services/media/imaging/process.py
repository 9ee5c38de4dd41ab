"""One confined process as its parent sees it: started, given one source at a time, replaced when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

from services.media.imaging import frames
from services.media.imaging.reasons import ImageRejected, RejectionReason, WorkerCrashed
from services.media.imaging.rendered import MIB, Limits, Rendered

_IMPORT_ROOT = Path(__file__).resolve().parents[3]
_MODULE = "services.media.imaging.worker"
_START_SECONDS = 30.0
_STOP_SECONDS = 2.0
_RENDERS_BEFORE_RECYCLING = 500
"""Bounds what a leak or a fragmented heap can hold on to."""


class WorkerProcess:
    """A slot of the pool: at most one process, replaced after a failure and after some hundred renders."""

    def __init__(self, limits: Limits, formats: tuple[str, ...]) -> None:
        self._limits = limits
        self._command = ("-m", _MODULE, json.dumps(asdict(limits)), json.dumps(formats))
        self._process: Process | None = None
        self._ready = False
        self._renders = 0
        self._stopped = False
        self._in_use = asyncio.Lock()
        self.confined: list[str] = []
        """What the process said it gave up: resource limits, ``seccomp``."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process and wait until it is confined and ready; raises WorkerCrashed."""
        async with self._in_use:
            await self._start()

    async def render(self, source: bytes | Path, size: int) -> Rendered:
        """One render; raises ImageRejected or WorkerCrashed."""
        async with self._in_use:
            return await self._render(source, size)

    async def stop(self) -> None:
        """End the process and start no other; may be repeated."""
        self._stopped = True
        # A render under way sees its pipe break and lets go.
        self._kill()
        async with self._in_use:
            await self._end()

    async def _start(self) -> None:
        async with self._replaced_on_failure(_START_SECONDS) as process:
            await self._await_ready(process)

    async def _render(self, source: bytes | Path, size: int) -> Rendered:
        if self.pid is None or self._renders >= _RENDERS_BEFORE_RECYCLING:
            await self._replace()
        if not self._ready:
            await self._start()
        try:
            async with self._replaced_on_failure(self._limits.wall_seconds) as process:
                return await self._exchange(process, source, size)
        except ImageRejected as rejected:
            if rejected.reason is RejectionReason.TOO_COSTLY:
                await self._replace()
            raise

    @contextlib.asynccontextmanager
    async def _replaced_on_failure(self, seconds: float) -> AsyncIterator[Process]:
        """Whatever leaves this block but an answer, cancellation included, leaves a fresh process behind."""
        healthy = False
        try:
            async with asyncio.timeout(seconds):
                process = self._process or await self._spawn()
                yield process
            healthy = True
        except ImageRejected:
            healthy = True
            raise
        except TimeoutError as error:
            raise WorkerCrashed(f"no answer within {seconds:g} s") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise await self._cause_of_death() from error
        except frames.BadFrame as error:
            raise WorkerCrashed(str(error)) from error
        finally:
            if not healthy:
                await self._replace()

    async def _exchange(self, process: Process, source: bytes | Path, size: int) -> Rendered:
        assert process.stdin
        assert process.stdout
        self._renders += 1
        process.stdin.write(frames.LENGTH.pack(size))
        sent = 0
        async for chunk in _chunks(source):
            process.stdin.write(chunk)
            await process.stdin.drain()
            sent += len(chunk)
        if sent != size:
            raise WorkerCrashed(f"the source changed from {size} to {sent} bytes while it was read")
        header = await _read_header(process.stdout)
        contents = [await process.stdout.readexactly(length) for length in frames.lengths(header)]
        return frames.decode_rendered(header, contents)

    async def _await_ready(self, process: Process) -> None:
        assert process.stdout
        confined = (await _read_header(process.stdout)).get("confined")
        if not isinstance(confined, list):
            raise frames.BadFrame("the first header names what is confined")
        self.confined, self._ready = [str(name) for name in confined], True

    async def _spawn(self) -> Process:
        if self._stopped:
            raise WorkerCrashed("the image worker is stopped")
        # -P keeps the working directory off the import path. No variable of this process, secrets included, goes along.
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-W", "ignore", *self._command),
            stdin=PIPE,
            stdout=PIPE,
            limit=MIB,
            cwd="/",
            env={"PYTHONPATH": str(_IMPORT_ROOT), "MALLOC_ARENA_MAX": "2"},
        )
        return self._process

    async def _replace(self) -> None:
        """End the process and start the next, without waiting until that is ready."""
        await self._end()
        if not self._stopped:
            # Where no process can be started now, the next render tries again.
            with contextlib.suppress(OSError):
                await self._spawn()

    async def _end(self) -> None:
        self._kill()
        process, self._process = self._process, None
        self._ready, self._renders = False, 0
        if process is None:
            return
        # Reads what was left in the pipe too, without which its transport would never close.
        await process.communicate()

    def _kill(self) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _cause_of_death(self) -> Exception:
        """A process that broke its pipe is dead or about to be: its signal tells whether the source is to blame."""
        if self._process is None:
            return WorkerCrashed("no process could be started")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        if self._process and self._process.returncode == -signal.SIGXCPU:
            return ImageRejected(RejectionReason.TOO_COSTLY, "Decoding the picture takes longer than any photo should.")
        return WorkerCrashed(f"the process ended with {self._process.returncode if self._process else None}")


async def _chunks(source: bytes | Path) -> AsyncIterator[bytes | memoryview]:
    """A source in pieces of at most 1 MiB, so that no file is ever whole in this process."""
    if isinstance(source, bytes):
        whole = memoryview(source)
        for start in range(0, len(whole), MIB):
            yield whole[start : start + MIB]
        return
    with await asyncio.to_thread(source.open, "rb") as file:
        while chunk := await asyncio.to_thread(os.read, file.fileno(), MIB):
            yield chunk


async def _read_header(answers: asyncio.StreamReader) -> dict[str, object]:
    (length,) = frames.LENGTH.unpack(await answers.readexactly(frames.LENGTH.size))
    if length > frames.MAX_HEADER_BYTES:
        raise frames.BadFrame(f"a header of {length} bytes")
    return frames.parse(await answers.readexactly(length))
