"""Whether everything that the modules of a process call and hear is there: known before it serves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set

from mesh.config import ConfigError


class Wiring:
    """What the modules of a process asked for while they were built. ``elsewhere`` maps the areas of other processes
    to their addresses."""

    def __init__(self, elsewhere: Mapping[str, str]) -> None:
        self._elsewhere = elsewhere
        self.calls: dict[str, set[str]] = defaultdict(set)
        """Service (``tintype.graph.v1.GraphService``) → the modules that call it."""
        self.hears: dict[str, set[str]] = defaultdict(set)
        """Area → the modules that handle its events."""
        self.publishes: set[str] = set()
        """Areas whose events are published in this process."""

    def require(self, served: Set[str]) -> None:
        """Raise :class:`ConfigError` for every call and every event that would find nobody; ``served`` are the
        services of this process."""
        if missing := "\n".join([*self._unserved(served), *self._unpublished()]):
            raise ConfigError(missing)

    def _unserved(self, served: Set[str]) -> Iterator[str]:
        for service, callers in sorted(self.calls.items()):
            area = service.split(".")[1]
            if service not in served and area not in self._elsewhere:
                yield f"{_all(callers)} calls {service}, which this process does not serve: {_remedy(area)}"

    def _unpublished(self) -> Iterator[str]:
        for area, hearers in sorted(self.hears.items()):
            if area not in self.publishes and area not in self._elsewhere:
                yield f"{_all(hearers)} hears events of {area}, which nobody here publishes: {_remedy(area)}"


def _all(modules: Set[str]) -> str:
    return " and ".join(sorted(modules))


def _remedy(area: str) -> str:
    return f"add the target {area}, or say where it runs by addresses.{area}"
