"""A real Apache Cassandra on loopback: provisioned by Maven, run by a JDK 17, one node or three."""

from __future__ import annotations

from stack.cassandra.cluster import CassandraCluster
from stack.cassandra.jars import DEFAULT_CACHE, VERSION, available, provision

__all__ = ["DEFAULT_CACHE", "VERSION", "CassandraCluster", "available", "provision"]
