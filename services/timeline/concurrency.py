"""Many pieces of work, a bounded number at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def for_each(items: Iterable[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do ``work`` for every item, ``at_once`` of them at a time. Raises the first error, the rest cancelled."""
    waiting = iter(items)

    async def run() -> None:
        for item in waiting:
            await work(item)

    workers = [asyncio.create_task(run()) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
