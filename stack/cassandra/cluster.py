"""Starts, stops and kills the nodes of a Cassandra cluster on this machine."""

from __future__ import annotations

import asyncio
import json
import random
from functools import partial
from pathlib import Path
from types import TracebackType

from stack.cassandra.config import NodeConfig
from stack.cassandra.jars import DEFAULT_CACHE, provision
from stack.ports import is_free, require_free
from stack.process import Process

_READY_S = 120.0
_STOP_S = 30.0
_LOWEST_PORT, _HIGHEST_PORT = 26_500, 32_000
"""Below the kernel's ephemeral range: a node that was killed must find its port free when it comes back."""


class CassandraCluster:
    """One to three nodes on 127.0.0.1 to 127.0.0.3, whose files live in ``directory``.

    The ports are chosen at the first start and kept there, so that a cluster can be stopped and
    started again with its data. Not bound to an event loop: a test session may start it in one
    and kill it in another.
    """

    def __init__(
        self,
        directory: Path,
        nodes: int = 1,
        *,
        cache: Path = DEFAULT_CACHE,
        heap_mb: int = 512,
        cql_port: int | None = None,
    ) -> None:
        if not 1 <= nodes <= 3:
            raise ValueError(f"{nodes} nodes: give 1 to 3")
        self.directory, self.nodes = directory.resolve(), nodes
        self.cql_port = 0
        """The CQL port of every node; chosen by the first start."""
        self._cache, self._heap_mb, self._wanted_port = cache, heap_mb, cql_port
        self._processes: dict[int, Process] = {}

    @property
    def hosts(self) -> list[str]:
        """The addresses of all nodes, up or down."""
        return [_address(node) for node in range(self.nodes)]

    @property
    def processes(self) -> list[Process]:
        """The processes of the nodes that have been started, for whoever watches them."""
        return list(self._processes.values())

    def url(self, prefix: str = "tintype", options: str = "") -> str:
        """The URL by which ``mesh.storage.open_store`` finds this cluster; ``options`` is more of its query."""
        query = f"replication={self.nodes}{'&' if options else ''}{options}"
        return f"cassandra://{','.join(self.hosts)}:{self.cql_port}/{prefix}?{query}"

    async def start(self) -> None:
        """Start every node that is not running, one after the other, and wait until each answers CQL.

        Raises :class:`~stack.process.ProcessFailed`, :class:`~stack.ports.PortTaken`, or
        :class:`RuntimeError` where the jars cannot be fetched. Nothing is left running on failure.
        """
        try:
            for node in range(self.nodes):
                await self.start_node(node)
        except BaseException:
            self.kill()
            raise

    async def start_node(self, node: int) -> None:
        """Start one node and wait until it answers; nothing happens where it runs already."""
        if self.running(node):
            return
        if node not in self._processes:
            self._processes[node] = await asyncio.to_thread(self._prepare, node)
        require_free(self.cql_port, f"Cassandra on {_address(node)}", host=_address(node))
        await self._processes[node].start()

    def running(self, node: int) -> bool:
        """Whether this node's process is alive."""
        return node in self._processes and self._processes[node].running

    def kill(self, node: int | None = None) -> None:
        """End one node, or all, without warning (SIGKILL)."""
        for process in self._chosen(node):
            process.kill()

    async def stop(self, node: int | None = None) -> None:
        """Let one node, or all at once, drain and end; kill what takes longer than 30 s."""
        await asyncio.gather(*(process.stop() for process in self._chosen(node)))

    async def __aenter__(self) -> CassandraCluster:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _chosen(self, node: int | None) -> list[Process]:
        return [process for number, process in self._processes.items() if node in (None, number)]

    def _prepare(self, node: int) -> Process:
        lib = provision(self._cache)
        self.cql_port, storage_port = self._ports()
        address = _address(node)
        config = NodeConfig(
            directory=self.directory / f"node{node + 1}",
            address=address,
            cql_port=self.cql_port,
            storage_port=storage_port,
            cluster_nodes=self.nodes,
            heap_mb=self._heap_mb,
        )
        config.write()
        return Process(
            name=f"cassandra-{node + 1}",
            argv=config.command(lib),
            ready=partial(_accepts, address, self.cql_port),
            log=config.directory / "system.log",
            cwd=config.directory,
            start_seconds=_READY_S,
            stop_seconds=_STOP_S,
        )

    def _ports(self) -> tuple[int, int]:
        kept = self.directory / "ports.json"
        if not kept.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            cql = self._wanted_port or _free_port(self.hosts)
            kept.write_text(json.dumps({"cql": cql, "storage": _free_port(self.hosts, other_than=cql)}))
        ports = json.loads(kept.read_text())
        if self._wanted_port not in (None, ports["cql"]):
            raise ValueError(
                f"{kept} keeps CQL port {ports['cql']}, not {self._wanted_port}: use it or another directory"
            )
        return ports["cql"], ports["storage"]


def _address(node: int) -> str:
    return f"127.0.0.{node + 1}"


def _free_port(hosts: list[str], other_than: int = 0) -> int:
    for port in random.sample(range(_LOWEST_PORT, _HIGHEST_PORT), 1_000):
        if port != other_than and all(is_free(port, host) for host in hosts):
            return port
    raise RuntimeError(f"found no port that is free on all of {', '.join(hosts)}")


async def _accepts(host: str, port: int) -> bool:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    await writer.wait_closed()
    return True
