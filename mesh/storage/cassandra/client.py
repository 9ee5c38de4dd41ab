"""The seam between the engine and whichever Cassandra client is installed: execute, batch, close.

Both clients answer in the same terms: rows as dictionaries, errors as the contract's own. Values
are already checked when they get here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from mesh.storage.contract import StorageError, TimedOut, Unavailable, Value

Values: TypeAlias = Sequence[Value]
Found: TypeAlias = dict[str, Value]

PAGE_ROWS = 2_000
"""Rows that travel in one frame; longer results are fetched page by page."""
SPECULATE_AFTER_S = 0.5
"""When an idempotent request is sent to a second coordinator as well."""
RECONNECT_S = (0.25, 4.0)
"""First and longest pause before a lost node is tried again."""
CONNECT_S = 5.0


class Kind(Enum):
    """What a statement does, which decides its consistency and whether it may be sent twice."""

    READ = "read"
    """LOCAL_QUORUM: sees every acknowledged write of this datacenter."""
    SERIAL_READ = "serial read"
    """SERIAL: settles a compare-and-set that is under way, then reads."""
    WRITE = "write"
    """LOCAL_QUORUM. The client stamps the time once, so a repetition changes nothing."""
    COMPARE_AND_SET = "compare-and-set"
    """SERIAL, never repeated. Not LOCAL_SERIAL: that would let two datacenters give away one name."""

    @property
    def idempotent(self) -> bool:
        return self is not Kind.COMPARE_AND_SET

    @property
    def writes(self) -> bool:
        return self in (Kind.WRITE, Kind.COMPARE_AND_SET)


@dataclass(frozen=True, slots=True)
class Statement:
    """CQL with ``?`` marks; clients prepare it at its first use."""

    cql: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the cluster is and how to enter it."""

    hosts: tuple[str, ...]
    port: int
    datacenter: str | None = None
    username: str | None = None
    password: str | None = None


class Client(Protocol):
    """A connected client. Every method raises the contract's errors and no others."""

    async def execute(self, statement: Statement, values: Values, timeout_s: float) -> list[Found]:
        """Run one statement; all of its rows."""

    async def batch(self, statements: Sequence[tuple[Statement, Values]], timeout_s: float) -> None:
        """Run writes as one logged batch."""

    async def query(self, cql: str, timeout_s: float) -> list[Found]:
        """Run text as it is, at consistency ONE: schema changes and system tables."""

    async def close(self) -> None:
        """Release the connections. Idempotent."""


def unanswered(kind: Kind, error: Exception) -> StorageError:
    """The request was on its way when something failed: for a write nobody knows whether it was applied."""
    if kind.writes:
        return TimedOut(f"Cassandra: {error}")
    return Unavailable(f"Cassandra: {error}")
