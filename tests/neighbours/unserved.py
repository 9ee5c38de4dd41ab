"""What a neighbour that stands in for a service does not serve."""

from __future__ import annotations

from typing import Any


class Unserved:
    """Every RPC that a subclass does not define fails the test that calls it."""

    def __getattr__(self, name: str) -> Any:
        async def refuse(request: Any, call: Any) -> Any:
            raise AssertionError(f"{name} is not served here")

        if name[0].isupper():
            return refuse
        raise AttributeError(name)
