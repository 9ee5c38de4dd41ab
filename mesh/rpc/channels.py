"""Calling: generated stubs over gRPC, or in process where callee and caller share one.

Either way a call carries on the user's token, the request id and the trace of the call being
served, takes what is left of its deadline, passes the callee's whole interceptor chain, and raises
:class:`~mesh.errors.Problem` and nothing else.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_status import rpc_status
from opentelemetry import propagate, trace

from mesh import deadline
from mesh.auth.peers import PeerTokens
from mesh.errors import Code, Problem, unavailable
from mesh.rpc.call import Call, current
from mesh.rpc.method import Method, methods_of
from mesh.rpc.server import MAX_MESSAGE_BYTES, Registry
from mesh.rpc.status import from_status, reason_of

Stub = TypeVar("Stub")
_CARRIED = ("authorization", "x-request-id")


def _carried() -> dict[str, str]:
    """Metadata that travels from the call being served to the calls its handler makes."""
    call = current.get()
    metadata = {key: call.metadata[key] for key in _CARRIED if key in call.metadata} if call else {}
    if call and call.request_id:
        metadata["x-request-id"] = call.request_id
    if trace.get_current_span().get_span_context().is_valid:
        propagate.inject(metadata)
    return metadata


def _seconds(method: Method, timeout: float | None) -> float | None:
    wanted = timeout if timeout is not None else method.timeout_s
    if wanted is None:
        return deadline.remaining()
    return deadline.within(wanted)


class Channels:
    """Makes stubs. ``addresses`` maps an area (graph, media, …) to ``host:port`` where it is remote."""

    def __init__(self, name: str, registry: Registry, addresses: Mapping[str, str], peers: PeerTokens) -> None:
        self._name = name
        self._registry = registry
        self._addresses = addresses
        self._peers = peers
        self._open: dict[str, grpc.aio.Channel] = {}

    def stub(self, stub_class: Callable[[Any], Stub]) -> Stub:
        """A client of a service: in process where it is served here, else over gRPC."""
        service = _service_of(stub_class)
        area = service.file.package.split(".")[1]
        if area not in self._addresses:
            return stub_class(_LocalChannel(self._name, self._registry, methods_of(service)))
        return stub_class(
            _RemoteChannel(self._channel(service, self._addresses[area]), methods_of(service), self._peers)
        )

    def _channel(self, service: ServiceDescriptor, address: str) -> grpc.aio.Channel:
        if service.full_name not in self._open:
            self._open[service.full_name] = grpc.aio.insecure_channel(address, options=_options(service))
        return self._open[service.full_name]

    async def close(self) -> None:
        """Close every channel; calls under way are cancelled."""
        await asyncio.gather(*(channel.close() for channel in self._open.values()))


def _service_of(stub_class: Any) -> ServiceDescriptor:
    module = sys.modules[stub_class.__module__.removesuffix("_grpc")]
    service: ServiceDescriptor = module.DESCRIPTOR.services_by_name[stub_class.__name__.removesuffix("Stub")]
    return service


def _options(service: ServiceDescriptor) -> list[tuple[str, Any]]:
    """Keepalive, limits, and retries for the methods whose rule allows them, under a budget (gRFC A6)."""
    retryable = [method for method in methods_of(service).values() if method.retryable]
    config = {
        "methodConfig": [
            {
                "name": [{"service": method.service, "method": method.name} for method in retryable],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1},
        "loadBalancingConfig": [{"round_robin": {}}],
    }
    return [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
    ]


class _LocalChannel:
    """A stub's channel to handlers of this process: no serialisation, the same interceptors."""

    def __init__(self, name: str, registry: Registry, methods: Mapping[str, Method]) -> None:
        self._name = name
        self._registry = registry
        self._methods = methods

    def _call(self, method: Method, timeout: float | None) -> Call:
        seconds = _seconds(method, timeout)
        return Call(method, _carried(), seconds, self._registry.closing, peer=self._name)

    def unary_unary(self, path: str, *_: Any, **__: Any) -> Callable[..., Awaitable[Any]]:
        method, handlers = self._methods[path], self._registry.handlers

        async def call(request: Any, timeout: float | None = None) -> Any:
            try:
                handler = handlers[path]
            except KeyError:
                raise unavailable(method.service, f"{method.service} is not among this process's targets") from None
            answer = await handler(request, self._call(method, timeout))
            return method.response_class.FromString(answer) if isinstance(answer, bytes) else answer

        return call

    stream_unary = unary_unary

    def unary_stream(self, path: str, *_: Any, **__: Any) -> Callable[..., AsyncIterator[Any]]:
        method, handlers = self._methods[path], self._registry.handlers

        def call(request: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            return _own_context(handlers[path](request, self._call(method, timeout)))

        return call


async def _own_context(stream: Any) -> AsyncIterator[Any]:
    """Drive a stream in a context of its own, so that its call and deadline never become the consumer's."""
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()

    async def step() -> Any:
        return await anext(stream, _END)

    try:
        while (message := await loop.create_task(step(), context=context)) is not _END:
            yield message
    finally:
        await loop.create_task(stream.aclose(), context=context)


_END = object()


class _RemoteChannel:
    """A stub's channel to another process."""

    def __init__(self, channel: grpc.aio.Channel, methods: Mapping[str, Method], peers: PeerTokens) -> None:
        self._channel = channel
        self._methods = methods
        self._peers = peers

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (*_carried().items(), ("x-tintype-mesh", self._peers.token()))

    def unary_unary(self, path: str, *arguments: Any, **options: Any) -> Callable[..., Awaitable[Any]]:
        return self._single(self._channel.unary_unary(path, *arguments, **options), self._methods[path])

    def stream_unary(self, path: str, *arguments: Any, **options: Any) -> Callable[..., Awaitable[Any]]:
        return self._single(self._channel.stream_unary(path, *arguments, **options), self._methods[path])

    def _single(self, send: Any, method: Method) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, timeout: float | None = None) -> Any:
            seconds = _seconds(method, timeout)
            try:
                return await send(request, timeout=seconds, metadata=self._metadata())
            except grpc.aio.AioRpcError as error:
                raise _problem(error) from None

        return call

    def unary_stream(self, path: str, *arguments: Any, **options: Any) -> Callable[..., AsyncIterator[Any]]:
        send = self._channel.unary_stream(path, *arguments, **options)
        method = self._methods[path]

        async def call(request: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            stream = send(request, timeout=_seconds(method, timeout), metadata=self._metadata())
            try:
                async for message in stream:
                    yield message
            except grpc.aio.AioRpcError as error:
                raise _problem(error) from None
            finally:
                stream.cancel()

        return call


def _problem(error: grpc.aio.AioRpcError) -> Problem:
    """The callee's Problem, or one that says what gRPC itself saw."""
    status = rpc_status.from_call(error)
    if status is not None:
        return from_status(status)
    code = Code(error.code().value[0])
    retry = 1000 if code is Code.UNAVAILABLE else None
    message = error.details() or f"the call failed with {code.name}"
    return Problem(code, reason_of(code), message, retry_after_ms=retry)
