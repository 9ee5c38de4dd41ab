"""The control: a bare grpc.aio server that answers every call with the same bytes."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc

PATH = "/bench.Echo/Get"


class _Echo(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, answer: bytes) -> None:
        async def get(request: bytes, context: Any) -> bytes:
            return answer

        self._handler = grpc.unary_unary_rpc_method_handler(get)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self._handler if details.method == PATH else None


async def serve(port: int, size: int) -> None:
    """Answer with ``size`` bytes until the process is killed."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    server.add_generic_rpc_handlers((_Echo(b"x" * size),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("serving", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
