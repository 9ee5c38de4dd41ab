"""A service that only hears."""

from __future__ import annotations

from typing import Any

from mesh.app import Context, Module
from mesh.events import Event


def listener(area: str, heard: list[Any], *messages: type[Any]) -> Module:
    """Adds what an area publishes of these kinds to ``heard``."""

    async def hear(event: Event) -> None:
        heard.append(event.message)

    async def build(ctx: Context) -> None:
        ctx.subscribe(area, dict.fromkeys(messages, hear), await ctx.store([]))

    return Module("listener", build)
