"""Nothing acknowledged is lost or doubled when a process dies: each service in one of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.distributed.installed import APART, Installed, installed
from tests.faults.faults import Fault, survive


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with installed(tmp_path_factory.mktemp("spread"), APART) as installation:
        yield installation


@pytest.mark.faults
@pytest.mark.parametrize("fault", [Fault(target) for target in APART], ids=str)
async def test_nothing_acknowledged_is_lost_or_doubled(installation: Installed, fault: Fault, seed: int) -> None:
    await survive(installation, fault, seed)
