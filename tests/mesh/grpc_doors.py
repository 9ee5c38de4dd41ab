"""Calling over gRPC, and over gRPC-Web with frames made by hand."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.mesh.mesh_client import Person

WEB = "application/grpc-web+proto"


class Grpc:
    """Stubs of the public API by service name, as one person."""

    def __init__(self, channel: grpc.aio.Channel, who: Person | None = None) -> None:
        self._channel = channel
        self._metadata = who.metadata if who else ()

    def as_(self, who: Person) -> Grpc:
        return Grpc(self._channel, who)

    async def call(self, stub: Any, method: str, request: Any) -> Any:
        return await getattr(stub(self._channel), method)(request, timeout=15, metadata=self._metadata)

    def stream(self, stub: Any, method: str, request: Any) -> Any:
        return getattr(stub(self._channel), method)(request, timeout=30, metadata=self._metadata)


async def grpc_refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    """Code and reason of a call that must fail, with a google.rpc.Status that has exactly one ErrorInfo."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    error = raised.value
    status = rpc_status.from_call(error)
    assert status is not None, error
    assert status.message
    [packed] = [detail for detail in status.details if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    info = error_details_pb2.ErrorInfo.FromString(packed.value)
    assert info.domain == "tintype"
    return error.code(), info.reason


class Web:
    """gRPC-Web as a browser speaks it, over HTTP/1.1."""

    def __init__(self, http: httpx.AsyncClient, who: Person | None = None) -> None:
        self._http = http
        self._headers = {"content-type": WEB, "x-grpc-web": "1", **(who.bearer if who else {})}

    async def call(self, module: ModuleType, service: str, method: str, request: Any, answer: Any) -> Any:
        """The one message of an answer whose trailer says OK."""
        path, content = _path(module, service, method), framed(request.SerializeToString())
        raw = (await self._http.post(path, headers=self._headers, content=content)).content
        frames = list(unframed(raw))
        assert [kind for kind, _ in frames] == [0, 128], raw
        assert b"grpc-status:0" in frames[1][1], frames[1]
        return answer.FromString(frames[0][1])

    @asynccontextmanager
    async def stream(
        self, module: ModuleType, service: str, method: str, request: Any, answer: Any
    ) -> AsyncIterator[AsyncIterator[Any]]:
        path, content = _path(module, service, method), framed(request.SerializeToString())
        async with self._http.stream("POST", path, headers=self._headers, content=content) as response:
            assert response.headers["content-type"] == WEB
            yield _messages(response, answer)


async def _messages(response: httpx.Response, answer: Any) -> AsyncIterator[Any]:
    waiting = b""
    async for chunk in response.aiter_bytes():
        waiting += chunk
        while len(waiting) >= 5 and len(waiting) >= 5 + (size := struct.unpack(">I", waiting[1:5])[0]):
            if waiting[0] == 0:
                yield answer.FromString(waiting[5 : 5 + size])
            waiting = waiting[5 + size :]


def _path(module: ModuleType, service: str, method: str) -> str:
    return f"/{module.DESCRIPTOR.services_by_name[service].full_name}/{method}"


def framed(message: bytes) -> bytes:
    return struct.pack(">BI", 0, len(message)) + message


def unframed(raw: bytes) -> Any:
    while raw:
        kind, size = struct.unpack(">BI", raw[:5])
        yield kind, raw[5 : 5 + size]
        raw = raw[5 + size :]
