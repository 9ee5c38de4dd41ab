"""Lua scripts that run on Redis in one step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Script:
    """A named script. Declare it once, at import, and run it with :meth:`mesh.cache.client.Cache.run`.

    Everything it touches comes in KEYS, all with one hash tag. Keep it under 2 ms: Redis serves
    nobody else meanwhile.
    """

    name: str
    text: str = field(repr=False)
    sha1: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha1", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())
