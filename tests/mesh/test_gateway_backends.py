"""What reaches the servers behind the gateway: writes once, and no credential of a client at the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from tests.mesh.mesh_client import Person, Rest, image_url

GatewayTo = Callable[..., Awaitable[str]]
WRITES = (("POST", "/v1/accounts", {}), ("PUT", "/v1/me/following/@nobody", None), ("DELETE", "/v1/posts/1", None))


class DyingEdge(grpc.GenericRpcHandler):  # type: ignore[misc]
    """An edge behind a plain relay: it counts its calls and ends each by losing the connection, or says that it is
    away."""

    def __init__(self, losing: bool) -> None:
        self.calls: Counter[str] = Counter()
        self._losing = losing
        self._relayed: set[asyncio.StreamWriter] = set()

    async def start(self) -> str:
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers((self,))
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        self._relay = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"127.0.0.1:{self._relay.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._lose()
        self._relay.close()
        await self._server.stop(0)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        async def end(_: bytes, context: Any) -> None:
            self.calls[details.method.rpartition("/")[2]] += 1
            if self._losing:
                self._lose()
            await context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

        return grpc.unary_unary_rpc_method_handler(end)

    def _lose(self) -> None:
        for writer in self._relayed:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._relayed |= {writer, back_writer}
        await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer), return_exceptions=True)
        self._relayed -= {writer, back_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@pytest.fixture(params=[True, False], ids=["connection lost", "UNAVAILABLE"])
async def dying(request: pytest.FixtureRequest) -> AsyncIterator[tuple[DyingEdge, str]]:
    edge = DyingEdge(request.param)
    address = await edge.start()
    yield edge, address
    await edge.stop()


async def test_a_write_that_the_edge_dies_of_is_not_repeated_and_a_read_is(
    dying: tuple[DyingEdge, str], gateway_to: GatewayTo, ana: Person
) -> None:
    edge, address = dying
    async with Rest(await gateway_to(edge=address)) as rest:
        for verb, path, body in WRITES:
            answer = await rest.ask(verb, path, ana, json=body)
            assert answer.status_code == 503, answer.text
        assert edge.calls == {"Register": 1, "Follow": 1, "DeletePost": 1}
        await rest.ask("GET", "/v1/limits")
        assert edge.calls["GetLimits"] > 1


@pytest.fixture
async def store() -> AsyncIterator[tuple[str, list[str]]]:
    """A store that answers everything, and the heads of what it was asked."""
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    server.close()


async def test_the_store_sees_no_credential_of_the_client(
    store: tuple[str, list[str]], gateway_to: GatewayTo, rest: Rest
) -> None:
    address, heads = store
    person = await rest.register("eve")
    path = image_url(await rest.publish(person)).removeprefix(rest.url)
    secrets = {"authorization": "Bearer my-token", "cookie": "session=my-cookie", "x-amz-security-token": "my-amz"}
    async with Rest(await gateway_to(s3=address)) as gateway:
        answer = await gateway.ask("GET", path, headers=secrets)
        assert (answer.status_code, answer.text) == (200, "ok")
    [head] = heads
    assert "authorization: aws4-hmac-sha256" in head
    assert not [line for line in head.splitlines() if "my-" in line or line.startswith("cookie:")]
