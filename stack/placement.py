"""Which processes run the services on one machine: all modules in one, or one process for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from stack.ports import LOOPBACK
from stack.section import StackSection

TOGETHER = ("all",)
"""The targets of a single process with every module in it."""
_ENTRY = "edge"
_SERVICES = "services"
"""The name of the process that runs everything."""


@dataclass(frozen=True, slots=True)
class Place:
    """One process of services: what it runs and where it listens."""

    name: str
    target: str
    node: int
    """Differs between processes: part of every id."""
    grpc_port: int
    metrics_port: int
    """0: none."""

    @property
    def address(self) -> str:
        """host:port of its gRPC server."""
        return f"{LOOPBACK}:{self.grpc_port}"


def places(section: StackSection, targets: Sequence[str]) -> list[Place]:
    """A process for each target, in the order given.

    The edge, which the gateway calls, listens on ``grpc_port``; the others on the ports after it, and
    likewise for metrics.
    """
    entry_first = sorted(targets, key=lambda target: target != _ENTRY)
    offsets = {target: offset for offset, target in enumerate(entry_first)}
    return [_place(section, target, offsets[target]) for target in targets]


def _place(section: StackSection, target: str, offset: int) -> Place:
    return Place(
        name=_SERVICES if target in TOGETHER else target,
        target=target,
        node=offset,
        grpc_port=section.grpc_port + offset,
        metrics_port=section.metrics_port and section.metrics_port + offset,
    )


def addresses(chosen: Sequence[Place]) -> dict[str, str]:
    """Area → host:port, as the configuration's ``addresses`` has it; empty where all share one process."""
    return {place.target: place.address for place in chosen if place.target not in TOGETHER}


def environment(place: Place, chosen: Sequence[Place]) -> dict[str, str]:
    """What makes a process of services this one among the others."""
    return {
        "TINTYPE_TARGETS": json.dumps([place.target]),
        "TINTYPE_ADDRESSES": json.dumps(addresses(chosen)),
        "TINTYPE_NODE": str(place.node),
        "TINTYPE_GRPC_ADDRESS": place.address,
        "TINTYPE_TELEMETRY__METRICS_ADDRESS": f"{LOOPBACK}:{place.metrics_port}" if place.metrics_port else "",
    }
