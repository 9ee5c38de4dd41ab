"""What SQLite's errors mean to a caller."""

from __future__ import annotations

import sqlite3

from mesh.storage.contract import Corrupt, StorageError, TimedOut, Unavailable

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_ERROR}


def translate(error: sqlite3.Error) -> StorageError:
    """An error of one statement, which SQLite has undone."""
    if _code(error) in _DAMAGED:
        return Corrupt(f"SQLite: {error}: check the file and that create() was given every table")
    return Unavailable(f"SQLite: {error}")


def translate_commit(error: sqlite3.Error) -> StorageError:
    """An error of a commit: unless the disk was full, what reached the disk is not known."""
    if _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY):
        return Unavailable(f"SQLite: {error}: nothing was written")
    return TimedOut(f"SQLite could not say whether it committed: {error}")


def _code(error: sqlite3.Error) -> int:
    """The primary code, without the detail in the upper bits."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_INTERNAL) & 0xFF
