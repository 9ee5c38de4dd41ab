"""The client over ``acsylla`` (the C++ driver): preferred where installed, for a thirteenth of the CPU."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import acsylla
from acsylla import errors

from mesh.storage.cassandra.client import (
    CONNECT_S,
    PAGE_ROWS,
    RECONNECT_S,
    SPECULATE_AFTER_S,
    Endpoint,
    Found,
    Kind,
    Statement,
    Values,
    unanswered,
)
from mesh.storage.contract import Corrupt, StorageError, TimedOut, Unavailable

_CONSISTENCY = {
    Kind.READ: acsylla.Consistency.LOCAL_QUORUM,
    Kind.SERIAL_READ: acsylla.Consistency.SERIAL,
    Kind.WRITE: acsylla.Consistency.LOCAL_QUORUM,
    Kind.COMPARE_AND_SET: acsylla.Consistency.LOCAL_QUORUM,
}
_REQUEST_S = 30.0
_SHORTEST_S = 0.001
"""The driver counts in whole milliseconds and takes 0 for no limit at all."""


class AcsyllaClient:
    """A session of ``acsylla``, bound to the event loop it was connected in."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._prepared: dict[Statement, Any] = {}
        self._closed = False

    @classmethod
    async def connect(cls, endpoint: Endpoint) -> AcsyllaClient:
        """Connect once; raises :class:`Unavailable` where no host answers."""
        try:
            return cls(await _shared_cluster(endpoint).create_session())
        except errors.CassException as error:
            raise Unavailable(f"Cassandra: {error}") from error

    async def execute(self, statement: Statement, values: Values, timeout_s: float) -> list[Found]:
        bound = await self._bind(statement, values, timeout_s)
        rows: list[Found] = []
        while True:
            result = await self._send(self._session.execute(bound), statement.kind)
            rows.extend(row.as_dict() for row in result)
            if not result.has_more_pages():
                return rows
            bound.set_page_state(result.page_state())

    async def batch(self, statements: Sequence[tuple[Statement, Values]], timeout_s: float) -> None:
        batch = acsylla.create_batch_logged()
        for statement, values in statements:
            batch.add_statement(await self._bind(statement, values, timeout_s))
        batch.set_consistency(acsylla.Consistency.LOCAL_QUORUM)
        batch.set_request_timeout(int(max(timeout_s, _SHORTEST_S) * 1000))
        batch.set_is_idempotent(True)
        await self._send(self._session.execute_batch(batch), Kind.WRITE)

    async def query(self, cql: str, timeout_s: float) -> list[Found]:
        statement = acsylla.create_statement(cql, timeout=max(timeout_s, _SHORTEST_S))
        statement.set_consistency(acsylla.Consistency.ONE)
        result = await self._send(self._session.execute(statement), Kind.WRITE)
        return [row.as_dict() for row in result]

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._session.close()

    async def _bind(self, statement: Statement, values: Values, timeout_s: float) -> Any:
        prepared = self._prepared.get(statement)
        if prepared is None:
            # Nothing is executed yet, whatever the statement would do: so a failure is a read's.
            prepared = await self._send(self._session.create_prepared(statement.cql), Kind.READ)
            self._prepared[statement] = prepared
        bound = prepared.bind(
            list(values),
            page_size=PAGE_ROWS,
            timeout=max(timeout_s, _SHORTEST_S),
            consistency=_CONSISTENCY[statement.kind],
            serial_consistency=acsylla.Consistency.SERIAL,
        )
        bound.set_is_idempotent(statement.kind.idempotent)
        if statement.kind is Kind.COMPARE_AND_SET:
            bound.set_retry_policy("fallthrough")
        return bound

    async def _send(self, request: Any, kind: Kind) -> Any:
        try:
            return await request
        except errors.CassException as error:
            raise _translate(error, kind) from error
        except RuntimeError as error:  # "Session closed"
            raise Unavailable(f"Cassandra: {error}: open the store again") from error


_clusters: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Endpoint, Any]] = WeakKeyDictionary()


def _shared_cluster(endpoint: Endpoint) -> Any:
    """One per event loop and endpoint: each keeps sockets of its own by which its threads wake the loop."""
    clusters = _clusters.setdefault(asyncio.get_running_loop(), {})
    if endpoint not in clusters:
        clusters[endpoint] = _cluster(endpoint)
    return clusters[endpoint]


def _is_news(record: logging.LogRecord) -> bool:
    """Built on Scylla's driver, it reports of every connection as an error that Cassandra has no shards."""
    return "sharding info" not in record.getMessage()


def _cluster(endpoint: Endpoint) -> Any:
    logging.getLogger("acsylla").addFilter(_is_news)
    first_s, longest_s = RECONNECT_S
    return acsylla.create_cluster(
        list(endpoint.hosts),
        port=endpoint.port,
        username=endpoint.username,
        password=endpoint.password,
        load_balance_dc_aware=endpoint.datacenter,
        connect_timeout=CONNECT_S,
        request_timeout=_REQUEST_S,
        consistency=acsylla.Consistency.LOCAL_QUORUM,
        serial_consistency=acsylla.Consistency.SERIAL,
        exponential_reconnect_base_delay_ms=int(first_s * 1000),
        exponential_reconnect_max_delay_ms=int(longest_s * 1000),
        speculative_execution_policy=acsylla.SpeculativeExecutionPolicy(
            constant_delay_ms=int(SPECULATE_AFTER_S * 1000), max_speculative_executions=1
        ),
        # The client's clock orders its writes; server side, two quick writes of one row could swap.
        timestamp_gen="monotonic",
        heartbeat_interval_sec=5,
        idle_timeout_sec=15,
        log_level="error",
    )


_TIMED_OUT = (
    errors.CassErrorLibRequestTimedOut,
    errors.CassErrorServerWriteTimeout,
    errors.CassErrorServerReadTimeout,
)
_NOT_SENT = (
    errors.CassErrorLibRequestQueueFull,
    errors.CassErrorLibNoStreams,
    errors.CassErrorLibUnableToConnect,
    errors.CassErrorServerUnavailable,
    errors.CassErrorServerOverloaded,
    errors.CassErrorServerIsBootstrapping,
)
_REFUSED = (
    errors.CassErrorServerInvalidQuery,
    errors.CassErrorServerSyntaxError,
    errors.CassErrorServerConfigError,
    errors.CassErrorServerUnauthorized,
)


def _translate(error: Exception, kind: Kind) -> StorageError:
    if isinstance(error, _TIMED_OUT):
        return TimedOut(f"Cassandra: {error}")
    if isinstance(error, _NOT_SENT):
        return Unavailable(f"Cassandra: {error}")
    if isinstance(error, _REFUSED):
        return Corrupt(f"Cassandra refused a statement: {error}: compare the schema with the declared tables")
    if isinstance(error, errors.CassErrorLibNoHostsAvailable) and kind is not Kind.WRITE:
        return Unavailable(f"Cassandra: {error}")
    # A plain write may have been sent to a host that then failed, before no other was left to try.
    return unanswered(kind, error)
