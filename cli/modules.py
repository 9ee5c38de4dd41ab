"""The module list: every part of Tintype that a process can run. Adding one is a folder and a line here."""

from __future__ import annotations

from importlib import import_module

from mesh.app import Module
from stack.placement import TOGETHER
from stack.section import StackSection

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


def targets(section: StackSection) -> list[str]:
    """The targets of each process on this machine: ``all`` in one, or every module by itself."""
    return [module.name for module in modules()] if section.spread else list(TOGETHER)
