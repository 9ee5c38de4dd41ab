"""Calling a service in another process, and telling what became of the call in our own words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
import structlog
from grpc_status import rpc_status

from mesh.auth.peers import PeerTokens
from mesh.errors import Code, Problem, exhausted, no_answer, unavailable
from mesh.rpc.method import Method
from mesh.rpc.outgoing import carried, seconds_away, span
from mesh.rpc.status import from_status, reason_of

_log = structlog.get_logger("rpc")


class RemoteChannel:
    """A stub's channel to another process."""

    def __init__(self, channel: grpc.aio.Channel, methods: Mapping[str, Method], peers: PeerTokens) -> None:
        self._channel = channel
        self._methods = methods
        self._peers = peers

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (*carried().items(), ("x-tintype-mesh", self._peers.token()))

    def unary_unary(self, path: str, *arguments: Any, **options: Any) -> Callable[..., Awaitable[Any]]:
        send = self._channel.unary_unary(path, *arguments, **options)
        method = self._methods[path]

        async def call(request: Any, timeout: float | None = None) -> Any:
            seconds = seconds_away(method, timeout)
            with span(method):
                try:
                    return await send(request, timeout=seconds, metadata=self._metadata())
                except grpc.aio.AioRpcError as error:
                    raise _problem(error, method) from None

        return call

    def stream_unary(self, path: str, *arguments: Any, **options: Any) -> Callable[..., Awaitable[Any]]:
        send = self._channel.stream_unary(path, *arguments, **options)
        method = self._methods[path]

        async def call(requests: AsyncIterator[Any], timeout: float | None = None) -> Any:
            seconds, source = seconds_away(method, timeout), _Source(requests)
            with span(method):
                try:
                    return await send(source.messages(), timeout=seconds, metadata=self._metadata())
                except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
                    if source.error is not None and not _being_cancelled():
                        raise source.error from None
                    if isinstance(error, asyncio.CancelledError):
                        raise
                    raise _problem(error, method) from None

        return call

    def unary_stream(self, path: str, *arguments: Any, **options: Any) -> Callable[..., AsyncIterator[Any]]:
        send = self._channel.unary_stream(path, *arguments, **options)
        method = self._methods[path]

        async def call(request: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            stream = send(request, timeout=seconds_away(method, timeout), metadata=self._metadata())
            try:
                async for message in stream:
                    yield message
            except grpc.aio.AioRpcError as error:
                raise _problem(error, method) from None
            finally:
                stream.cancel()

        return call


class _Source:
    """The messages of a client's stream. gRPC reads them in a task of its own and tells of an error
    there only that the call was cancelled; this keeps the error."""

    def __init__(self, requests: AsyncIterator[Any]) -> None:
        self._requests = requests
        self.error: Exception | None = None

    async def messages(self) -> AsyncIterator[Any]:
        try:
            async for message in self._requests:
                yield message
        except Exception as error:
            self.error = error
            raise


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _problem(error: grpc.aio.AioRpcError, method: Method) -> Problem:
    """The callee's Problem, or one that says what gRPC itself saw."""
    area = method.package.split(".")[1]
    status = rpc_status.from_call(error)
    if status is not None:
        problem = from_status(status)
        if problem.reason == "MESH_ONLY":  # ours to mend, and nothing that the user's client could change
            return unavailable(area, f"{area} refuses this process: {problem.message}")
        return problem
    code = Code(error.code().value[0])
    match code:
        case Code.UNAVAILABLE:
            return unavailable(area)
        case Code.UNIMPLEMENTED:
            return unavailable(area, f"{area} is not served where `addresses` says: see `targets` of that process")
        case Code.DEADLINE_EXCEEDED:
            return no_answer(area)
        case Code.RESOURCE_EXHAUSTED:
            return exhausted("OVERLOADED", f"{area} has too much to do; try again shortly", retry_after_ms=1000)
    _log.warning("call failed", method=method.path, code=code.name, details=error.details())
    return Problem(code, reason_of(code), f"the call of {area} failed with {code.name}")
