"""One connection to Redis: requests out, answers back in order.

redis-py reads its addresses and options; the bytes go through hiredis, Redis's own parser, straight
from the event loop: redis-py's connection costs several times as much for a small answer
(docs/adr/0018-hiredis-in-the-cache.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import hiredis
from redis.asyncio.connection import AbstractConnection, SSLConnection, parse_url
from redis.asyncio.connection import Connection as TcpSettings

from mesh.cache.errors import CacheError, CacheRefused, CacheUnavailable, from_answer

Argument: TypeAlias = bytes | str | int | float
Command: TypeAlias = Sequence[Argument]
_pack: Callable[[tuple[Argument, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]  # its stub says one item


@dataclass(frozen=True)
class CacheOptions:
    """``url`` is ``redis://[user:password@]host:port/db``, ``rediss://…`` or ``unix:///path``.

    ``seconds`` bounds one pipeline, and so a call with its wait for the pipeline before; a caller's sooner
    deadline holds too. ``max_queue`` and ``max_queue_bytes`` bound what waits while a pipeline is under
    way, ``max_pipeline`` the calls sent together.
    """

    url: str = field(repr=False)
    seconds: float = 0.5
    max_queue: int = 10_000
    max_queue_bytes: int = 64 * 1024 * 1024
    max_pipeline: int = 512


@dataclass(slots=True, eq=False)
class Request:
    """Commands that go out together, and the answers that came so far. An error that Redis answered
    to one of them stands in its place."""

    packed: bytes
    answers: int
    done: asyncio.Future[list[Any]]
    received: list[Any] = field(default_factory=list)

    def fail(self, reason: str) -> None:
        """It will not be answered, though it may be done."""
        if not self.done.done():
            self.done.set_exception(CacheUnavailable(reason))


def request(commands: Sequence[Command]) -> Request:
    """A request of these commands. Raises :class:`CacheRefused` for arguments that are no bytes, str, int or float."""
    try:
        packed = b"".join([_pack(tuple(command)) for command in commands])
    except TypeError as error:
        raise CacheRefused(f"{error} Refused: {[command[0] for command in commands][:5]}") from error
    return Request(packed, len(commands), asyncio.get_running_loop().create_future())


class Connection(asyncio.Protocol):
    """An open connection, made by :func:`connect`. ``answered`` is called whenever nothing is due any
    more, ``lost`` once, with the reason, when the connection ended."""

    def __init__(self, answered: Callable[[], None], lost: Callable[[Connection, str], None]) -> None:
        self._answered, self._lost = answered, lost
        self._due: deque[Request] = deque()
        self._reader = hiredis.Reader(replyError=from_answer)
        self._transport: asyncio.Transport | None = None

    @property
    def busy(self) -> bool:
        """Whether answers are due."""
        return bool(self._due)

    def send(self, requests: Sequence[Request]) -> None:
        """Send these; their futures get the answers, or :class:`CacheUnavailable`."""
        if self._transport is None:
            for each in requests:
                each.fail("Redis is away: the connection is closed")
            return
        self._due.extend(requests)
        self._transport.write(b"".join([each.packed for each in requests]))

    def close(self, reason: str) -> None:
        """Hang up and fail what is due. Idempotent."""
        if self._transport is not None:
            self._transport.abort()
        self._end(reason)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            self._deliver()
        except hiredis.ProtocolError as error:
            self.close(f"what answers is no Redis: {error}")

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"Redis is away: {error or 'it hung up'}")

    def _deliver(self) -> None:
        due, next_answer = self._due, self._reader.gets
        while due:
            answer = next_answer()
            if answer is False:  # not whole yet; RESP2 has no booleans of its own
                return
            first = due[0]
            first.received.append(answer)
            if len(first.received) == first.answers:
                due.popleft()
                if not first.done.done():
                    first.done.set_result(first.received)
        self._answered()

    def _end(self, reason: str) -> None:
        if self._transport is not None:
            self._transport = None
            while self._due:
                self._due.popleft().fail(reason)
            self._lost(self, reason)


def settings_of(options: CacheOptions) -> AbstractConnection:
    """What the URL says, as redis-py reads it; never connected."""
    try:
        settings: dict[str, Any] = dict(parse_url(options.url))
    except ValueError as error:
        raise CacheRefused(f"Redis URL: {error}") from error
    kind = settings.pop("connection_class", TcpSettings)
    connection: AbstractConnection = kind(**settings)
    return connection


async def connect(settings: Any, connection: Connection) -> None:
    """Open ``connection`` to a Redis that answers. Raises OSError and :class:`CacheError`; bounded by its caller."""
    loop = asyncio.get_running_loop()
    if hasattr(settings, "path"):
        await loop.create_unix_connection(lambda: connection, settings.path)
    else:
        tls = settings.ssl_context.get() if isinstance(settings, SSLConnection) else None
        await loop.create_connection(lambda: connection, settings.host, settings.port, ssl=tls)
    try:
        await _greet(settings, connection)
    except BaseException:
        connection.close("Redis did not greet")
        raise


async def _greet(settings: Any, connection: Connection) -> None:
    commands: list[Command] = []
    if settings.password:
        commands.append(("AUTH", *filter(None, (settings.username, settings.password))))
    if settings.db:
        commands.append(("SELECT", settings.db))
    greeting = request([*commands, ("PING",)])
    connection.send([greeting])
    for answer in await greeting.done:
        if isinstance(answer, CacheError):
            raise answer
