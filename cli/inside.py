"""Calling the running services from inside the mesh, as an operator may: with the installation's secret."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import typer

from cli.modules import targets
from mesh.auth.peers import PeerTokens
from mesh.clock import SystemClock
from mesh.errors import Problem
from mesh.rpc.chain import Chain
from mesh.rpc.channels import Channels
from mesh.rpc.checks import validation
from mesh.rpc.server import Registry
from stack.placement import addresses, places


def inside(settings: Any, stub_class: Any, work: Callable[[Any], Awaitable[None]]) -> None:
    """Do some work with a stub of an internal service; a Problem ends the command with its sentence."""
    area = stub_class.__module__.split(".")[1]
    local = addresses(places(settings.stack, targets(settings.stack)))
    address = settings.addresses.get(area) or local.get(area, f"127.0.0.1:{settings.stack.grpc_port}")

    async def run() -> None:
        peers = PeerTokens(settings.derived_key("mesh").hex(), "operator", SystemClock())
        channels = Channels("operator", Registry(Chain([], validation)), {area: address}, peers)
        try:
            await work(channels.stub(stub_class))
        finally:
            await channels.close()

    try:
        asyncio.run(run())
    except Problem as problem:
        typer.secho(f"{problem.message} ({problem.reason})", fg="red", err=True)
        raise typer.Exit(1) from None
