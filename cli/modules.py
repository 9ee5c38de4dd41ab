"""The module list: every part of Tintype that a process can run. Adding one is a folder and a line here."""

from __future__ import annotations

from importlib import import_module

from mesh.app import Module

_MODULES = (
    "services.accounts",
    "services.graph",
    "services.media",
    "services.timeline",
    "services.engagement",
    "services.search",
    "edge",
)


def modules() -> list[Module]:
    """All modules, callees before their callers."""
    return [import_module(f"{package}.module").MODULE for package in _MODULES]
