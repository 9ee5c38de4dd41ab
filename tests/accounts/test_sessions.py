"""Logging in, rotating refresh tokens (RFC 9700, section 4.14.2), listing and revoking sessions."""

from __future__ import annotations

import asyncio

import pytest
from tintype.accounts.v1 import accounts_pb2 as pb

from mesh.auth.keys import jwks_path
from mesh.auth.tokens import TokenVerifier
from mesh.errors import Code, Problem
from mesh.storage import Unavailable
from mesh.testing.harness import running
from services.accounts.module import MODULE
from services.accounts.store import AccountStore
from tests.accounts.accounts_client import CHEAP_HASHES, Accounts

DAY_MS = 86_400_000


async def refused(call, reason: str) -> Problem:
    with pytest.raises(Problem) as problem:
        await call
    assert problem.value.reason == reason
    return problem.value


async def test_an_access_token_says_who_may_do_what_until_when(accounts):
    answer = await accounts.register()
    verifier = TokenVerifier(jwks_path(accounts.mesh.process.settings.keys_dir), accounts.clock)
    caller = verifier.verify(answer.session.access_token)
    assert (caller.user_id, caller.session_id) == (answer.account.user.user_id, answer.session.session_id)
    assert caller.scopes == {"read", "write", "account"}
    assert caller.expire_time_ms == answer.session.expire_time_ms


async def test_logging_in_takes_username_or_address_in_any_case(accounts):
    account = (await accounts.register("ana")).account
    for identifier in ("ana", "ANA", " ana@example.com", "Ana@Example.com"):
        assert (await accounts.log_in(identifier)).account == account


async def test_a_refusal_does_not_say_which_half_was_wrong(accounts):
    await accounts.register("ana")
    wrong = [
        accounts.log_in("ana", "another sentence"),
        accounts.log_in("nobody"),
        accounts.log_in("no@body.example.com"),
    ]
    problems = [
        await refused(call, "CREDENTIALS_REFUSED")
        for call in [*wrong, accounts.log_in("not a name!"), accounts.log_in("nul\0@x")]
    ]
    assert {(each.code, each.message, tuple(each.fields)) for each in problems} == {
        (Code.UNAUTHENTICATED, problems[0].message, ())
    }


async def test_a_password_is_the_same_from_every_keyboard(accounts):
    await accounts.register("ana", password="caf\u00e9 au lait")
    assert await accounts.log_in("ana", "cafe\u0301 au lait")


async def test_tries_in_an_outage_do_not_lock_anybody_out(accounts, monkeypatch):
    await accounts.register("ana")

    async def away(*_):
        raise Unavailable("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(AccountStore, "account", away)
        for _ in range(15):
            await refused(accounts.log_in("ana"), "DEPENDENCY_UNAVAILABLE")
    for _ in range(9):
        await refused(accounts.log_in("ana", "a wrong sentence"), "CREDENTIALS_REFUSED")
    assert await accounts.log_in("ana")


async def test_tries_are_bounded_per_client_and_come_back(accounts):
    await accounts.register("ana")
    for _ in range(10):
        await refused(accounts.log_in("ana", "a wrong sentence"), "CREDENTIALS_REFUSED")
    limited = await refused(accounts.log_in("ANA"), "RATE_LIMITED")
    assert limited.retry_after_ms
    assert limited.retry_after_ms <= 15 * 60_000
    assert await accounts.log_in("ana", client="the owner's phone")


async def test_a_right_password_begins_the_count_anew(accounts):
    await accounts.register("ana")
    for _ in range(3):
        for _ in range(9):
            await refused(accounts.log_in("ana", "a wrong sentence"), "CREDENTIALS_REFUSED")
        await accounts.log_in("ana")


async def test_without_redis_people_still_log_in(accounts, own_redis):
    await accounts.register("ana")
    own_redis.process.kill()
    assert await accounts.log_in("ana")
    await refused(accounts.log_in("ana", "a wrong sentence"), "CREDENTIALS_REFUSED")
    await own_redis.process.restart()


async def test_each_exchange_gives_a_new_pair_for_the_same_session(accounts):
    first = await accounts.register()
    token, seen = first.session.refresh_token, {first.session.refresh_token}
    for _ in range(3):
        accounts.clock.advance(DAY_MS)
        answer = await accounts.refresh(token)
        assert answer.session.session_id == first.session.session_id
        token = answer.session.refresh_token
        seen.add(token)
    assert len(seen) == 4


async def test_a_token_used_again_ends_the_session_for_both(accounts):
    old = (await accounts.register()).session.refresh_token
    new = (await accounts.refresh(old)).session.refresh_token
    accounts.clock.advance(31_000)
    assert (await refused(accounts.refresh(old), "REFRESH_TOKEN_REUSED")).code is Code.UNAUTHENTICATED
    await refused(accounts.refresh(new), "SESSION_REVOKED")


async def test_a_lost_answer_may_be_asked_for_again_within_the_grace(accounts):
    old = (await accounts.register()).session.refresh_token
    lost = (await accounts.refresh(old)).session.refresh_token
    accounts.clock.advance(29_000)
    fresh = (await accounts.refresh(old)).session.refresh_token
    assert fresh not in (old, lost)
    accounts.clock.advance(DAY_MS)
    assert await accounts.refresh(fresh)


async def test_the_grace_is_for_the_token_just_before_alone(accounts):
    first = (await accounts.register()).session.refresh_token
    second = (await accounts.refresh(first)).session.refresh_token
    await accounts.refresh(second)
    await refused(accounts.refresh(first), "REFRESH_TOKEN_REUSED")


async def test_exchanges_at_once_all_get_good_answers(accounts):
    token = (await accounts.register()).session.refresh_token
    answers = await asyncio.gather(*(accounts.refresh(token) for _ in range(3)))
    assert len({each.session.refresh_token for each in answers}) == 3
    assert await accounts.refresh(answers[0].session.refresh_token)


async def test_a_made_up_token_is_refused_and_harms_nobody(accounts):
    good = (await accounts.register()).session.refresh_token
    forged = ("A" if good[20] != "A" else "B").join((good[:20], good[21:]))
    for token in (forged, "nonsense", "A" * 75, "é" * 20):
        await refused(accounts.refresh(token), "TOKEN_INVALID")
    assert await accounts.refresh(good)


async def test_a_session_nobody_uses_expires(accounts):
    token = (await accounts.register()).session.refresh_token
    accounts.clock.advance(60 * DAY_MS)
    await refused(accounts.refresh(token), "SESSION_REVOKED")


async def test_sessions_are_listed_and_revoked_by_their_owner_alone(accounts):
    first = await accounts.register("ana", client="phone")
    second = await accounts.log_in("ana", client="laptop" + "x" * 300)
    ben = (await accounts.register("ben")).account.user.user_id
    ana, session_id = first.account.user.user_id, first.session.session_id
    with accounts.mesh.user(ana):
        listed = (await accounts.stub.ListSessions(pb.ListSessionsRequest())).sessions
    assert [each.session_id for each in listed] == [second.session.session_id, session_id]
    assert (listed[1].client, len(listed[0].client)) == ("phone", 200)
    revoke = pb.RevokeSessionRequest(session_id=session_id)
    with accounts.mesh.user(ben):
        await refused(accounts.stub.RevokeSession(revoke), "SESSION_NOT_FOUND")
    for _ in range(2):
        with accounts.mesh.user(ana):
            await accounts.stub.RevokeSession(revoke)
    await refused(accounts.refresh(first.session.refresh_token), "SESSION_REVOKED")
    check = pb.CheckSessionsRequest(session_ids=[second.session.session_id, session_id, 77])
    assert list((await accounts.stub.CheckSessions(check)).revoked_session_ids) == [session_id]
    with accounts.mesh.user(ana):
        assert len((await accounts.stub.ListSessions(pb.ListSessionsRequest())).sessions) == 1


async def test_the_oldest_session_makes_room_for_one_too_many(tmp_path, own_redis, clock):
    few = {**CHEAP_HASHES, "accounts.sessions_per_user": "3"}
    async with running([MODULE], tmp_path / "few", redis_url=own_redis.url, clock=clock, flags=few) as mesh:
        accounts = Accounts(mesh, clock)
        opened = [await accounts.register()]
        for _ in range(4):
            clock.advance(1000)
            opened.append(await accounts.log_in("ana"))
        ids = [answer.session.session_id for answer in opened]
        with mesh.user(opened[0].account.user.user_id):
            listed = (await accounts.stub.ListSessions(pb.ListSessionsRequest())).sessions
        assert [each.session_id for each in listed] == ids[:1:-1], "the newest three"
        revoked = await accounts.stub.CheckSessions(pb.CheckSessionsRequest(session_ids=ids))
        assert list(revoked.revoked_session_ids) == ids[:2], "access tokens of the others stop as well"
        await refused(accounts.refresh(opened[1].session.refresh_token), "SESSION_REVOKED")
        await accounts.refresh(opened[2].session.refresh_token)
