"""docker-compose.yml with what it asks of its environment filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def compose_file(given: dict[str, str]) -> Any:
    """The whole file; a variable that is neither given nor has a default fails the test."""

    def value(match: re.Match[str]) -> str:
        name, kind, default = match.groups()
        return given.get(name) or (
            default if kind == "-" else pytest.fail(f"${{{name}}} has no default and is not asked for")
        )

    def interpolated(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: interpolated(inner) for key, inner in part.items()}
        if isinstance(part, list):
            return [interpolated(inner) for inner in part]
        return _VARIABLE.sub(value, part) if isinstance(part, str) else part

    return interpolated(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))
