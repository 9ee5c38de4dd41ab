"""Calling the inner services of an installation from outside: as a peer of the mesh, or as nobody in particular."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mesh.auth.peers import PeerTokens
from mesh.clock import SystemClock
from mesh.rpc.chain import Chain
from mesh.rpc.channels import Channels
from mesh.rpc.checks import validation
from mesh.rpc.server import Registry
from tests.distributed.installed import APART, Installed


def secret_of(installation: Installed) -> str:
    """What the peers of the mesh share."""
    return str(installation.settings.derived_key("mesh").hex())


@asynccontextmanager
async def peer(installation: Installed, secret: str = "") -> AsyncIterator[Channels]:
    """The channels of one more process of the mesh, which has this secret (or the right one)."""
    peers = PeerTokens(secret or secret_of(installation), "test", SystemClock())
    addresses = {target: installation.address(target) for target in APART}
    channels = Channels("test", Registry(Chain([], validation)), addresses, peers)
    try:
        yield channels
    finally:
        await channels.close()


def mesh_metadata(installation: Installed, secret: str = "") -> tuple[tuple[str, str], ...]:
    """The metadata that proves a peer."""
    token = PeerTokens(secret or secret_of(installation), "test", SystemClock()).token()
    return (("x-tintype-mesh", token),)


def dependency_of(problem: Any) -> Any:
    """Which service a Problem says is away."""
    return problem.metadata.get("dependency")
