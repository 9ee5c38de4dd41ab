"""Registrations that die anywhere: no name is stuck, held twice, or held by nobody who can log in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from tintype.events.v1.accounts_pb2 import AccountChanged

from mesh.clock import FakeClock
from mesh.config import EventsSection
from mesh.errors import Problem
from mesh.events import Event
from mesh.events.events import OUTBOX_TABLES, Events
from mesh.ids import IdGenerator
from mesh.storage import StorageError, open_store
from mesh.testing.chaos import ChaosStore, Crash
from services.accounts import schema
from services.accounts.claims import Claims
from services.accounts.events import account_changed
from services.accounts.passwords import Passwords
from services.accounts.profiles import Profiles
from services.accounts.refresh_tokens import RefreshTokens
from services.accounts.registration import Form, Registrar
from services.accounts.session_store import SessionStore
from services.accounts.sessions import Sessions
from services.accounts.store import AccountStore
from stack.redis import RedisServer

NAMES = [f"name{n}" for n in range(3)]
EMAILS = [f"mail{n}@example.com" for n in range(3)]
PASSWORD = "a fine long sentence"


class Unsigned:
    """Stands in for the signer, which is no part of these tests."""

    def sign(self, user_id: int, session_id: int, now_ms: int) -> tuple[str, int]:
        return "token", now_ms


class World:
    """The accounts service over a store on which anything may fail."""

    def __init__(self, tables: ChaosStore, events: Events, clock: FakeClock, outbox_store) -> None:
        ids = IdGenerator(clock)
        self.tables, self.events, self.clock = tables, events, clock
        self.store = AccountStore(tables)
        outbox = events.outbox("accounts", outbox_store, {AccountChanged: self._holds})
        self.told: set[int] = set()
        events.tail("accounts", {AccountChanged: self._note})
        self.profiles = Profiles(self.store, outbox, account_changed, _no_assets)
        self.passwords = Passwords(memory_kib=8, passes=1, lanes=1, threads=1, waiting=1000)
        self.claims = Claims(self.store, clock, patience_ms=60_000)
        refresh = RefreshTokens(b"a key of enough bytes")
        sessions = Sessions(
            SessionStore(tables), Unsigned(), refresh, clock, ids, life_ms=10**9, grace_ms=30_000, most=100
        )
        self.registrar = Registrar(self.store, self.claims, self.profiles, sessions, self.passwords, clock, ids)

    async def _holds(self, event: Event) -> bool:
        return await self.profiles.settle(event.message.user_id, event.id)

    async def _note(self, event: Event) -> None:
        self.told.add(event.message.user_id)

    async def register(self, request_id: str, name: str, email: str) -> int:
        account, _ = await self.registrar.register(request_id, Form(name, email, PASSWORD, ""), "test")
        return account.user.user_id

    async def everybody(self):
        users, _ = await self.profiles.page(0, 1000)
        return users


async def _no_assets(asset_id: int) -> None:
    return None


@pytest.fixture
async def world(own_redis: RedisServer, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    clock = FakeClock(1_800_000_000_000)
    store = await open_store("sqlite::memory:", "accounts", clock)
    await store.create([*schema.TABLES, *OUTBOX_TABLES])
    events = Events(own_redis.url, clock, IdGenerator(clock, node=1), EventsSection(shards=1))
    world = World(ChaosStore(store, getattr(request, "param", 0)), events, clock, store)
    await events.start()
    yield world
    await events.stop()
    await world.passwords.close()
    await store.close()


async def _storm(world: World, seed: int) -> None:
    """Clients that want the same few names, each repeating a request that got no answer."""
    dice = random.Random(seed)

    async def client(number: int) -> None:
        for attempt in range(6):
            request_id, name, email = f"{number}-{attempt}", dice.choice(NAMES), dice.choice(EMAILS)
            for _ in range(3):
                try:
                    await world.register(request_id, name, email)
                    break
                except Problem:
                    break
                except (Crash, StorageError):
                    world.clock.advance(dice.choice((0, 0, 61_000)))

    await asyncio.gather(*(client(number) for number in range(4)))


@pytest.mark.parametrize("world", range(8), indirect=True)
async def test_after_any_crash_each_name_has_one_owner_or_can_be_had(world):
    world.tables.chance = 0.04
    await _storm(world, seed=1)
    world.tables.chance = 0.0
    world.clock.advance(120_000)
    await world.events.sweep()
    await world.events.settle()
    users = await world.everybody()
    accounts = [await world.profiles.account(user.user_id) for user in users]
    assert [account.user for account in accounts] == users
    assert world.told == {user.user_id for user in users}
    for held in ([user.username for user in users], [account.email for account in accounts]):
        assert len(set(held)) == len(held)
    for table, of in ((schema.USERNAMES, lambda a: a.user.username), (schema.EMAILS, lambda a: a.email)):
        for account in accounts:
            (claim,) = await world.store.claims(table, [of(account)])
            assert claim.user_id == account.user.user_id
    taken_names, taken_emails = {user.username for user in users}, {account.email for account in accounts}
    for n, name in enumerate(set(NAMES) - taken_names):
        assert await world.register("", name, f"free{n}@example.com")
    for n, email in enumerate(set(EMAILS) - taken_emails):
        assert await world.register("", f"free.{n}", email)


async def test_a_name_claimed_by_a_registration_that_died_is_free_after_a_while(world, monkeypatch):
    async def dies(*_):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(world.profiles, "create", dies)
        with pytest.raises(Crash):
            await world.register("first", NAMES[0], EMAILS[0])
    with pytest.raises(Problem) as taken:
        await world.register("second", NAMES[0], EMAILS[1])
    assert taken.value.reason == "USERNAME_TAKEN"
    world.clock.advance(60_000)
    assert await world.register("third", NAMES[0], EMAILS[1])
    # Had it only been slow, it would have come too late.
    with pytest.raises(Problem) as taken:
        await world.register("first", NAMES[0], EMAILS[0])
    assert taken.value.reason == "USERNAME_TAKEN"
    assert await world.register("fourth", NAMES[1], EMAILS[0])


async def test_a_slow_registration_overtaken_by_another_creates_no_second_owner(world, monkeypatch):
    create = world.profiles.create
    overtaken = False

    async def slow(account):
        nonlocal overtaken
        if not overtaken:
            overtaken = True
            world.clock.advance(61_000)
            await world.register("fast", NAMES[0], EMAILS[1])
        return await create(account)

    monkeypatch.setattr(world.profiles, "create", slow)
    with pytest.raises(Problem) as taken:
        await world.register("slow", NAMES[0], EMAILS[0])
    assert taken.value.reason == "USERNAME_TAKEN"
    assert [user.username for user in await world.everybody()] == [NAMES[0]]
    assert await world.register("again", NAMES[1], EMAILS[0])


async def test_a_registration_that_died_is_finished_by_repeating_it(world, monkeypatch):
    async def dies(*_):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "project", dies)
        with pytest.raises(Crash):
            await world.register("first", NAMES[0], EMAILS[0])
    user_id = await world.register("first", NAMES[0], EMAILS[0])
    world.clock.advance(30_000)
    await world.events.sweep()
    assert [user.user_id for user in await world.everybody()] == [user_id]
