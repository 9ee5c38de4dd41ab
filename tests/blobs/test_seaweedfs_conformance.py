"""The blob contract on SeaweedFS."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mesh.blobs.client import S3Options
from mesh.blobs.contract import BlobStore
from mesh.blobs.s3 import S3BlobStore
from mesh.testing.blob_conformance import BlobConformance, emptied
from stack.s3 import S3Server


class TestSeaweedFS(BlobConformance):
    @pytest.fixture
    async def store(self, s3: S3Server) -> AsyncIterator[BlobStore]:
        store = S3BlobStore(S3Options(s3.url, "conformance", s3.access_key, s3.secret_key))
        yield await emptied(store)
        await store.close()
