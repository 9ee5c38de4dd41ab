"""A fixed number of confined processes, and the callers that wait for one of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.media.imaging.process import WorkerProcess
from services.media.imaging.reasons import ImageRejected, RejectionReason, WorkerBusy
from services.media.imaging.rendered import FORMATS, MIB, Limits, Rendered

Source = bytes | Path
DEFAULT_LIMITS = Limits()


class ImageWorker:
    """Renders photos in separate processes that can neither open files nor reach the network.

    A process that dies or overruns is replaced; the others never notice. ``processes`` renders run at a
    time and ``max_waiting`` more may wait. ``formats`` are those of rendered.FORMATS that each variant gets.
    """

    def __init__(
        self,
        processes: int = 2,
        limits: Limits = DEFAULT_LIMITS,
        max_waiting: int = 64,
        formats: tuple[str, ...] = FORMATS,
    ) -> None:
        self._limits = limits
        self._workers = [WorkerProcess(limits, formats) for _ in range(processes)]
        self._idle: asyncio.Queue[WorkerProcess] = asyncio.Queue()
        self._max_waiting = max_waiting
        self.waiting = 0
        """Renders that wait for a process."""

    async def start(self) -> None:
        """Start every process and wait until it can render; raises WorkerCrashed where one cannot."""
        await asyncio.gather(*(worker.start() for worker in self._workers))
        for worker in self._workers:
            self._idle.put_nowait(worker)

    async def render(self, source: Source) -> Rendered:
        """The variants of a source, given as bytes or as a file that nobody writes to meanwhile.

        Changes nothing and may be repeated. Raises ImageRejected (the source's fault, final) or
        WorkerUnavailable (try again).
        """
        size = await asyncio.to_thread(_size, source)
        if size > self._limits.source_bytes:
            limit = self._limits.source_bytes // MIB
            raise ImageRejected(
                RejectionReason.TOO_LARGE, f"The file has {size} bytes; at most {limit} MiB may be sent."
            )
        worker = await self._acquire()
        try:
            return await worker.render(source, size)
        finally:
            self._idle.put_nowait(worker)

    async def stop(self) -> None:
        """End every process; a render under way raises WorkerCrashed. May be repeated."""
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    async def _acquire(self) -> WorkerProcess:
        if self._idle.empty() and self.waiting >= self._max_waiting:
            raise WorkerBusy(f"{self.waiting} renders wait already")
        self.waiting += 1
        try:
            return await self._idle.get()
        finally:
            self.waiting -= 1


def _size(source: Source) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size
