"""Configuration of the servers that `make up` starts on one machine."""

from __future__ import annotations

from pydantic import Field

from mesh.config import Section


class StackSection(Section):
    """Ports of the embedded form; all on loopback but the gateway's."""

    host: str = Field("127.0.0.1", description="address that the gateway listens on; 0.0.0.0: reachable from outside")
    gateway_port: int = Field(8080, ge=1, le=65535, description="REST, gRPC and gRPC-Web")
    admin_port: int = Field(9901, ge=1, le=65535, description="Envoy's own admin interface")
    grpc_port: int = Field(9090, ge=1, le=65535, description="the services, behind the gateway")
    redis_port: int = Field(6390, ge=1, le=65535)
    s3_port: int = Field(8333, ge=1, le=55535, description="the S3 store; it takes this port + 10000 as well")
    metrics_port: int = Field(9464, ge=0, le=65535, description="Prometheus metrics; 0: none")
    spread: bool = Field(False, description="each service in a process of its own, on the ports after grpc_port")
    cassandra: bool = Field(False, description="keep facts in a real Cassandra (JDK 17 and Maven) instead of SQLite")
    cassandra_nodes: int = Field(1, ge=1, le=3, description="its nodes; with three it goes on when one is away")
