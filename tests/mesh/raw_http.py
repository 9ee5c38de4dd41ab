"""HTTP/1.1 by hand: what no well-behaved client sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

CHUNK = 64 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    sent: int
    """Bytes of the body that were sent before the answer came."""

    def json(self) -> Any:
        return json.loads(self.body)


async def raw(address: str, head: str, body_bytes: int = 0, within_s: float = 20, first: bytes = b"") -> Answer:
    """The answer to a request whose head is given as lines; a body follows until it comes.

    The body is ``first`` and then zeros, ``body_bytes`` in all.
    """
    host, port = address.rsplit(":", 1)
    async with asyncio.timeout(within_s):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write("\r\n".join([*head.strip().splitlines(), "", ""]).encode() + first)
            await writer.drain()
            answering = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
            sent = await _send(writer, body_bytes - len(first), answering)
            lines = (await answering).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            return Answer(int(lines[0].split()[1]), headers, body, sent)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _send(writer: asyncio.StreamWriter, wanted: int, answering: asyncio.Task[bytes]) -> int:
    sent = 0
    async for size in _chunks(wanted):
        if answering.done():
            break
        try:
            writer.write(bytes(size))
            await writer.drain()
        except OSError:
            break
        sent += size
        await asyncio.sleep(0)
    return sent


async def _chunks(wanted: int) -> AsyncIterator[int]:
    while wanted > 0:
        yield min(CHUNK, wanted)
        wanted -= CHUNK
