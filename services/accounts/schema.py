"""The accounts' tables."""

from __future__ import annotations

from datetime import timedelta

from mesh.cache.keys import KeyFamily
from mesh.claims import request_table
from mesh.personal import Holding, Kind, nobodys, owned
from mesh.storage import Clustering, ColumnType, TableSpec, WriteMode

INT, BOOL, TEXT, BYTES = ColumnType.INT, ColumnType.BOOL, ColumnType.TEXT, ColumnType.BYTES

_CLAIM = {"user_id": INT, "claim_time_ms": INT}

USERNAMES = TableSpec(
    name="usernames",
    partition={"name": TEXT},
    columns=_CLAIM,
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""Who holds a username; user_id 0: nobody any more."""

EMAILS = TableSpec(
    name="emails",
    partition={"name": TEXT},
    columns=_CLAIM,
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""Who holds an e-mail address; user_id 0: nobody any more."""

REQUEST_IDS = request_table(owned("answer_id"))
"""The account that a registration's request id stands for; its memo is the id of the first session. Nobody owns
the request before."""

ACCOUNTS = TableSpec(
    name="accounts",
    partition={"user_id": INT},
    columns={
        "abandoned": BOOL,
        "username": TEXT,
        "email": TEXT,
        "password_hash": TEXT,
        "display_name": TEXT,
        "bio": TEXT,
        "website": TEXT,
        "private": BOOL,
        "hidden": BOOL,
        "avatar_asset_id": INT,
        "media_epoch": INT,
        "version": INT,
        "create_time_ms": INT,
        "event_ids": BYTES,
    },
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""The truth about an account. ``abandoned``: a registration that will never be finished."""

PROFILES = TableSpec(
    name="profiles",
    partition={"user_id": INT},
    columns={
        "username": TEXT,
        "display_name": TEXT,
        "bio": TEXT,
        "website": TEXT,
        "private": BOOL,
        "hidden": BOOL,
        "avatar_asset_id": INT,
        "media_epoch": INT,
        "version": INT,
        "create_time_ms": INT,
    },
    personal=owned("user_id"),
)
"""The public facts of an account, derived: a cheap read for every person shown."""

USER_DAYS = TableSpec(
    name="user_days",
    partition={"all_users": INT},
    columns={},
    clustering=(Clustering("day", INT),),
    personal=nobodys("on which days anybody registered"),
)
"""Days since the Unix epoch on which anybody registered; one row a day."""

USERS_BY_DAY = TableSpec(
    name="users_by_day",
    partition={"day": INT},
    columns={},
    clustering=(Clustering("user_id", INT),),
    personal=owned("user_id"),
)
"""Ids of all users by the day they registered, for walking through everybody in id order."""

SESSIONS = TableSpec(
    name="sessions",
    partition={"session_id": INT},
    columns={
        "user_id": INT,
        "client": TEXT,
        "create_time_ms": INT,
        "refresh_time_ms": INT,
        "expire_time_ms": INT,
        "revoke_time_ms": INT,
        "current_hashes": BYTES,
        "previous_hashes": BYTES,
        "rotate_time_ms": INT,
        "version": INT,
    },
    ttl=timedelta(days=400),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""A session and the SHA-256 of its refresh tokens. The ttl outlives every session that is used."""

SESSIONS_OF = TableSpec(
    name="sessions_of",
    partition={"user_id": INT},
    columns={},
    clustering=(Clustering("session_id", INT, descending=True),),
    ttl=timedelta(days=400),
    personal=owned("user_id"),
)
"""The sessions of a user, newest first; rows of sessions that ended are removed."""

TABLES = (
    USERNAMES,
    EMAILS,
    REQUEST_IDS,
    ACCOUNTS,
    PROFILES,
    USER_DAYS,
    USERS_BY_DAY,
    SESSIONS,
    SESSIONS_OF,
)

LOGINS = KeyFamily("login", nobodys("digests of what was typed and of where, for the minutes that tries are counted"))

HOLDINGS = (LOGINS, Holding(Kind.STREAM, "AccountChanged", owned("user_id")))
