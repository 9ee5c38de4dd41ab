"""A client of the REST door that costs little itself: HTTP/1.1 over kept connections, the body read whole."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.feed.load import BadAnswer
from bench.world import PAGE, Person

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_TIMEOUT_S = 10.0


class RestClient:
    """Reads pages from ``host:port``, a connection for each call that is under way."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def page(self, reader: Person) -> bytes:
        """The first page's JSON. Raises :class:`BadAnswer` for anything but a 200."""
        async with asyncio.timeout(_TIMEOUT_S):
            source, sink = self._idle.pop() if self._idle else await asyncio.open_connection(*self._address)
            headers = f"host: bench\r\nauthorization: Bearer {reader.token}"
            sink.write(f"GET /v1/feed?pageSize={PAGE} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
            head = await source.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 200 ") or length is None:
                raise BadAnswer(f"GET /v1/feed answered {head.decode(errors='replace')}")
            body = await source.readexactly(int(length[1]))
            self._idle.append((source, sink))
            return body

    async def close(self) -> None:
        """End the kept connections."""
        for _, sink in self._idle:
            sink.close()
            await sink.wait_closed()


@asynccontextmanager
async def rest_client(host: str, port: int) -> AsyncIterator[RestClient]:
    """A client, closed at the end."""
    client = RestClient(host, port)
    try:
        yield client
    finally:
        await client.close()


def shown(page: bytes) -> list[str]:
    """The posts of a page as REST carries it."""
    return [item["post"]["postId"] for item in json.loads(page)["items"]]
