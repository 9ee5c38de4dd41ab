"""Calling: generated stubs over gRPC, or in process where callee and caller share one.

Either way a call carries on the user's token, the request id and the trace of the call being
served, takes what is left of its deadline, passes the callee's whole interceptor chain, and raises
:class:`~mesh.errors.Problem` and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from mesh.auth.peers import PeerTokens
from mesh.errors import unavailable
from mesh.rpc.call import Call, current
from mesh.rpc.method import Method, methods_of
from mesh.rpc.outgoing import seconds_for
from mesh.rpc.remote import RemoteChannel
from mesh.rpc.server import MAX_MESSAGE_BYTES, Registry

Stub = TypeVar("Stub")
_HEALTH_TIMEOUT_S = 1.0
_RECONNECTING = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 2_000))


class Channels:
    """Makes stubs. ``addresses`` maps an area (graph, media, …) to ``host:port`` where it is remote."""

    def __init__(self, name: str, registry: Registry, addresses: Mapping[str, str], peers: PeerTokens) -> None:
        self._name = name
        self._registry = registry
        self._addresses = addresses
        self._peers = peers
        self._open: dict[str, grpc.aio.Channel] = {}
        self.called: dict[str, set[str]] = {}
        """The areas that are called at each address of another process."""

    def stub(self, stub_class: Callable[[Any], Stub]) -> Stub:
        """A client of a service: in process where it is served here, else over gRPC."""
        service = service_of(stub_class)
        area = service.file.package.split(".")[1]
        if area not in self._addresses:
            return stub_class(_LocalChannel(self._name, self._registry, methods_of(service)))
        address = self._addresses[area]
        self.called.setdefault(address, set()).add(area)
        return stub_class(RemoteChannel(self._channel(service, address), methods_of(service), self._peers))

    def _channel(self, service: ServiceDescriptor, address: str) -> grpc.aio.Channel:
        if service.full_name not in self._open:
            self._open[service.full_name] = grpc.aio.insecure_channel(address, options=_options(service))
        return self._open[service.full_name]

    async def health(self, address: str) -> str:
        """Why the process at an address cannot be used just now; empty where it serves."""
        if address not in self._open:
            self._open[address] = grpc.aio.insecure_channel(address, options=_RECONNECTING)
        try:
            answer = await HealthStub(self._open[address]).Check(HealthCheckRequest(), timeout=_HEALTH_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            return f"{address} answers {error.code().name}"
        return "" if answer.status == HealthCheckResponse.SERVING else f"{address} is not serving"

    async def close(self) -> None:
        """Close every channel; calls under way are cancelled."""
        await asyncio.gather(*(channel.close() for channel in self._open.values()))


def service_of(stub_class: Any) -> ServiceDescriptor:
    """The service that a generated stub calls."""
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
        *_RECONNECTING,
    ]


class _LocalChannel:
    """A stub's channel to handlers of this process: no serialisation, the same interceptors."""

    def __init__(self, name: str, registry: Registry, methods: Mapping[str, Method]) -> None:
        self._name = name
        self._registry = registry
        self._methods = methods

    def _call(self, method: Method, timeout: float | None) -> Call:
        """The call as the callee sees it: of this peer, on behalf of the caller being served, who was verified here."""
        seconds, served = seconds_for(method, timeout), current.get()
        if served is None:
            return Call(method, {}, seconds, self._registry.closing, self._name)
        caller, request_id = served.caller, served.request_id
        return Call(method, served.metadata, seconds, self._registry.closing, self._name, request_id, caller)

    def unary_unary(self, path: str, *_: Any, **__: Any) -> Callable[..., Awaitable[Any]]:
        method, handlers = self._methods[path], self._registry.handlers

        async def call(request: Any, timeout: float | None = None) -> Any:
            handler = handlers.get(path) or _absent(method)
            answer = await handler(request, self._call(method, timeout))
            return method.response_class.FromString(answer) if isinstance(answer, bytes) else answer

        return call

    stream_unary = unary_unary

    def unary_stream(self, path: str, *_: Any, **__: Any) -> Callable[..., AsyncIterator[Any]]:
        method, handlers = self._methods[path], self._registry.handlers

        async def call(request: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            handler = handlers.get(path) or _absent(method)
            async with contextlib.aclosing(_own_context(handler(request, self._call(method, timeout)))) as messages:
                async for message in messages:
                    yield message

        return call


def _absent(method: Method) -> Any:
    raise unavailable(method.service, f"{method.service} is not among this process's targets")


async def _own_context(stream: Any) -> AsyncGenerator[Any, None]:
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
