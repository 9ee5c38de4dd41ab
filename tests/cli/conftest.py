"""One real installation for the commands, with a world of four people and three photographs."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from cli import configuration
from cli.demo.world import World
from stack.installation import Installation
from tests.cli.tintype_command import Said, installation_environment, tintype

PEOPLE, PHOTOS = 4, 3


@dataclass
class House:
    """A running installation, and what was said while its world was made."""

    installation: Installation
    env: dict[str, str]
    said: str

    @property
    def gateway(self) -> str:
        return f"127.0.0.1:{self.installation.section.gateway_port}"


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    state = tmp_path_factory.mktemp("house")
    env = installation_environment(state)
    with pytest.MonkeyPatch.context() as patch:  # while it is read only: other tests read theirs
        for name, value in env.items():
            patch.setenv(name, value)
        settings = configuration.load()
    installation = Installation(settings, settings.stack, lambda _: None, lambda _: None, variables=env)
    asyncio.run(installation.start())
    try:
        said = io.StringIO()
        house = House(installation, env, "")
        world = World(house.gateway, Console(file=said), PEOPLE, PHOTOS)
        assert asyncio.run(world.fill())
        house.said = said.getvalue()
        yield house
    finally:
        asyncio.run(installation.stop())


@pytest.fixture
def run(house: House, tmp_path: Path) -> Callable[..., Said]:
    """Run a command beside the installation."""

    def run(*arguments: str, **env: str) -> Said:
        return tintype(*arguments, env=house.env | env, cwd=tmp_path)

    return run
