"""Tasks of the bus that outlive the call which started them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

_CANCELS = 25
_CANCEL_S = 0.2


class Background:
    """Keeps tasks referenced, and ends them. They see nothing of the caller's context: its deadline is not theirs."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run ``work`` on its own."""
        task = asyncio.get_running_loop().create_task(work, name=name, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def cancel(self, but: asyncio.Task[None] | None = None) -> None:
        """End all tasks, except one, and wait until they have ended."""
        # More than once: a library that takes a cancellation for its own timeout swallows it.
        for _ in range(_CANCELS):
            tasks = [task for task in self._tasks if task is not but]
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_CANCEL_S)
