"""What an installation keeps, and whose data each of it is: as the services declare it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from cli.modules import modules
from mesh.app.layout import SHARED_TABLES
from mesh.personal import Personal
from mesh.storage import TableSpec


@dataclass(frozen=True, slots=True)
class Kept:
    """One table, bucket, stream, family of cache keys or kind of indexed document."""

    service: str
    kind: str
    name: str
    personal: Personal | None


def tables() -> dict[str, tuple[TableSpec, ...]]:
    """The tables of every service, its outbox included."""
    return {service: (*schema.TABLES, *SHARED_TABLES) for service, schema in _schemas()}


def kept() -> list[Kept]:
    """Everything that keeps data, service by service. What exports or erases a person goes through all of it."""
    found: list[Kept] = []
    for service, schema in _schemas():
        found += [Kept(service, "table", table.name, table.personal) for table in (*schema.TABLES, *SHARED_TABLES)]
        found += [Kept(service, each.kind, each.name, each.personal) for each in getattr(schema, "HOLDINGS", ())]
    return found


def _schemas() -> Iterator[tuple[str, ModuleType]]:
    for module in modules():
        if find_spec(f"services.{module.name}"):
            yield module.name, import_module(f"services.{module.name}.schema")
