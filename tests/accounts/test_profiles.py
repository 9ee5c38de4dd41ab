"""Profiles: what may be changed, who sees it, and what is told to the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tintype.accounts.v1 import accounts_pb2 as pb
from tintype.events.v1.accounts_pb2 import AccountChanged

from mesh.errors import Problem
from mesh.testing.harness import running
from services.accounts.module import MODULE
from tests.accounts.accounts_client import Accounts
from tests.neighbours.listener import listener


async def test_named_fields_change_and_others_stay(accounts):
    ana = (await accounts.register("ana", display_name="Ana")).account.user
    answer = await accounts.update(
        ana.user_id, "bio", "website", bio="One\nTwo", website="https://example.com/ana", display_name="Not named"
    )
    changed = answer.account.user
    assert (changed.bio, changed.website, changed.display_name) == ("One\nTwo", "https://example.com/ana", "Ana")
    assert changed.version == ana.version + 1
    assert await accounts.user(ana.user_id) == changed
    again = await accounts.update(ana.user_id, "bio", bio="One\nTwo")
    assert again.account.user == changed
    with accounts.mesh.user(ana.user_id):
        assert (await accounts.stub.GetAccount(pb.GetAccountRequest())).account == again.account


BAD_VALUES = [
    ({"bio": "x" * 151}, "bio"),
    ({"display_name": "x" * 51}, "display_name"),
    ({"display_name": "a\u202eb"}, "display_name"),
    ({"display_name": "a\x07b"}, "display_name"),
    ({"website": "javascript:alert(1)"}, "website"),
    ({"website": "https://ana@example.com"}, "website"),
    ({"website": "https://[oops"}, "website"),
]


async def test_bad_values_change_nothing(accounts):
    ana = (await accounts.register()).account.user
    for values, field in BAD_VALUES:
        with pytest.raises(Problem) as refused:
            await accounts.update(ana.user_id, "private", *values, private=True, **values)
        assert (refused.value.reason, refused.value.fields[0].field) == ("INVALID_FIELD", field), values
    assert await accounts.user(ana.user_id) == ana


async def test_other_fields_cannot_be_changed(accounts):
    ana = (await accounts.register()).account.user
    for path in ("username", "user.bio", "hidden", "media_epoch"):
        with pytest.raises(Problem) as refused:
            await accounts.update(ana.user_id, path, username="eve")
        assert refused.value.reason == "INVALID_FIELD_MASK"
    assert await accounts.user(ana.user_id) == ana


async def test_going_private_ends_old_media_links_and_going_public_does_not(accounts):
    ana = (await accounts.register()).account.user
    for private, risen in ((True, 1), (True, 1), (False, 1), (True, 2)):
        changed = (await accounts.update(ana.user_id, "private", private=private)).account.user
        assert changed.media_epoch == ana.media_epoch + risen


async def set_hidden(accounts, user_id: int, hidden: bool) -> pb.User:
    return (await accounts.stub.SetHidden(pb.SetHiddenRequest(user_id=user_id, hidden=hidden))).user


async def test_hiding_ends_old_media_links_and_showing_again_restores_all_the_rest(accounts):
    before = (await accounts.register()).account.user
    before = (await accounts.update(before.user_id, bio="by the sea", private=True)).account.user
    for hidden, risen in ((True, 1), (True, 1), (False, 1), (True, 2), (False, 2)):
        told = await set_hidden(accounts, before.user_id, hidden)
        assert told == await accounts.user(before.user_id)
        assert (told.hidden, told.media_epoch) == (hidden, before.media_epoch + risen)
    told.version, told.media_epoch = before.version, before.media_epoch
    assert told == before


async def test_hiding_ends_no_session_and_its_owner_goes_on(accounts):
    session = await accounts.register()
    user_id = session.account.user.user_id
    await set_hidden(accounts, user_id, True)
    assert (await accounts.log_in("ana")).account.user.hidden
    await accounts.refresh(session.session.refresh_token)
    assert (await accounts.update(user_id, bio="still here")).account.user.hidden, "a change shows nobody again"


async def test_nobody_who_is_not_there_is_hidden(accounts):
    with pytest.raises(Problem) as problem:
        await set_hidden(accounts, 1, True)
    assert problem.value.reason == "USER_NOT_FOUND"


async def test_users_and_names_are_found_in_batches(accounts):
    ids = [(await accounts.register(name)).account.user.user_id for name in ("ana", "ben")]
    users = (await accounts.stub.BatchGetUsers(pb.BatchGetUsersRequest(user_ids=[ids[1], 999, ids[0]]))).users
    assert [user.username for user in users] == ["ben", "ana"]
    names = pb.ResolveUsernamesRequest(usernames=["Ana", "nobody", "ben", "not a name", "", "nul\0"])
    assert dict((await accounts.stub.ResolveUsernames(names)).user_ids) == {"Ana": ids[0], "ben": ids[1]}


async def test_every_change_is_announced_in_order_with_all_facts(tmp_path: Path, own_redis, clock):
    seen = []
    modules = [MODULE, listener("accounts", seen, AccountChanged)]
    flags = {"accounts.argon2_memory_kib": "8", "accounts.argon2_passes": "1"}
    async with running(modules, tmp_path / "state", redis_url=own_redis.url, clock=clock, flags=flags) as mesh:
        accounts = Accounts(mesh, clock)
        ana = (await accounts.register("ana")).account.user.user_id
        await accounts.update(ana, "private", private=True)
        await accounts.update(ana, "private", private=True)
        await accounts.update(ana, "bio", bio="Hello")
        await mesh.settle()
    assert [(each.version, each.username, each.private, each.bio) for each in seen] == [
        (1, "ana", False, ""),
        (2, "ana", True, ""),
        (3, "ana", True, "Hello"),
    ]
