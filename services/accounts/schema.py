"""The accounts' tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mesh.cache.keys import KeyFamily
from mesh.claims import request_table
from mesh.personal import Holding, Kind, nobodys, owned
from mesh.storage import ColumnType, WriteMode, table
from services.accounts.account import Account, Claim, Session, User


@dataclass(frozen=True, slots=True)
class UserDay:
    """A day, since the Unix epoch, on which anybody registered."""

    all_users: int
    day: int


@dataclass(frozen=True, slots=True)
class DayUser:
    """A user by the day of registration."""

    day: int
    user_id: int


@dataclass(frozen=True, slots=True)
class UserSession:
    """A session of a user."""

    user_id: int
    session_id: int


USERNAMES = table(
    "usernames",
    Claim,
    partition=("name",),
    extra={"name": ColumnType.TEXT},
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""Who holds a username."""

EMAILS = table(
    "emails",
    Claim,
    partition=("name",),
    extra={"name": ColumnType.TEXT},
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""Who holds an e-mail address."""

REQUEST_IDS = request_table(owned("answer_id"))
"""The account that a registration's request id stands for; its memo is the id of the first session. Nobody owns
the request before."""

ACCOUNTS = table(
    "accounts",
    Account,
    partition=("user_id",),
    extra={"abandoned": ColumnType.BOOL},
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""The truth about an account. ``abandoned``: a registration that will never be finished, and nothing else."""

PROFILES = table("profiles", User, partition=("user_id",), personal=owned("user_id"))
"""The public facts of an account, derived: a cheap read for every person shown."""

USER_DAYS = table(
    "user_days",
    UserDay,
    partition=("all_users",),
    clustering=("day",),
    personal=nobodys("on which days anybody registered"),
)

USERS_BY_DAY = table("users_by_day", DayUser, partition=("day",), clustering=("user_id",), personal=owned("user_id"))
"""For walking through everybody in id order."""

SESSIONS = table(
    "sessions",
    Session,
    partition=("session_id",),
    ttl=timedelta(days=400),
    mode=WriteMode.COMPARE_AND_SET,
    personal=owned("user_id"),
)
"""A session and the SHA-256 of its refresh tokens. The ttl outlives every session that is used."""

SESSIONS_OF = table(
    "sessions_of",
    UserSession,
    partition=("user_id",),
    clustering=("session_id desc",),
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
