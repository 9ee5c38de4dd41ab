"""The client over ``cassandra-driver``: always installed, its own threads, callbacks into the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    ProtocolVersion,
    ReadTimeout,
    Unauthorized,
    WriteTimeout,
)
from cassandra import Unavailable as NotEnoughReplicas
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, ResponseFuture, Session
from cassandra.connection import ConnectionShutdown
from cassandra.policies import (
    ConstantSpeculativeExecutionPolicy,
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    FallthroughRetryPolicy,
    RetryPolicy,
    TokenAwarePolicy,
)
from cassandra.protocol import IsBootstrappingErrorMessage, OverloadedErrorMessage, SyntaxException
from cassandra.query import BatchStatement, BatchType, PreparedStatement, SimpleStatement, dict_factory

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
    Kind.READ: ConsistencyLevel.LOCAL_QUORUM,
    Kind.SERIAL_READ: ConsistencyLevel.SERIAL,
    Kind.WRITE: ConsistencyLevel.LOCAL_QUORUM,
    Kind.COMPARE_AND_SET: ConsistencyLevel.LOCAL_QUORUM,
}


class DriverClient:
    """A session of ``cassandra-driver``."""

    def __init__(self, cluster: Cluster, session: Session) -> None:
        self._cluster, self._session = cluster, session
        self._prepared: dict[Statement, PreparedStatement] = {}

    @classmethod
    async def connect(cls, endpoint: Endpoint) -> DriverClient:
        """Connect once; raises :class:`Unavailable` where no host answers."""
        cluster = _cluster(endpoint)
        try:
            session = await asyncio.to_thread(cluster.connect)
        except (NoHostAvailable, AuthenticationFailed, OSError) as error:
            await asyncio.to_thread(cluster.shutdown)
            raise Unavailable(f"Cassandra: {error}") from error
        return cls(cluster, session)

    async def execute(self, statement: Statement, values: Values, timeout_s: float) -> list[Found]:
        prepared = await self._prepare(statement)
        return await self._send(prepared.bind(values), statement.kind, timeout_s)

    async def batch(self, statements: Sequence[tuple[Statement, Values]], timeout_s: float) -> None:
        batch = BatchStatement(BatchType.LOGGED, consistency_level=ConsistencyLevel.LOCAL_QUORUM)
        for statement, values in statements:
            batch.add((await self._prepare(statement)).bind(values))
        batch.is_idempotent = True
        await self._send(batch, Kind.WRITE, timeout_s)

    async def query(self, cql: str, timeout_s: float) -> list[Found]:
        simple = SimpleStatement(cql, consistency_level=ConsistencyLevel.ONE)
        return await self._send(simple, Kind.WRITE, timeout_s)

    async def close(self) -> None:
        await asyncio.to_thread(self._cluster.shutdown)

    async def _prepare(self, statement: Statement) -> PreparedStatement:
        prepared: Any = self._prepared.get(statement)
        if prepared is None:
            try:
                prepared = await asyncio.to_thread(self._session.prepare, statement.cql)
            except (DriverException, NoHostAvailable, ConnectionShutdown, SyntaxException) as error:
                raise _translate(error, Kind.READ) from error  # Nothing was executed, whatever it would have done.
            prepared.consistency_level = _CONSISTENCY[statement.kind]
            prepared.serial_consistency_level = ConsistencyLevel.SERIAL
            prepared.is_idempotent = statement.kind.idempotent
            prepared.fetch_size = PAGE_ROWS
            if statement.kind is Kind.COMPARE_AND_SET:
                prepared.retry_policy = FallthroughRetryPolicy()
            self._prepared[statement] = prepared
        return prepared

    async def _send(self, request: Any, kind: Kind, timeout_s: float) -> list[Found]:
        try:
            sent = self._session.execute_async(request, timeout=timeout_s)
        except (DriverException, NoHostAvailable, ConnectionShutdown) as error:
            raise _translate(error, kind) from error
        return await _answer(sent, kind)


async def _answer(sent: ResponseFuture, kind: Kind) -> list[Found]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Found]] = loop.create_future()
    rows: list[Found] = []

    def on_page(page: list[Found] | None) -> None:
        rows.extend(page or ())
        if sent.has_more_pages:
            sent.start_fetching_next_page()
        else:
            tell(None)

    def on_error(error: Exception) -> None:
        tell(_translate(error, kind))

    def tell(error: StorageError | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, error)

    def settle(error: StorageError | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(rows)
        else:
            answer.set_exception(error)

    sent.add_callbacks(on_page, on_error)
    return await answer


def _cluster(endpoint: Endpoint) -> Cluster:
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(endpoint.datacenter or "")),
        retry_policy=RetryPolicy(),
        speculative_execution_policy=ConstantSpeculativeExecutionPolicy(SPECULATE_AFTER_S, 1),
        row_factory=dict_factory,
    )
    auth = PlainTextAuthProvider(endpoint.username, endpoint.password) if endpoint.username else None
    return Cluster(
        list(endpoint.hosts),
        port=endpoint.port,
        protocol_version=ProtocolVersion.V5,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        reconnection_policy=ExponentialReconnectionPolicy(*RECONNECT_S, max_attempts=None),
        auth_provider=auth,
        connect_timeout=CONNECT_S,
        idle_heartbeat_interval=5,
    )


def _translate(error: Exception, kind: Kind) -> StorageError:
    if isinstance(error, OperationTimedOut | WriteTimeout | ReadTimeout):
        return TimedOut(f"Cassandra: {error}")
    if isinstance(error, NotEnoughReplicas | OverloadedErrorMessage | IsBootstrappingErrorMessage):
        return Unavailable(f"Cassandra: {error}")
    if isinstance(error, NoHostAvailable):
        # Failures of a request that had been sent are among the reasons only where a host got it.
        sent = any(isinstance(reason, ConnectionShutdown) for reason in getattr(error, "errors", {}).values())
        return unanswered(kind, error) if sent else Unavailable(f"Cassandra: {error}")
    if isinstance(error, InvalidRequest | SyntaxException | Unauthorized):
        return Corrupt(f"Cassandra refused a statement: {error}: compare the schema with the declared tables")
    return unanswered(kind, error)
