"""The index directory: one process at a time, one generation in use, switched in one step.

``LOCK`` is held for as long as the directory is open and falls free when its process dies.
``CURRENT`` names the generation in use; every other generation is a leftover and removed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from mesh.config import ConfigError

_PREFIX = "generation-"


class DirectoryInUse(ConfigError):
    """Another process has this index open."""


@dataclass(frozen=True, slots=True)
class Current:
    """The generation in use, the format of its fields, and whether everything was indexed into it."""

    generation: str
    format: int
    complete: bool


class IndexDirectory:
    """Opened, it belongs to this process until closed. Raises :class:`DirectoryInUse`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(path / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise DirectoryInUse(
                f"search.directory: {path} is in use by another process; an index has one writer: "
                "stop that process, or give this one a directory of its own"
            ) from None

    @property
    def opened(self) -> bool:
        """Whether it still belongs to this process."""
        return self._lock >= 0

    def current(self) -> Current | None:
        """The generation in use; None where there is none, or none that can be read."""
        try:
            current = Current(**json.loads((self._path / "CURRENT").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return current if self.place(current.generation).is_dir() else None

    def place(self, generation: str) -> Path:
        """The folder of a generation."""
        return self._path / generation

    def new_generation(self) -> str:
        """Make the folder of a generation that nobody uses yet."""
        name = _PREFIX + uuid.uuid4().hex
        self.place(name).mkdir()
        return name

    def switch(self, current: Current) -> None:
        """Use this generation from now on: in one step, durable on return."""
        scratch = self._path / "CURRENT.new"
        with scratch.open("w") as file:
            json.dump(asdict(current), file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path / "CURRENT")
        folder = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove_all_but(self, *generations: str) -> None:
        """Remove the folders of all other generations."""
        for folder in self._path.glob(f"{_PREFIX}*"):
            if folder.name not in generations:
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Let others open it. Idempotent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
