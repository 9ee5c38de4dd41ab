"""Opens the engine that a URL names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from mesh.clock import Clock
from mesh.storage.contract import Store

_SERVICE = re.compile(r"[a-z][a-z0-9_]{0,31}")


async def open_store(url: str, service: str, clock: Clock) -> Store:
    """Open the tables of one service, waiting (bounded) for a server that is still starting.

    ``sqlite:///<directory>`` keeps the file ``<directory>/<service>.db``; ``sqlite::memory:`` is a
    private store for tests that is gone when closed.
    ``cassandra://host1,host2:9042/<prefix>?replication=3&client=acsylla&wait=30`` keeps the keyspace
    ``<prefix>_<service>``. ``replication`` (default 1) is copies per datacenter, ``client`` is
    ``acsylla`` (default where installed) or ``driver``, ``wait`` how many seconds to wait (30).

    Raises :class:`ValueError` for a URL that names no engine or has unknown parts, and
    :class:`~mesh.storage.contract.Unavailable` when the engine cannot be reached in time.
    """
    if not _SERVICE.fullmatch(service):
        raise ValueError(f"service {service!r}: use lower-case snake case, at most 32 characters")
    if url == "sqlite::memory:":
        from mesh.storage.sqlite.engine import SqliteStore

        return await SqliteStore.open_temporary(clock)
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return await _open_sqlite(parts, url, service, clock)
    if parts.scheme == "cassandra":
        # Imported here, so that a laptop without the server never loads its drivers.
        from mesh.storage.cassandra.url import open_cassandra

        return await open_cassandra(url, service)
    raise ValueError(f"storage URL {url!r}: begin with sqlite:// or cassandra://")


async def _open_sqlite(parts: SplitResult, url: str, service: str, clock: Clock) -> Store:
    from mesh.storage.sqlite.engine import SqliteStore

    if parts.netloc or not parts.path or parts.query or parts.fragment:
        raise ValueError(f"storage URL {url!r}: write sqlite:///directory, and nothing more")
    return await SqliteStore.open(Path(parts.path, f"{service}.db"), clock)
