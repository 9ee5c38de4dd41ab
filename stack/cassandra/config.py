"""What a Cassandra node is told: its cassandra.yaml, its logging and the arguments of its JVM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

_LOGBACK = """<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{ISO8601} %logger{0}:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
"""
# Cassandra reaches into the JDK; these are the doors that its own start script opens on 17.
_EXPORTS = (
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
)
_OPENS = (
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.io",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/sun.nio.ch",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.util.jar",
    "jdk.management/com.sun.management.internal",
)


@dataclass(frozen=True)
class NodeConfig:
    """One node: its directory, its loopback address and the two ports that all nodes share."""

    directory: Path
    address: str
    cql_port: int
    storage_port: int
    cluster_nodes: int
    heap_mb: int

    def write(self) -> None:
        """Write cassandra.yaml and logback.xml; the same every time."""
        conf = self.directory / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        (conf / "cassandra.yaml").write_text(yaml.safe_dump(self._yaml()))
        (conf / "logback.xml").write_text(_LOGBACK)

    def _yaml(self) -> dict[str, object]:
        data = self.directory / "data"
        return {
            "cluster_name": "tintype",
            "num_tokens": 4,
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "data_file_directories": [str(data / "data")],
            "commitlog_directory": str(data / "commitlog"),
            "saved_caches_directory": str(data / "saved_caches"),
            "hints_directory": str(data / "hints"),
            "cdc_raw_directory": str(data / "cdc_raw"),
            # Synced before a write is acknowledged, concurrent writes together. With "periodic" a node that
            # is killed forgets its last acknowledged tenths of a second, and a single node has no replica.
            "commitlog_sync": "batch",
            "seed_provider": [
                {
                    "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                    "parameters": [{"seeds": f"127.0.0.1:{self.storage_port}"}],
                }
            ],
            "listen_address": self.address,
            "rpc_address": self.address,
            "native_transport_port": self.cql_port,
            "storage_port": self.storage_port,
            "endpoint_snitch": "SimpleSnitch",
            "authenticator": "AllowAllAuthenticator",
            "authorizer": "AllowAllAuthorizer",
            "auto_snapshot": False,
            # One round trip less per compare-and-set, and reads at SERIAL that write nothing.
            "paxos_variant": "v2",
            "concurrent_reads": 16,
            "concurrent_writes": 16,
            "memtable_heap_space": "64MiB",
            "memtable_offheap_space": "64MiB",
        }

    def command(self, lib: Path) -> list[str]:
        """The command line that runs the node in the foreground."""
        # A node that joins others must hear their gossip first; a lone one has nobody to wait for.
        ring_delay_ms = 1000 if self.cluster_nodes == 1 else 5000
        conf = self.directory / "conf"
        return [
            "java",
            f"-Xms{self.heap_mb}M",
            f"-Xmx{self.heap_mb}M",
            "-XX:+UseG1GC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Xss512k",
            "-Djdk.attach.allowAttachSelf=true",
            "-Djava.net.preferIPv4Stack=true",
            *(f"--add-exports={name}=ALL-UNNAMED" for name in _EXPORTS),
            *(f"--add-opens={name}=ALL-UNNAMED" for name in _OPENS),
            f"-Dcassandra.config={(conf / 'cassandra.yaml').as_uri()}",
            f"-Dcassandra.storagedir={self.directory / 'data'}",
            "-Dcassandra.skip_wait_for_gossip_to_settle=0",
            f"-Dcassandra.ring_delay_ms={ring_delay_ms}",
            "-Dcassandra.superuser_setup_delay_ms=0",
            "-Dcassandra-foreground=yes",  # without it the node closes its output, our log, once it is up
            "-cp",
            f"{conf}:{lib}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ]
