"""The modules: every part of Tintype that a process can run. A service is a folder of ``services`` with a module.py."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.util import find_spec

import services
from mesh.app import Module
from stack.placement import TOGETHER
from stack.section import StackSection


def modules() -> list[Module]:
    """The services by name, then the edge, which calls them."""
    found = sorted(f"services.{folder.name}" for folder in pkgutil.iter_modules(services.__path__) if folder.ispkg)
    packages = [package for package in found if find_spec(f"{package}.module")]
    return [import_module(f"{package}.module").MODULE for package in (*packages, "edge")]


def targets(section: StackSection) -> list[str]:
    """The targets of each process on this machine: ``all`` in one, or every module by itself."""
    return [module.name for module in modules()] if section.spread else list(TOGETHER)
