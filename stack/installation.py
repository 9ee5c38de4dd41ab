"""A whole Tintype on one machine: every server started in order, watched, and stopped in reverse."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway import GatewayOptions, render
from mesh.auth.keys import KeyRing, jwks_path
from mesh.clock import SystemClock
from mesh.config import Settings
from mesh.rpc.contracts import DESCRIPTORS
from stack.cassandra import CassandraCluster
from stack.envoy import EnvoyServer, envoy_server
from stack.placement import TOGETHER, Place, environment, places
from stack.ports import require_free
from stack.process import LogLine, Process, ProcessFailed
from stack.redis import RedisServer, redis_server
from stack.s3 import S3Server, s3_server
from stack.section import StackSection

Say = Callable[[str], None]
_DAY_MS = 86_400_000
_START_SECONDS = 330.0
"""Longer than the services give themselves, so that it is they who say what is missing."""
_WATCH_SECONDS = 0.25
_RESTARTS = 5


class Installation:
    """Redis, the S3 store, the services and the gateway, with data in ``settings.state_dir``.

    ``services_log`` receives the services' log lines; the others log to files in ``state_dir/logs``.
    ``targets`` run in a process each; ``all`` is one process with every module in it. ``variables`` are
    environment variables that the services see beside this process's own.
    """

    def __init__(
        self,
        settings: Settings,
        section: StackSection,
        services_log: LogLine,
        say: Say,
        targets: Sequence[str] = TOGETHER,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.section = section
        self.state_dir = settings.state_dir.resolve()
        self.url = f"http://127.0.0.1:{section.gateway_port}"
        self.places = places(section, targets)
        self.processes: list[Process] = []
        self._services_log = services_log
        self._say = say
        self._stopping = False
        self._variables = dict(variables or {})

    async def start(self) -> None:
        """Start everything, stores side by side, each awaited. On failure what was started is stopped."""
        self.require_ports()
        logs = self.state_dir / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        try:
            redis = redis_server(self.state_dir / "redis", self.section.redis_port, log=logs / "redis.log")
            s3 = s3_server(self.state_dir / "s3", self.section.s3_port, log=logs / "s3.log")
            storage_url, *_ = await _side_by_side(
                self._storage(), self._begin("Redis", redis.process), self._begin("the S3 store", s3.process)
            )
            shared = self._environment(redis, s3, storage_url)
            await _side_by_side(*(self._begin(_called(place), self._service(place, shared)) for place in self.places))
            await self._begin("the gateway", self._gateway(s3, logs).process)
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Start again what ends by itself, with its last words; give up on what keeps ending."""
        ended: dict[str, int] = {}
        while not self._stopping:
            for process in self.processes:
                if process.running:
                    continue
                ended[process.name] = ended.get(process.name, 0) + 1
                last = process.tail[-1] if process.tail else "without a word"
                self._say(f"{process.name} ended: {last}")
                if ended[process.name] > _RESTARTS:
                    raise ProcessFailed(f"{process.name} ended {ended[process.name]} times: giving up")
                await process.start()
                self._say(f"{process.name} is back")
            await asyncio.sleep(_WATCH_SECONDS)

    async def stop(self) -> None:
        """Stop everything in reverse order; each step is bounded. May be repeated."""
        self._stopping = True
        for process in reversed(self.processes):
            await process.stop()

    def process(self, name: str) -> Process:
        """A process by its name: redis, s3, envoy, cassandra-1, and services or the names of the targets."""
        return next(process for process in self.processes if process.name == name)

    def require_ports(self) -> None:
        """Name a taken port before anything is started. Raises PortTaken."""
        for field in ("gateway_port", "admin_port", "grpc_port", "redis_port", "s3_port", "metrics_port"):
            if port := getattr(self.section, field):
                require_free(port, field.removesuffix("_port"), f"TINTYPE_STACK__{field.upper()}")
        for place in self.places:
            require_free(place.grpc_port, place.name, "TINTYPE_STACK__GRPC_PORT")
            if place.metrics_port:
                require_free(place.metrics_port, f"{place.name} metrics", "TINTYPE_STACK__METRICS_PORT")

    async def _begin(self, name: str, process: Process) -> None:
        self._say(f"starting {name} …")
        self.processes.append(process)
        await process.start()
        self._say(f"{name}: ready")

    async def _storage(self) -> str:
        """The storage URL, after Cassandra is started where it is wanted."""
        if not self.section.cassandra:
            return self.settings.storage.url
        self._say("starting Cassandra (the first time Maven fetches it) …")
        cluster = CassandraCluster(self.state_dir / "cassandra", self.section.cassandra_nodes)
        await cluster.start()
        self.processes += cluster.processes
        self._say("Cassandra: ready")
        return cluster.url()

    def _environment(self, redis: RedisServer, s3: S3Server, storage_url: str) -> dict[str, str]:
        """What all processes of services share."""
        return (
            {"TINTYPE_TELEMETRY__LOG_FORMAT": "console"}
            | self._variables
            | {
                "TINTYPE_STATE_DIR": str(self.state_dir),
                "TINTYPE_REDIS__URL": redis.url,
                "TINTYPE_BLOBS__ENDPOINT": f"{s3.host}:{s3.port}",
                "TINTYPE_BLOBS__ACCESS_KEY": s3.access_key,
                "TINTYPE_BLOBS__SECRET_KEY": s3.secret_key,
                "TINTYPE_BLOBS__REGION": s3.region,
                "TINTYPE_STORAGE__URL": storage_url,
                "TINTYPE_EDGE__PUBLIC_URL": self.url,
            }
        )

    def _service(self, place: Place, shared: dict[str, str]) -> Process:
        """One process of services."""
        return Process(
            place.name,
            [sys.executable, "-m", "cli.main", "serve"],
            lambda: _serving(place.address),
            lambda line: self._services_log(f"{place.name:<10} {line}"),
            {place.grpc_port: "TINTYPE_STACK__GRPC_PORT"},
            {**shared, **environment(place, self.places)},
            start_seconds=_START_SECONDS,
            stop_seconds=20,
        )

    def _gateway(self, s3: S3Server, logs: Path) -> EnvoyServer:
        config = self.state_dir / "envoy.json"
        config.write_text(json.dumps(render(self._gateway_options(s3)), indent=1))
        ports = {self.section.gateway_port: "TINTYPE_STACK__GATEWAY_PORT"}
        server = envoy_server(config, self.section.admin_port, ports=ports, log=logs / "envoy.log")
        server.process.env = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
        return server

    def _gateway_options(self, s3: S3Server) -> GatewayOptions:
        keys = jwks_path(self.settings.keys_dir.resolve())
        if not keys.exists():  # Envoy needs the file at its start, wherever accounts runs
            auth = self.settings.auth
            KeyRing(self.settings.keys_dir, SystemClock(), auth.rotate_days * _DAY_MS, 0).refresh()
        return GatewayOptions(
            listen=f"{self.section.host}:{self.section.gateway_port}",
            admin=f"127.0.0.1:{self.section.admin_port}",
            edge=f"127.0.0.1:{self.section.grpc_port}",
            s3=f"{s3.host}:{s3.port}",
            region=s3.region,
            jwks=keys,
            descriptors=DESCRIPTORS,
            development=self.settings.development,
            otlp=self.settings.telemetry.otlp_endpoint,
            rates=self.settings.rates.by_class,
        )


async def _side_by_side(*steps: Coroutine[Any, Any, Any]) -> list[Any]:
    """What all steps answer; when one fails or the wait is cancelled, the others are cancelled and have ended."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _called(place: Place) -> str:
    return "the services" if place.target in TOGETHER else place.name


async def _serving(address: str) -> bool:
    """Whether a gRPC server says that it serves."""
    return await asyncio.to_thread(_health, address)


def _health(address: str) -> bool:
    """Asked without grpc.aio, which ties itself to an event loop for the life of the process: whoever starts an
    installation may do so in a loop that is soon gone."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=2)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
