"""The accounts' wiring."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from tintype.accounts.v1 import accounts_pb2
from tintype.events.v1.accounts_pb2 import AccountChanged
from tintype.media.v1 import assets_pb2_grpc

from mesh.app import Context, Module
from mesh.auth.keys import KeyRing
from mesh.config import Limit, Section
from services.accounts import schema
from services.accounts.assets import assets_of
from services.accounts.attempts import Attempts
from services.accounts.claims import Claims
from services.accounts.events import account_changed, holds
from services.accounts.login import Login
from services.accounts.passwords import Passwords
from services.accounts.profiles import Profiles
from services.accounts.refresh_tokens import RefreshTokens
from services.accounts.registration import Registrar
from services.accounts.server import AccountsServer
from services.accounts.session_store import SessionStore
from services.accounts.sessions import Sessions
from services.accounts.signing import Signer
from services.accounts.store import AccountStore

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


class AccountsSection(Section):
    """Credentials and sessions."""

    argon2_memory_kib: int = Field(
        19_456, ge=8, le=1_048_576, description="memory of one password hash (OWASP's 19 MiB)"
    )
    argon2_passes: int = Field(2, ge=1, le=20, description="passes over that memory")
    argon2_lanes: int = Field(1, ge=1, le=8, description="lanes of that memory")
    hash_threads: int = Field(2, ge=1, le=64, description="passwords hashed at once")
    hash_waiting: int = Field(100, ge=0, le=10_000, description="passwords that may wait to be hashed")
    claim_patience_s: int = Field(
        60, ge=15, le=3600, description="age at which a name without an account is free again"
    )
    refresh_grace_s: int = Field(
        30, ge=0, le=300, description="how long a refresh token may be repeated after its exchange"
    )
    sessions_per_user: Annotated[int, Limit("items", "sessions that one may have open: the oldest makes room")] = Field(
        100, ge=1, le=100, description="open sessions; the oldest makes room"
    )
    login_tries: Annotated[
        int, Limit("calls", "failed attempts to log in, each client and account, within the window")
    ] = Field(10, ge=1, le=1000, description="failed tries for one account from one client in the window")
    login_tries_per_account: int = Field(
        100, ge=1, le=100_000, description="failed tries for one account in the window"
    )
    login_window_minutes: Annotated[int, Limit("minutes", "the window that attempts to log in are counted in")] = Field(
        15, ge=1, le=1440, description="the window that tries are counted in"
    )


async def build(ctx: Context) -> None:
    """Wire the accounts."""
    section: AccountsSection = ctx.section
    tables = await ctx.store(schema.TABLES)
    store = AccountStore(tables)

    outbox = ctx.outbox(tables)
    assets = assets_of(ctx.stub(assets_pb2_grpc.AssetsServiceStub))
    profiles = Profiles(store, outbox, account_changed, assets)
    outbox.settle_by(AccountChanged, holds(profiles))
    sessions = _sessions(ctx, SessionStore(tables))
    passwords = _passwords(ctx)
    claims = Claims(store, ctx.clock, section.claim_patience_s * 1000)
    registrar = Registrar(store, claims, profiles, sessions, passwords, ctx.clock, ctx.ids)
    window_ms = section.login_window_minutes * _MINUTE_MS
    attempts = Attempts(ctx.cache, section.login_tries, section.login_tries_per_account, window_ms)
    login = Login(store, sessions, passwords, attempts)
    server = AccountsServer(registrar, login, sessions, profiles)
    ctx.serve(accounts_pb2.DESCRIPTOR.services_by_name["AccountsService"], server)


def _passwords(ctx: Context) -> Passwords:
    section: AccountsSection = ctx.section
    passwords = Passwords(
        section.argon2_memory_kib,
        section.argon2_passes,
        section.argon2_lanes,
        section.hash_threads,
        section.hash_waiting,
    )
    ctx.on_stop(passwords.close)
    return passwords


def _sessions(ctx: Context, store: SessionStore) -> Sessions:
    """Sessions, with the signing keys that are this service's to keep."""
    section: AccountsSection = ctx.section
    auth = ctx.settings.auth
    access_ms = auth.access_minutes * _MINUTE_MS
    keys = KeyRing(ctx.settings.keys_dir, ctx.clock, auth.rotate_days * _DAY_MS, overlap_ms=2 * access_ms)
    signer = Signer(keys, access_ms)
    ctx.on_start(signer.refresh_keys)
    ctx.background("keys", signer.keep_keys_fresh)
    return Sessions(
        store,
        signer,
        RefreshTokens(ctx.settings.derived_key("refresh tokens")),
        ctx.clock,
        ctx.ids,
        life_ms=auth.refresh_days * _DAY_MS,
        grace_ms=section.refresh_grace_s * 1000,
        most=section.sessions_per_user,
    )


MODULE = Module(name="accounts", build=build, config=AccountsSection)
