"""Registering: what is refused, what is promised to those who repeat, and that no name gets stuck."""

from __future__ import annotations

import asyncio

import pytest
from tintype.accounts.v1 import accounts_pb2 as pb

from mesh.errors import Code, Problem

REQUEST = "7b2e6f1e-5d1f-4f53-9d0c-3f5a1c9b8e01"


async def test_registering_gives_an_account_and_a_session_that_works(accounts):
    answer = await accounts.register("Ana.B", email="Ana@Example.com", display_name=" Ana ")
    assert answer.account.user.username == "ana.b"
    assert answer.account.user.display_name == "Ana"
    assert answer.account.email == "ana@example.com"
    assert answer.session.session_id
    assert answer.session.access_token
    assert answer.session.refresh_token
    assert await accounts.user(answer.account.user.user_id) == answer.account.user
    again = await accounts.log_in("ana@EXAMPLE.com")
    assert again.account == answer.account


async def test_bad_usernames_are_refused(accounts):
    for name in ["ab", "a" * 31, ".ana", "ana.", "a..b", "a-b", "añb", "admin", "me", "Tintype", "a b"]:
        with pytest.raises(Problem) as refused:
            await accounts.register(name, email="ana@example.com")
        assert (refused.value.reason, refused.value.fields[0].field) == ("INVALID_FIELD", "username"), name


async def test_bad_addresses_are_refused(accounts):
    for email in ["ana", "ana@", "@example.com", "ana@localhost", "a b@example.com"]:
        with pytest.raises(Problem) as refused:
            await accounts.register("ana", email=email)
        assert (refused.value.reason, refused.value.fields[0].field) == ("INVALID_FIELD", "email"), email


async def test_weak_passwords_are_refused(accounts):
    for password in ["short", "x" * 129, "password123", "aaaaaaaaaa", "my name is ANA!"]:
        with pytest.raises(Problem) as refused:
            await accounts.register("ana", password=password)
        assert (refused.value.reason, refused.value.fields[0].field) == ("PASSWORD_TOO_WEAK", "password"), password
    assert await accounts.register("ana")


async def test_names_and_addresses_belong_to_one_account_each(accounts):
    await accounts.register("ana", email="one@example.com")
    with pytest.raises(Problem) as taken:
        await accounts.register("ANA", email="two@example.com")
    assert (taken.value.code, taken.value.reason) == (Code.ALREADY_EXISTS, "USERNAME_TAKEN")
    with pytest.raises(Problem) as taken:
        await accounts.register("ben", email="ONE@example.com")
    assert (taken.value.code, taken.value.reason) == (Code.ALREADY_EXISTS, "EMAIL_TAKEN")
    assert await accounts.register("ben", email="two@example.com")


async def test_a_request_repeated_is_one_account_and_one_session(accounts):
    first, *rest = await asyncio.gather(*(accounts.register("ana", request_id=REQUEST) for _ in range(4)))
    rest.append(await accounts.register("ana", request_id=REQUEST))
    assert {each.account.user.user_id for each in rest} == {first.account.user.user_id}
    assert {each.session.session_id for each in rest} == {first.session.session_id}
    assert await accounts.refresh(rest[-1].session.refresh_token)
    listed = await accounts.stub.ListUsers(pb.ListUsersRequest())
    assert [user.username for user in listed.users] == ["ana"]


async def test_a_request_id_is_for_one_request(accounts):
    await accounts.register("ana", request_id=REQUEST)
    for other in [{"email": "else@example.com"}, {"display_name": "Else"}, {"password": "another sentence"}]:
        with pytest.raises(Problem) as refused:
            await accounts.register("ana", request_id=REQUEST, **other)
        assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_a_refused_request_may_be_corrected_under_the_same_id(accounts):
    await accounts.register("ana")
    with pytest.raises(Problem):
        await accounts.register("ana", email="new@example.com", request_id=REQUEST)
    assert await accounts.register("anna", email="new@example.com", request_id=REQUEST)


async def test_of_many_who_want_a_name_at_once_one_gets_it(accounts):
    tries = (accounts.register("ana", email=f"a{n}@example.com") for n in range(8))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    won = [answer for answer in answers if not isinstance(answer, Problem)]
    assert len(won) == 1
    assert {answer.reason for answer in answers if isinstance(answer, Problem)} == {"USERNAME_TAKEN"}
    # The losers' addresses are free.
    for n in range(8):
        if won[0].account.email != f"a{n}@example.com":
            assert await accounts.register(f"ana{n}", email=f"a{n}@example.com")


async def test_everybody_is_listed_in_id_order(accounts):
    ids = []
    for n in range(7):
        ids.append((await accounts.register(f"user{n}x")).account.user.user_id)
        accounts.clock.advance(40_000_000)
    found, after = [], 0
    while True:
        page = await accounts.stub.ListUsers(pb.ListUsersRequest(page_size=3, after_user_id=after))
        found += [user.user_id for user in page.users]
        after = page.next_after_user_id
        if not after:
            break
    assert found == ids
