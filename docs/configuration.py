"""Writes docs/configuration.md from the settings themselves: ``python docs/configuration.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from cli import configuration
from mesh.config import Settings

PAGE = Path(__file__).with_suffix(".md")
_HEAD = """# Configuration

Every key with its default. Written from the code by `python docs/configuration.py`.

Layers, later ones win: defaults; a TOML file (`tintype.toml` in the current folder, or the one that `TINTYPE_CONFIG`
names); environment variables (`TINTYPE_` and the key in capitals, two underscores for a dot: `TINTYPE_REDIS__URL`);
`--set key=value` of a command. A key that nobody declared is refused.

`tintype up` sets the addresses of the servers that it starts itself; the sections `redis` and `blobs` matter to
`tintype serve`.
"""
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def page() -> str:
    """The whole page."""
    sections = configuration.sections()
    tables = [_table("The whole", "", Settings.model_fields, skip_sections=True)]
    for name, field in Settings.model_fields.items():
        if _is_section(field.annotation):
            tables.append(_section(name, field.annotation))
    tables += [_section(name, section) for name, section in sections.items()]
    return _HEAD + "".join(tables)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _section(name: str, section: Any) -> str:
    purpose = (section.__doc__ or "").split("\n")[0]
    return _table(f"`{name}`", purpose, section.model_fields, prefix=f"{name}.")


def _table(
    title: str, purpose: str, fields: dict[str, FieldInfo], prefix: str = "", skip_sections: bool = False
) -> str:
    rows = [
        f"| `{prefix}{name}` | {_default(field)} | {_bounds(field)} | {field.description or ''} |"
        for name, field in fields.items()
        if not (skip_sections and _is_section(field.annotation))
    ]
    lines = [f"\n## {title}\n", *([f"{purpose}\n"] if purpose else [])]
    return "\n".join([*lines, "| key | default | range | meaning |", "|---|---|---|---|", *rows, ""])


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        return "secret" if value.get_secret_value() else "empty"
    if isinstance(value, BaseModel):
        return ", ".join(f"{key} {number}" for key, number in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`" if value else "empty"
    return f"`{value}`" if value not in (None, "", {}) else "empty"


def _bounds(field: FieldInfo) -> str:
    return ", ".join(_bound_texts(field))


def _bound_texts(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        for name, sign in _BOUNDS.items():
            if hasattr(bound, name):
                yield f"{sign} {getattr(bound, name):,}"


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.name} is written\n")
