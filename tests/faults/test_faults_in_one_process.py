"""Nothing acknowledged is lost or doubled when a process dies: all services in one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.distributed.installed import Installed, installed
from tests.faults.faults import Fault, survive

SAMPLE = (Fault("services"), Fault("redis", wipe=True), Fault("s3"))
REST = (Fault("redis"), Fault("envoy"))


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with installed(tmp_path_factory.mktemp("faults")) as installation:
        yield installation


@pytest.mark.parametrize("fault", SAMPLE, ids=str)
async def test_nothing_acknowledged_is_lost_or_doubled(installation: Installed, fault: Fault, seed: int) -> None:
    await survive(installation, fault, seed)


@pytest.mark.faults
@pytest.mark.parametrize("fault", REST, ids=str)
async def test_nor_when_the_rest_of_the_matrix_dies(installation: Installed, fault: Fault, seed: int) -> None:
    await survive(installation, fault, seed)
