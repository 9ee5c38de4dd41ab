"""Serving: the registry of composed handlers, and the grpc.aio server in front of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from mesh import deadline
from mesh.errors import Problem
from mesh.rpc.call import Call
from mesh.rpc.chain import Chain, Handler
from mesh.rpc.method import Method, Shape, methods_of
from mesh.rpc.status import HTTP_STATUSES, to_status

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_CONCURRENT_CALLS = 2_000
_OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_metadata_size", 16 * 1024),
)


@dataclass
class Registry:
    """Every method this process serves, by path, with its handler behind the interceptors."""

    chain: Chain
    methods: dict[str, Method] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, service: ServiceDescriptor, servicer: object) -> None:
        """Serve a service. Raises where a method lacks a rule or the servicer lacks the method."""
        for path, method in methods_of(service).items():
            handler = getattr(servicer, method.name, None)
            if handler is None:
                raise NotImplementedError(f"{type(servicer).__name__} does not implement {path}")
            self.methods[path] = method
            self.handlers[path] = self.chain.compose(method, handler)
        self.services.add(service.full_name)


class Server:
    """A gRPC server over a registry, with health and (in development) reflection."""

    def __init__(self, registry: Registry, reflect: bool) -> None:
        self._registry = registry
        self._server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS)
        self._server.add_generic_rpc_handlers((_Router(registry),))
        self.health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        if reflect:
            names = (*sorted(registry.services), health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    def add(self, handler: grpc.GenericRpcHandler) -> None:
        """Serve something beside the registry: a protocol that is not ours (Envoy's ext_authz)."""
        self._server.add_generic_rpc_handlers((handler,))

    async def start(self, address: str) -> int:
        """Listen on ``host:port`` (0: any free one) and answer; the port. Raises OSError if taken."""
        try:
            port: int = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address} (gRPC): is the port taken?") from error
        await self._server.start()
        return port

    async def set_health(self, serving: bool, service: str = "") -> None:
        """Answer grpc.health.v1 checks truthfully."""
        status = health_pb2.HealthCheckResponse
        await self.health.set(service, status.SERVING if serving else status.NOT_SERVING)

    async def stop(self, grace_s: float) -> None:
        """Refuse new calls, let those under way finish, cut them off after ``grace_s`` seconds."""
        await self.health.enter_graceful_shutdown()
        self._registry.closing.set()
        await self._server.stop(grace_s)


def _serialize(message: Any) -> bytes:
    """Answers that a handler spliced together are bytes already."""
    return message if isinstance(message, bytes) else message.SerializeToString()


class _Router(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the handler of a path."""

    def __init__(self, registry: Registry) -> None:
        makers = {Shape.UNARY: _unary, Shape.SERVER_STREAM: _server_stream, Shape.CLIENT_STREAM: _client_stream}
        self._handlers = {path: makers[method.shape](registry, method) for path, method in registry.methods.items()}

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self._handlers.get(details.method)


def _call(registry: Registry, method: Method, context: Any) -> Call:
    metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
    left = context.time_remaining()
    return Call(method, metadata, None if left is None else deadline.early(left), registry.closing)


async def _refuse(context: Any, problem: Problem, call: Call) -> None:
    from_rest = "x-envoy-original-path" in call.metadata
    trailing = {}
    if problem.retry_after_ms is not None:
        trailing["retry-after"] = str(max(1, -(-problem.retry_after_ms // 1000)))
    if from_rest and problem.reason in HTTP_STATUSES:
        trailing["x-tintype-status"] = HTTP_STATUSES[problem.reason]
    status = rpc_status.to_status(to_status(problem, call.request_id, json_names=from_rest))
    await context.abort(status.code, status.details, (*status.trailing_metadata, *trailing.items()))


def _unary(registry: Registry, method: Method) -> grpc.RpcMethodHandler:
    handler = registry.handlers[method.path]

    async def behaviour(request: Any, context: Any) -> Any:
        call = _call(registry, method, context)
        try:
            answer = await handler(request, call)
        except Problem as problem:
            return await _refuse(context, problem, call)
        if call.reply_metadata:
            await context.send_initial_metadata(tuple(call.reply_metadata.items()))
        return answer

    return grpc.unary_unary_rpc_method_handler(behaviour, method.request_class.FromString, _serialize)


def _client_stream(registry: Registry, method: Method) -> grpc.RpcMethodHandler:
    handler = registry.handlers[method.path]

    async def behaviour(requests: AsyncIterator[Any], context: Any) -> Any:
        call = _call(registry, method, context)
        try:
            return await handler(requests, call)
        except Problem as problem:
            return await _refuse(context, problem, call)

    return grpc.stream_unary_rpc_method_handler(behaviour, method.request_class.FromString, _serialize)


def _server_stream(registry: Registry, method: Method) -> grpc.RpcMethodHandler:
    handler = registry.handlers[method.path]

    # Written, not yielded: gRPC leaves a generator whose reader has gone to the garbage collector, this closes it.
    async def behaviour(request: Any, context: Any) -> None:
        call = _call(registry, method, context)
        try:
            async with contextlib.aclosing(handler(request, call)) as messages:
                async for message in messages:
                    await context.write(message)
        except Problem as problem:
            await _refuse(context, problem, call)
        except grpc.aio.InternalError:  # the reader went away while it was being written to
            context.set_code(grpc.StatusCode.CANCELLED)

    return grpc.unary_stream_rpc_method_handler(behaviour, method.request_class.FromString, _serialize)
