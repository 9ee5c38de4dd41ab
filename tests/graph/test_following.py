"""Following, asking, blocking and lists: what each promises, repeated and at once."""

from __future__ import annotations

import asyncio
import struct

import pytest
from tintype.graph.v1 import graph_pb2 as pb

from mesh.errors import Code, Problem


async def refused(call, reason: str) -> None:
    with pytest.raises(Problem) as problem:
        await call
    assert problem.value.reason == reason


async def test_following_is_seen_by_both_in_lists_and_in_counts(graph):
    ana, ben, cy = await graph.people(3)
    for _ in range(2):  # a repetition changes nothing
        relation = await graph.act(ben, "Follow", ana)
        assert relation.following
        assert not relation.followed_by
    await graph.act(cy, "Follow", ana)
    await graph.act(ben, "Follow", cy)
    assert (await graph.relation(ana, ben)).followed_by
    assert (await graph.followers(ana), await graph.following(ben)) == ([cy, ben], [cy, ana])
    assert [await graph.counts(each) for each in (ana, ben, cy)] == [(2, 0), (0, 2), (1, 1)]
    for _ in range(2):
        assert not (await graph.act(ben, "Unfollow", ana)).following
    assert not (await graph.relation(ana, ben)).followed_by
    assert (await graph.followers(ana), await graph.following(ben)) == ([cy], [cy])
    assert [await graph.counts(each) for each in (ana, ben, cy)] == [(1, 0), (0, 1), (1, 1)]


async def test_following_again_puts_one_first_again(graph):
    ana, ben, cy = await graph.people(3)
    for rpc, who in (("Follow", ben), ("Follow", cy), ("Unfollow", ben), ("Follow", ben)):
        await graph.act(who, rpc, ana)
    assert await graph.followers(ana) == [ben, cy]


async def test_a_removed_follower_is_gone(graph):
    ana, ben = await graph.people(2)
    await graph.act(ben, "Follow", ana)
    for _ in range(2):
        assert not (await graph.act(ana, "RemoveFollower", ben)).followed_by
    assert (await graph.followers(ana), await graph.counts(ana), await graph.counts(ben)) == ([], (0, 0), (0, 0))


async def test_nobody_follows_themselves_or_nobody(graph):
    (ana,) = await graph.people(1)
    await refused(graph.act(ana, "Follow", ana), "SELF_NOT_ALLOWED")
    await refused(graph.act(ana, "Follow", 12345), "USER_NOT_FOUND")
    await refused(graph.act(ana, "Block", 12345), "USER_NOT_FOUND")
    await refused(graph.act(ana, "Follow", -1), "INVALID_FIELD")
    assert await graph.counts(ana) == (0, 0)


async def test_a_private_account_is_asked_and_answers(graph):
    ana = await graph.person("ana", private=True)
    ben, cy = await graph.people(2)
    for who in (ben, cy, ben):
        relation = await graph.act(who, "Follow", ana)
        assert relation.requested
        assert not relation.following
    assert await graph.own(ana, "ListFollowRequests") == [cy, ben]
    assert (await graph.relation(ana, ben)).requested_by
    assert await graph.counts(ana) == (0, 0)
    for _ in range(2):
        assert (await graph.act(ana, "AnswerFollowRequest", ben, accept=True)).followed_by
        assert not (await graph.act(ana, "AnswerFollowRequest", cy, accept=False)).requested_by
    assert (await graph.followers(ana), await graph.own(ana, "ListFollowRequests")) == ([ben], [])
    assert await graph.counts(ana) == (1, 0)
    await refused(graph.act(ana, "AnswerFollowRequest", cy, accept=True), "FOLLOW_REQUEST_NOT_FOUND")
    assert (await graph.act(cy, "Follow", ana)).requested  # may ask again


async def test_a_request_can_be_taken_back(graph):
    ana, ben = await graph.person("ana", private=True), await graph.person("ben")
    await graph.act(ben, "Follow", ana)
    assert not (await graph.act(ben, "Unfollow", ana)).requested
    assert await graph.own(ana, "ListFollowRequests") == []
    await refused(graph.act(ana, "AnswerFollowRequest", ben, accept=True), "FOLLOW_REQUEST_NOT_FOUND")


async def test_requests_outlive_going_public_and_following_then_needs_no_answer(graph):
    ana, ben = await graph.person("ana", private=True), await graph.person("ben")
    await graph.act(ben, "Follow", ana)
    await graph.set_private(ana, False)
    assert await graph.own(ana, "ListFollowRequests") == [ben]
    relation = await graph.act(ben, "Follow", ana)
    assert relation.following
    assert not relation.requested
    assert await graph.own(ana, "ListFollowRequests") == []


async def test_followers_stay_when_an_account_goes_private(graph):
    ana, ben = await graph.people(2)
    await graph.act(ben, "Follow", ana)
    await graph.set_private(ana, True)
    assert (await graph.act(ben, "Follow", ana)).following


async def test_a_block_ends_everything_both_ways_and_answers_as_if_nobody_was_there(graph):
    ana, ben = await graph.people(2)
    for one, other in ((ana, ben), (ben, ana)):
        await graph.act(one, "Follow", other)
        await graph.act(one, "SetCloseFriend", other, close_friend=True)
    for _ in range(2):
        relation = await graph.act(ana, "Block", ben)
        assert relation.blocking
        assert not (relation.following)
        assert not (relation.followed_by)
        assert not (relation.close_friend)
    seen = await graph.relation(ben, ana)
    assert seen.blocked_by
    assert not (seen.following)
    assert not (seen.close_friend)
    assert not (seen.close_friend_of)
    assert [await graph.counts(each) for each in (ana, ben)] == [(0, 0), (0, 0)]
    assert (await graph.followers(ana), await graph.following(ana), await graph.own(ana, "ListBlocks")) == (
        [],
        [],
        [ben],
    )
    for one, other in ((ana, ben), (ben, ana)):
        await refused(graph.act(one, "Follow", other), "USER_NOT_FOUND")
    await graph.act(ana, "Unblock", ben)
    assert await graph.own(ana, "ListBlocks") == []
    assert not (await graph.relation(ana, ben)).following
    assert (await graph.act(ben, "Follow", ana)).following


async def test_a_block_ends_requests(graph):
    ana, ben = await graph.person("ana", private=True), await graph.person("ben")
    await graph.act(ben, "Follow", ana)
    await graph.act(ana, "Block", ben)
    assert await graph.own(ana, "ListFollowRequests") == []
    assert not (await graph.relation(ben, ana)).requested


async def test_both_may_block_each_other_at_once(graph):
    ana, ben = await graph.people(2)
    await asyncio.gather(graph.act(ana, "Block", ben), graph.act(ben, "Block", ana))
    relation = await graph.relation(ana, ben)
    assert relation.blocking
    assert relation.blocked_by


async def test_mutes_and_close_friends_are_lists_of_ones_own(graph):
    ana, ben, cy = await graph.people(3)
    for rpc, field, listing in (
        ("SetMute", "muting", "ListMutes"),
        ("SetCloseFriend", "close_friend", "ListCloseFriends"),
    ):
        for who in (ben, cy, ben):
            assert getattr(await graph.act(ana, rpc, who, **{field: True}), field)
        assert await graph.own(ana, listing) == [cy, ben]
        assert not getattr(await graph.act(ana, rpc, ben, **{field: False}), field)
        assert await graph.own(ana, listing) == [cy]
    assert (await graph.relation(cy, ana)).close_friend_of


async def test_limits_hold_and_say_so(graph):
    ana, *others = await graph.people(7)
    for who in others[:5]:
        await graph.act(ana, "Follow", who)
    await refused(graph.act(ana, "Follow", others[5]), "FOLLOW_LIMIT")
    assert (await graph.act(ana, "Follow", others[0])).following
    await graph.act(ana, "Unfollow", others[0])
    assert (await graph.act(ana, "Follow", others[5])).following
    for who in others[:3]:
        await graph.act(ana, "SetMute", who, muting=True)
    await refused(graph.act(ana, "SetMute", others[3], muting=True), "RELATION_LIMIT")


async def test_lists_page_without_gaps(graph):
    ana, *others = await graph.people(6)
    for who in others:
        await graph.act(who, "Follow", ana)
    found, cursor = [], b""
    while True:
        page = await graph.stub.ListFollowers(pb.ListFollowersRequest(user_id=ana, page_size=2, cursor=cursor))
        found += page.user_ids
        cursor = page.next_cursor
        if not cursor:
            break
    assert found == others[::-1]
    await refused(
        graph.stub.ListFollowers(pb.ListFollowersRequest(user_id=ana, cursor=b"nonsense of mine")), "INVALID_CURSOR"
    )


async def test_scanning_finds_each_follower_once_in_id_order_within_a_shard(graph):
    ana, *others = await graph.people(6)
    for who in others:
        await graph.act(who, "Follow", ana)
    found, shard, shards = [], 0, 1
    while shard < shards:
        after, in_shard = 0, []
        while True:
            request = pb.ScanFollowersRequest(author_id=ana, shard=shard, after_user_id=after, limit=1)
            page = await graph.stub.ScanFollowers(request)
            in_shard += struct.unpack(f">{len(page.packed_user_ids) // 8}q", page.packed_user_ids)
            after, shards = page.next_after_user_id, page.shard_count
            if not after:
                break
        assert in_shard == sorted(in_shard)
        found += in_shard
        shard += 1
    assert (sorted(found), shards) == (sorted(others), 3)
    await refused(graph.stub.ScanFollowers(pb.ScanFollowersRequest(author_id=ana, shard=3, limit=1)), "INVALID_FIELD")


async def test_relations_come_in_the_order_asked(graph):
    ana, *others = await graph.people(4)
    await graph.act(ana, "Follow", others[1])
    asked = [others[2], others[1], 999, others[1], ana]
    with graph.mesh.user(ana):
        answer = await graph.stub.BatchGetRelations(pb.BatchGetRelationsRequest(user_ids=asked))
    assert [each.user_id for each in answer.relations] == asked
    assert [each.following for each in answer.relations] == [False, True, False, True, False]
    with pytest.raises(Problem) as problem, graph.mesh.user(ana):
        await graph.stub.BatchGetRelations(pb.BatchGetRelationsRequest(user_ids=[1] * 201))
    assert problem.value.code is Code.INVALID_ARGUMENT


async def test_two_devices_and_many_followers_at_once_count_exactly(graph):
    ana, *others = await graph.people(6)
    calls = [graph.act(who, rpc, ana) for who in others for rpc in ("Follow", "Unfollow", "Follow")]
    await asyncio.gather(*calls)
    following = [who for who in others if (await graph.relation(who, ana)).following]
    assert (await graph.counts(ana))[0] == len(following)
    assert sorted(await graph.followers(ana)) == sorted(following)
    for who in others:
        assert await graph.counts(who) == (0, int(who in following))
