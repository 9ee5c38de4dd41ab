"""The repository's own sources, parsed."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("mesh", "services", "edge", "gateway", "stack", "cli", "bench", "tests")


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path

    @property
    def name(self) -> str:
        """The path within the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text()

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def imports(self) -> set[str]:
        """Every module that the file imports at run time or for its types, wherever it does so."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return found

    @property
    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def sources(*packages: str) -> list[Source]:
    """All files of these packages (all of ours where none is named), generated code left out."""
    folders = packages or PACKAGES
    return [Source(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def within(module: str, *names: str) -> bool:
    """Whether a dotted module is one of these or lies in one."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def is_protobuf(module: str) -> bool:
    """Whether an import brings protobuf messages or stubs: generated code, or protobuf itself."""
    return within(module, "tintype", "buf", "google", "grpc", "grpc_status", "grpc_health", "grpc_reflection")
