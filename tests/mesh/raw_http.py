"""HTTP/1.1 by hand: what no well-behaved client sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any

_CHUNK = bytes(64 * 1024)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    sent: int
    """Bytes of the request's body that were sent before the answer came."""

    def json(self) -> Any:
        return json.loads(self.body)


async def raw(address: str, head: str, body_bytes: int = 0, first: bytes = b"", within_s: float = 20) -> Answer:
    """The answer to a request whose head is given as lines; a body follows until it comes.

    The body is ``first`` and then zeros, ``body_bytes`` in all.
    """
    host, port = address.rsplit(":", 1)
    async with asyncio.timeout(within_s):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            answering = asyncio.create_task(_answer(reader))
            writer.write("\r\n".join([*head.strip().splitlines(), "", ""]).encode() + first)
            sending = asyncio.create_task(_send(writer, body_bytes - len(first)))
            status, headers, body = await answering
            sending.cancel()
            [sent] = await asyncio.gather(sending, return_exceptions=True)
            return Answer(status, headers, body, len(first) + (sent if isinstance(sent, int) else 0))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))


async def _send(writer: asyncio.StreamWriter, wanted: int) -> int:
    """Send zeros until told to stop; how many went out."""
    sent = 0
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await writer.drain()
        while sent < wanted:
            writer.write(_CHUNK[: wanted - sent])
            await writer.drain()
            sent += min(len(_CHUNK), wanted - sent)
    return sent
