"""One connection to Redis, made as the options say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from mesh.cache.errors import CacheRefused


@dataclass(frozen=True)
class CacheOptions:
    """``url`` is ``redis://[user:password@]host:port/db``, ``rediss://…`` or ``unix:///path``.

    ``seconds`` bounds one call with its wait in the queue, and one pipeline. ``max_queue`` and
    ``max_queue_bytes`` bound what waits while a pipeline is under way, ``max_pipeline`` the calls sent
    together.
    """

    url: str = field(repr=False)
    seconds: float = 0.5
    max_queue: int = 10_000
    max_queue_bytes: int = 64 * 1024 * 1024
    max_pipeline: int = 512


def new_connection(options: CacheOptions) -> AbstractConnection:
    """A connection that is not open yet, retries nothing and sets no time limits: its owner does."""
    try:
        settings: dict[str, Any] = dict(parse_url(options.url))
    except ValueError as error:
        raise CacheRefused(f"Redis URL: {error}") from error
    kind = settings.pop("connection_class", Connection)
    connection: AbstractConnection = kind(
        **settings,
        protocol=2,  # the same shape of answers from every server
        decode_responses=False,
        socket_timeout=None,
        socket_connect_timeout=options.seconds,
        retry=Retry(NoBackoff(), 0),
    )
    return connection


async def read_answer(connection: AbstractConnection) -> Any:
    """The next answer; an error that Redis answered is returned, not raised: the connection is in order."""
    try:
        return await connection.read_response(disable_decoding=True)
    except ResponseError as error:
        return error


async def open_connection(connection: AbstractConnection) -> bool:
    """Connect unless connected; whether a new connection was made.

    Anything to read on an idle connection means that it is of no use: the server hung up.
    """
    if connection.is_connected and await connection.can_read():
        await connection.disconnect(nowait=True)
    if connection.is_connected:
        return False
    await connection.connect()  # type: ignore[no-untyped-call]
    return True
