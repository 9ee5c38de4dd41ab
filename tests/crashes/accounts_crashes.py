"""Registrations and changes that die anywhere: no name is stuck, held twice, or held by nobody who can log in, and
every version of an account is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tintype.events.v1.accounts_pb2 import AccountChanged

from mesh.clock import FakeClock
from mesh.errors import Problem
from mesh.events import Event
from mesh.events.events import OUTBOX_TABLES, Events
from mesh.ids import IdGenerator
from mesh.storage import StorageError, Store, open_store
from mesh.testing.chaos import ChaosStore, Crash, Stage, StagedStore
from services.accounts import schema
from services.accounts.account import Account, User
from services.accounts.claims import Claims
from services.accounts.events import account_changed
from services.accounts.passwords import Passwords
from services.accounts.profiles import Profiles
from services.accounts.refresh_tokens import RefreshTokens
from services.accounts.registration import Form, Registrar
from services.accounts.session_store import SessionStore
from services.accounts.sessions import Sessions
from services.accounts.store import AccountStore

Sweep = Callable[[int], Awaitable[None]]
NAMES = [f"name{n}" for n in range(3)]
EMAILS = [f"mail{n}@example.com" for n in range(3)]
PASSWORD = "a fine long sentence"


class Unsigned:
    """Stands in for the signer, which is no part of these tests."""

    def sign(self, user_id: int, session_id: int, now_ms: int) -> tuple[str, int]:
        return "token", now_ms


class World:
    """The accounts service over tables on which anything may fail."""

    def __init__(self, tables: Store, outbox_tables: Store, events: Events, clock: FakeClock) -> None:
        ids = IdGenerator(clock, node=1)
        self.store = AccountStore(tables)
        outbox = events.outbox("accounts", outbox_tables, {AccountChanged: self._holds})
        self._told: dict[int, set[tuple[int, int]]] = {}
        events.tail("accounts", {AccountChanged: self._note})
        self.profiles = Profiles(self.store, outbox, account_changed, _no_assets)
        self.passwords = Passwords(memory_kib=8, passes=1, lanes=1, threads=1, waiting=1000)
        claims = Claims(self.store, clock, patience_ms=60_000)
        sessions = Sessions(
            SessionStore(tables),
            Unsigned(),
            RefreshTokens(b"a key of enough bytes"),
            clock,
            ids,
            life_ms=10**9,
            grace_ms=30_000,
            most=100,
        )
        self.registrar = Registrar(self.store, claims, self.profiles, sessions, self.passwords, clock, ids)

    async def _holds(self, event: Event) -> bool:
        return await self.profiles.settle(event.message.user_id, event.id)

    async def _note(self, event: Event) -> None:
        self._told.setdefault(event.message.user_id, set()).add((event.message.version, event.id))

    async def register(self, request_id: str, name: str, email: str) -> int:
        """Register; the id."""
        account, _ = await self.registrar.register(request_id, Form(name, email, PASSWORD, ""), "test")
        return account.user.user_id

    async def everybody(self) -> list[User]:
        """The public facts of all."""
        users, _ = await self.profiles.page(0, 1000)
        return users

    async def agree(self, because: str = "") -> list[Account]:
        """Everybody's profile shows the account, each version was told, and who has a name holds it."""
        users = await self.everybody()
        accounts = [await self.profiles.account(user.user_id) for user in users]
        assert [account.user for account in accounts] == users, because
        assert self._told.keys() == {user.user_id for user in users}, because
        for user in users:
            told = sorted(version for version, _ in self._told[user.user_id])
            assert told == list(range(1, user.version + 1)), because
        for table, names in (
            (schema.USERNAMES, [account.user.username for account in accounts]),
            (schema.EMAILS, [account.email for account in accounts]),
        ):
            held = await self.store.claims(table, names)
            assert [claim and claim.user_id for claim in held] == [user.user_id for user in users], because
        return accounts


async def _no_assets(asset_id: int) -> None:
    return None


async def _opened(url: str, service: str, clock: FakeClock) -> Store:
    store = await open_store(url, service, clock)
    await store.create([*schema.TABLES, *OUTBOX_TABLES])
    return store


class AccountsCrashes:
    """Promises of services/accounts, write by write. A subclass says where the tables are."""

    @pytest.fixture
    async def world(
        self, storage_url: str, service: str, stage: Stage, events: Events, clock: FakeClock
    ) -> AsyncIterator[World]:
        store = await _opened(storage_url, service, clock)
        staged = StagedStore(store, stage)
        world = World(staged, staged, events, clock)
        await events.start()
        yield world
        await events.stop()
        await world.passwords.close()
        await store.close()

    async def test_a_registration(self, world: World, stage: Stage, sweep: Sweep) -> None:
        for number, scenario in enumerate(stage.scenarios(), 1):
            name, email = f"name{number}", f"mail{number}@example.com"
            await scenario.play(lambda n=number, name=name, at=email: world.register(f"{n}", name, at), sweep)
            accounts = await world.agree(str(scenario))
            if scenario.repeated:
                assert [account.email for account in accounts][-1] == email, str(scenario)
            elif email not in [account.email for account in accounts]:
                assert await world.register("", name, email), str(scenario)
                await sweep(0)

    async def test_a_change(self, world: World, stage: Stage, sweep: Sweep) -> None:
        for number, scenario in enumerate(stage.scenarios(), 1):
            user_id = await world.register("", f"name{number}", f"mail{number}@example.com")
            await sweep(0)
            user = replace((await world.everybody())[-1], bio="new")
            await scenario.play(lambda id=user_id, user=user: world.profiles.update(id, user, ["bio"]), sweep)
            account = (await world.agree(str(scenario)))[-1]
            assert account.user.bio == "new" or not scenario.repeated, str(scenario)


class AccountsStorms:
    """Many at once who want the same names, any of whose processes may die anywhere."""

    @pytest.fixture
    async def chaos(
        self, storage_url: str, service: str, clock: FakeClock, request: pytest.FixtureRequest
    ) -> AsyncIterator[ChaosStore]:
        store = await _opened(storage_url, service, clock)
        yield ChaosStore(store, getattr(request, "param", 0))
        await store.close()

    @pytest.fixture
    async def world(self, chaos: ChaosStore, events: Events, clock: FakeClock) -> AsyncIterator[World]:
        world = World(chaos, chaos._inner, events, clock)
        await events.start()
        yield world
        await events.stop()
        await world.passwords.close()

    @pytest.mark.parametrize("chaos", range(8), indirect=True)
    async def test_after_any_crash_each_name_has_one_owner_or_can_be_had(
        self, world: World, chaos: ChaosStore, clock: FakeClock, sweep: Sweep
    ) -> None:
        chaos.chance = 0.04
        await _storm(world, clock, seed=1)
        chaos.chance = 0.0
        await sweep(11_000)
        await chaos.late.catch_up()
        await sweep(120_000)
        accounts = await world.agree()
        names, emails = {each.user.username for each in accounts}, {each.email for each in accounts}
        assert len(names) == len(emails) == len(accounts)
        for n, name in enumerate(set(NAMES) - names):
            assert await world.register("", name, f"free{n}@example.com")
        for n, email in enumerate(set(EMAILS) - emails):
            assert await world.register("", f"free.{n}", email)

    async def test_a_name_claimed_by_a_registration_that_died_is_free_after_a_while(
        self, world: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def dies(*_: Any) -> None:
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(world.profiles, "create", dies)
            with pytest.raises(Crash):
                await world.register("first", NAMES[0], EMAILS[0])
        with pytest.raises(Problem) as taken:
            await world.register("second", NAMES[0], EMAILS[1])
        assert taken.value.reason == "USERNAME_TAKEN"
        clock.advance(60_000)
        assert await world.register("third", NAMES[0], EMAILS[1])
        # Had it only been slow, it would have come too late.
        with pytest.raises(Problem) as taken:
            await world.register("first", NAMES[0], EMAILS[0])
        assert taken.value.reason == "USERNAME_TAKEN"
        assert await world.register("fourth", NAMES[1], EMAILS[0])

    async def test_a_slow_registration_overtaken_by_another_creates_no_second_owner(
        self, world: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create, overtaken = world.profiles.create, False

        async def slow(account: Account) -> bool:
            nonlocal overtaken
            if not overtaken:
                overtaken = True
                clock.advance(61_000)
                await world.register("fast", NAMES[0], EMAILS[1])
            return await create(account)

        monkeypatch.setattr(world.profiles, "create", slow)
        with pytest.raises(Problem) as taken:
            await world.register("slow", NAMES[0], EMAILS[0])
        assert taken.value.reason == "USERNAME_TAKEN"
        assert [user.username for user in await world.everybody()] == [NAMES[0]]
        assert await world.register("again", NAMES[1], EMAILS[0])


async def _storm(world: World, clock: FakeClock, seed: int) -> None:
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
                    clock.advance(dice.choice((0, 0, 61_000)))

    await asyncio.gather(*(client(number) for number in range(4)))
