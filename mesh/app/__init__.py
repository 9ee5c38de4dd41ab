"""Modules, targets and the life of a process."""

from mesh.app.context import Context, Module
from mesh.app.process import PartFailed, Process

__all__ = ["Context", "Module", "PartFailed", "Process"]
