"""SystemService: limits, health, the OpenAPI document and the API explorer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping

from google.api import httpbody_pb2
from tintype.edge.v1 import system_pb2

from edge.explorer import page
from edge.limits import limits
from edge.openapi import document
from mesh.config import Settings
from mesh.errors import not_found
from mesh.rpc.call import Call

_CHUNK_BYTES = 256 * 1024


class SystemServer:
    """SystemService."""

    def __init__(
        self, settings: Settings, unwell: Callable[[], Mapping[str, str]], degraded: Callable[[], Mapping[str, str]]
    ) -> None:
        self._settings = settings
        self._unwell, self._degraded = unwell, degraded
        self._openapi = json.dumps(document(), ensure_ascii=False).encode()

    async def GetLimits(self, request: system_pb2.GetLimitsRequest, call: Call) -> system_pb2.GetLimitsResponse:
        return system_pb2.GetLimitsResponse(limits=limits(self._settings))

    async def GetHealth(self, request: system_pb2.GetHealthRequest, call: Call) -> system_pb2.GetHealthResponse:
        unwell = self._unwell()
        return system_pb2.GetHealthResponse(serving=not unwell, problems={**self._degraded(), **unwell})

    async def GetOpenApi(self, request: system_pb2.GetOpenApiRequest, call: Call) -> httpbody_pb2.HttpBody:
        return httpbody_pb2.HttpBody(content_type="application/json", data=self._openapi)

    async def GetDocs(self, request: system_pb2.GetDocsRequest, call: Call) -> AsyncIterator[httpbody_pb2.HttpBody]:
        found = page(request.file)
        if found is None:
            raise not_found("METHOD_NOT_FOUND", "the API explorer has no such file: open /docs")
        content_type, content = found
        for start in range(0, len(content), _CHUNK_BYTES):
            yield httpbody_pb2.HttpBody(content_type=content_type, data=content[start : start + _CHUNK_BYTES])
