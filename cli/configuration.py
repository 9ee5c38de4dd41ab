"""Reading the configuration for a command: file, environment and flags, with every module's section."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer

from cli.modules import modules
from mesh import config
from stack.section import StackSection


def sections() -> dict[str, Any]:
    """The sections that modules and the local stack add."""
    return {"stack": StackSection, **{module.name: module.config for module in modules() if module.config}}


def as_variables(pairs: list[str] | None) -> dict[str, str]:
    """--set flags as the environment variables that say the same to a child process."""
    return {f"TINTYPE_{key.upper().replace('.', '__')}": value for key, value in _flags(pairs).items()}


def _flags(pairs: list[str] | None) -> dict[str, str]:
    flags = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set {pair}: write key=value")
        flags[key] = value
    return flags


def gateway(given: str | None, settings: Any = None) -> str:
    """host:port of the gateway to talk to: the one given, else this installation's."""
    return given or f"127.0.0.1:{(settings or load()).stack.gateway_port}"


def load(pairs: list[str] | None = None) -> Any:
    """The settings in force. A wrong one ends the command with a line for each bad key."""
    flags = _flags(pairs)
    toml = os.environ.get("TINTYPE_CONFIG") or ("tintype.toml" if Path("tintype.toml").exists() else None)
    try:
        return config.load(sections(), Path(toml) if toml else None, flags)
    except config.ConfigError as error:
        typer.secho(f"configuration: {error}", fg="red", err=True)
        raise typer.Exit(2) from None
