"""The table contract: the one narrow interface through which every service keeps its facts.

It is the intersection of what a wide-column store (Cassandra) and an embedded one (SQLite) can
both do well, and no more. A service declares its tables once as :class:`TableSpec` and reads and
writes rows as plain mappings from column name to value. What Cassandra could not serve is refused
by every engine with :class:`ContractViolation` before anything is sent, by the one checker in
``checker.py``; so code that runs on a laptop runs on a cluster.

The verbs, with what each promises once it has returned without an error:

=================  =============================================================================
``put``            the named columns of the row hold these values, durably (last write wins)
``delete``         the row is gone, durably (last write wins)
``write``          all of these puts and deletes hold, or will: atomic, not isolated
``insert_if_absent``  this row exists because of this call, or the row that was there is returned
``update_if``      the row held the expected values and now holds the changed ones, or neither
``get``            the row as of the latest acknowledged write, or None
``multi_get``      the same for many keys, in the order asked
``slice``          rows of one partition in clustering order, at most ``limit`` of them
=================  =============================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Protocol, TypeAlias

from mesh.personal import Personal

Value: TypeAlias = int | float | bool | str | bytes | None
"""A column's value, of exactly its column's type. ``int`` is a signed 64-bit integer, ``str`` any
Unicode text without NUL or lone surrogates, ``float`` anything but NaN (negative zero may read as zero)."""

Row: TypeAlias = Mapping[str, Value]
"""Column name to value. Rows that an engine returns hold every column of the table, unset ones as its default."""

Key: TypeAlias = Mapping[str, Value]
"""Every partition and clustering column of a row, and nothing else."""


class ColumnType(Enum):
    """The types that both engines keep exactly."""

    INT = "bigint"
    FLOAT = "double"
    BOOL = "boolean"
    TEXT = "text"
    BYTES = "blob"


class WriteMode(Enum):
    """How the rows of a table may be written. Mixing the two on one row is unsafe on Cassandra."""

    LAST_WRITE_WINS = "last-write-wins"
    """``put``, ``delete`` and ``write``."""
    COMPARE_AND_SET = "compare-and-set"
    """``insert_if_absent`` and ``update_if`` only; reads are linearizable (SERIAL)."""


@dataclass(frozen=True, slots=True)
class Clustering:
    """One clustering column and its direction on disk."""

    name: str
    type: ColumnType
    descending: bool = False


@dataclass(frozen=True)
class TableSpec:
    """One table, declared once for both engines.

    ``partition`` columns together choose the partition; ``clustering`` columns order the rows in
    it; ``columns`` are the rest. Names are lower-case snake case that start with a letter.

    ``ttl`` (whole seconds, one second to ``MAX_TTL``) expires every row that long after it was
    last written. A row expires as one: so every write to such a table names every column.

    ``defaults``: what a column holds where it was never set, in rows that are older than it too. Without
    one it is None.

    ``personal`` says whose data the rows are; every table of a service has it.

    Key columns are never None and never FLOAT (the engines would order -0.0 differently: scale to
    an integer), and text or bytes in a partition key is not empty (Cassandra has no such partition).
    """

    name: str
    partition: Mapping[str, ColumnType]
    columns: Mapping[str, ColumnType]
    clustering: tuple[Clustering, ...] = ()
    ttl: timedelta | None = None
    mode: WriteMode = WriteMode.LAST_WRITE_WINS
    defaults: Mapping[str, Value] = field(default_factory=dict)
    personal: Personal | None = None

    @property
    def key_columns(self) -> tuple[str, ...]:
        return (*self.partition, *(column.name for column in self.clustering))

    @property
    def types(self) -> dict[str, ColumnType]:
        clustering = {column.name: column.type for column in self.clustering}
        return {**self.partition, **clustering, **self.columns}


@dataclass(frozen=True, slots=True)
class Put:
    """Set the given columns of one row; columns not named keep their values.

    ``row`` holds the whole key and any of the other columns; None unsets a column. A row exists
    once it was put, even with no columns but its key. ``ttl`` overrides the table's, which must
    have one; a row of such a table is always put whole.
    """

    table: TableSpec
    row: Row
    ttl: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove one row, if it is there."""

    table: TableSpec
    key: Key


Mutation: TypeAlias = Put | Delete


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a slice: values for a leading run of the clustering columns, in their order.

    A bound that names fewer columns than the table clusters by stands for all rows that share
    that prefix.
    """

    values: tuple[Value, ...]
    inclusive: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a compare-and-set did: applied, or the row that stood in its way (None: there was none)."""

    applied: bool
    current: Row | None = None
    """Set when not applied. After ``update_if`` it was read just after the refusal, so it may
    already be newer than what refused."""


class StorageError(Exception):
    """Base of every error that leaves an engine."""


class Unavailable(StorageError):
    """The store cannot be reached or refused work; nothing was applied; try again later."""


class TimedOut(StorageError):
    """No answer in time; a write MAY have been applied, or be applied within ``LATE_S`` of its deadline and
    never after. So a read-back that shows it decides, and one that does not show it decides nothing
    before then (:mod:`mesh.claims`)."""


class ContractViolation(StorageError):
    """The request is one the contract forbids: a bug in the caller, never worth a retry."""


class Corrupt(StorageError):
    """Stored data or schema does not agree with the table's declaration; an operator must look."""


LATE_S = 30.0
"""Seconds after its deadline (the caller's, or the engine's own timeout) in which a write that was not answered
may still be applied. Every engine drops what it has not begun by its deadline."""
MAX_SLICE = 10_000
"""Rows one slice may ask for."""
MAX_BATCH = 100
"""Mutations one atomic write may hold."""
MAX_BATCH_BYTES = 40_000
"""Bytes one atomic write may carry: Cassandra refuses logged batches over 50 KiB."""
MAX_KEYS = 1_000
"""Keys one multi_get may ask for."""
MAX_VALUE_BYTES = 1_048_576
"""Bytes of one text or bytes value."""
MAX_KEY_BYTES = 4_096
"""Bytes of one text or bytes value in a key: Cassandra keeps a whole key under 64 KiB."""
MAX_KEY_COLUMNS = 8
"""Partition and clustering columns one table may have."""
MAX_TTL = timedelta(days=5 * 365)
"""The longest life of a row: Cassandra's default storage format keeps no expiry after January 2038."""


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """Whether the engine answers, and why not."""

    ready: bool
    reason: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class Gap(Enum):
    """In which way a stored table is not the declared one."""

    TABLE = "is missing"
    COLUMN = "lacks a column"
    LIFE = "lives for another time"
    UNKNOWN = "has a column that is not declared"
    CONFLICT = "does not agree"


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which what is stored is not what is declared. ``create`` closes the gaps TABLE, COLUMN and LIFE,
    leaves an UNKNOWN column as it is and refuses a CONFLICT."""

    table: str
    gap: Gap
    what: str = ""

    def __str__(self) -> str:
        return f"{self.table} {self.gap.value}" + (f": {self.what}" if self.what else "")


class Store(Protocol):
    """One service's tables on one engine. Every method raises the errors of this file and no others.

    All methods are coroutines, may be called concurrently, and take what is left of the caller's
    deadline from :mod:`mesh.deadline`, bounded by the engine's own timeout. Where nothing of it
    is left nothing is sent, which is :class:`Unavailable`.
    """

    async def create(self, tables: Sequence[TableSpec]) -> None:
        """Create the tables that are missing and add the columns that are. Idempotent, and safe
        while other processes do the same. A key or type that differs raises :class:`Corrupt`."""

    async def compare(self, tables: Sequence[TableSpec]) -> list[Difference]:
        """What ``create`` would change or refuse, and what is stored and not declared; changes nothing."""

    async def put(self, table: TableSpec, row: Row, ttl: timedelta | None = None) -> None:
        """Set columns of one row; may be repeated."""

    async def delete(self, table: TableSpec, key: Key) -> None:
        """Remove one row; may be repeated."""

    async def write(self, mutations: Sequence[Mutation]) -> None:
        """Apply all mutations or, in the end, none: atomic across tables and partitions of one
        service, not isolated. At most ``MAX_BATCH`` and ``MAX_BATCH_BYTES``, each row named once
        (the order within a batch means nothing); may be repeated."""

    async def insert_if_absent(self, table: TableSpec, row: Row) -> Outcome:
        """Claim a key. On :class:`TimedOut` read the row back and compare a claim id; a row that is not
        there may still appear (``LATE_S``)."""

    async def update_if(self, table: TableSpec, key: Key, changes: Row, expected: Row) -> Outcome:
        """Change columns of a row that exists and holds every value in ``expected``. An unset column
        holds its default, or None."""

    async def get(self, table: TableSpec, key: Key) -> Row | None:
        """The row with this key."""

    async def multi_get(self, table: TableSpec, keys: Sequence[Key]) -> list[Row | None]:
        """The rows with these keys, in the order asked, None where there is none."""

    async def slice(
        self,
        table: TableSpec,
        partition: Key,
        *,
        limit: int,
        start: Bound | None = None,
        end: Bound | None = None,
        reverse: bool = False,
    ) -> list[Row]:
        """Rows of one partition in clustering order (``reverse``: the other way), 1 to ``MAX_SLICE``.

        ``start`` is where reading begins and ``end`` where it stops **in the direction read**; so
        the page after a row is ``start=Bound(key_of(row), inclusive=False)`` either way round.
        """

    async def health(self) -> StoreHealth:
        """Whether the engine answers now; never raises, takes at most two seconds."""

    async def close(self) -> None:
        """Finish what is under way and release the engine. Idempotent."""
