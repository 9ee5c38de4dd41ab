"""Whether the server in this container serves: exit 0, or 1 with the reason. For health checks."""

from __future__ import annotations

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_TIMEOUT_S = 3


def main() -> int:
    """Ask grpc.health.v1 on the port that this container listens on."""
    port = os.environ.get("TINTYPE_GRPC_ADDRESS", "127.0.0.1:9090").rpartition(":")[2]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            sys.stderr.write(f"no answer on port {port}: {error.code().name}\n")
            return 1
    state = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    sys.stdout.write(f"{state}\n")
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main())
