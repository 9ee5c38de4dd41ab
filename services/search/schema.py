"""Search has no table of its own: what it knows is derived. Its store keeps the events that it gave up."""

from __future__ import annotations

from mesh.storage import TableSpec

TABLES: tuple[TableSpec, ...] = ()
