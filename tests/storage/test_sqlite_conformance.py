from __future__ import annotations

import pytest

from mesh.testing.storage_conformance import StorageConformance


class TestSqlite(StorageConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls, tmp_path_factory: pytest.TempPathFactory) -> str:
        return f"sqlite://{tmp_path_factory.mktemp('sqlite')}"
