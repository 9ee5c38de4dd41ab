"""Today's services on the data of earlier versions: all of it reads back, and goes on being changed.

A folder beside this file is what the services of that version wrote (record.py): the tables, and neither the streams
nor the index, which are rebuilt.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tintype.edge.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    engagement_pb2,
    engagement_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    graph_pb2,
    graph_pb2_grpc,
    posts_pb2,
    posts_pb2_grpc,
    profiles_pb2,
    profiles_pb2_grpc,
    resources_pb2,
)

from cli.modules import modules
from mesh.clock import FakeClock
from mesh.ids import time_ms
from mesh.testing.harness import Harness, running
from stack.redis import RedisServer
from stack.s3 import S3Server
from tests.upgrade import world

VERSIONS = sorted(path.name for path in Path(__file__).parent.glob("v*"))
_DAY_MS = 86_400_000


def restore(version: str, state: Path) -> int:
    """The state directory as that version left it; the time of the newest post."""
    (state / "db").mkdir(parents=True)
    for script in Path(__file__).with_name(version).glob("*.sql"):
        with sqlite3.connect(state / "db" / f"{script.stem}.db") as connection:
            connection.executescript(script.read_text())
    with sqlite3.connect(state / "db" / "media.db") as connection:
        (newest,) = connection.execute("SELECT max(post_id) FROM posts").fetchone()
    return time_ms(newest)


@pytest.fixture(params=VERSIONS)
async def older(
    request: pytest.FixtureRequest, tmp_path: Path, own_redis: RedisServer, s3: S3Server
) -> AsyncIterator[Harness]:
    """All services, a day after that version was stopped: its events are in the outboxes and nowhere else."""
    clock = FakeClock(restore(request.param, tmp_path / "state") + _DAY_MS)
    async with running(modules(), tmp_path / "state", redis_url=own_redis.url, s3=s3, clock=clock) as mesh:
        await mesh.settle()
        yield mesh


async def test_everything_reads_back_and_goes_on(older: Harness) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{older.process.port}") as channel:
        ana, ben, eva = [await asyncio.to_thread(world.log_in, channel, name) for name in ("ana", "ben", "eva")]
        await asyncio.to_thread(_people, channel, ana, ben, eva)
        posts = await asyncio.to_thread(_feed, channel, ben)
        await asyncio.to_thread(_engagement, channel, ben, posts)
        await asyncio.to_thread(_hidden, channel, eva, posts)
        await asyncio.to_thread(_changes, channel, ana, ben, posts)


def _people(channel: grpc.Channel, ana: world.Person, ben: world.Person, eva: world.Person) -> None:
    accounts = accounts_pb2_grpc.AccountServiceStub(channel)
    graph = graph_pb2_grpc.GraphServiceStub(channel)
    mine = ana.call(accounts.GetMe, accounts_pb2.GetMeRequest()).account
    assert (mine.display_name, mine.bio, mine.private) == ("Ana", "Light, mostly.", False)
    assert eva.call(accounts.GetMe, accounts_pb2.GetMeRequest()).account.private
    profiles = profiles_pb2_grpc.ProfileServiceStub(channel)
    profile = ben.call(profiles.GetProfile, profiles_pb2.GetProfileRequest(user="@ana")).user
    assert (profile.follower_count, profile.following_count, profile.post_count) == (1, 0, 2)
    followers = ben.call(profiles.ListFollowers, profiles_pb2.ListFollowersRequest(user="@ana"))
    assert [user.username for user in followers.users] == ["ben"]
    requests = eva.call(graph.ListFollowRequests, graph_pb2.ListFollowRequestsRequest())
    assert [user.username for user in requests.users] == ["ben"]
    blocks = ana.call(graph.ListBlocks, graph_pb2.ListBlocksRequest())
    assert [user.username for user in blocks.users] == ["eva"]


def _feed(channel: grpc.Channel, ben: world.Person) -> list[Any]:
    page = ben.call(feed_pb2_grpc.FeedServiceStub(channel).GetFeed, feed_pb2.GetFeedRequest(page_size=10))
    posts = [item.post for item in page.items]
    assert [post.caption for post in posts] == ["Second, edited #evening", "First light over the bay #morning"]
    assert (posts[1].place.name, posts[1].place.latitude) == ("The bay", 38.7)
    assert [len(post.media[0].variants) > 1 for post in posts] == [True, True]
    return posts


def _engagement(channel: grpc.Channel, ben: world.Person, posts: list[Any]) -> None:
    stub = engagement_pb2_grpc.EngagementServiceStub(channel)
    assert [(post.like_count, post.comment_count) for post in posts] == [(0, 0), (2, 2)]
    assert [post.viewer.liked for post in posts] == [False, True]
    likers = ben.call(stub.ListLikes, engagement_pb2.ListLikesRequest(post_id=posts[1].post_id)).likes
    assert {like.user.username for like in likers} == {"ana", "ben"}
    (comment,) = ben.call(stub.ListComments, engagement_pb2.ListCommentsRequest(post_id=posts[1].post_id)).comments
    assert (comment.author.username, comment.text, comment.reply_count) == ("ben", "Where is this?", 1)
    replies = engagement_pb2.ListRepliesRequest(comment_id=comment.comment_id)
    assert [reply.text for reply in ben.call(stub.ListReplies, replies).comments] == ["The bay."]


def _hidden(channel: grpc.Channel, eva: world.Person, posts: list[Any]) -> None:
    """Who is blocked sees nothing."""
    with pytest.raises(grpc.RpcError) as refused:
        eva.call(posts_pb2_grpc.PostServiceStub(channel).GetPost, posts_pb2.GetPostRequest(post_id=posts[0].post_id))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def _changes(channel: grpc.Channel, ana: world.Person, ben: world.Person, posts: list[Any]) -> None:
    """Each kind of row that decides by compare-and-set, once."""
    likes = engagement_pb2_grpc.EngagementServiceStub(channel)
    second, first = (post.post_id for post in posts)
    assert ben.call(likes.UnlikePost, engagement_pb2.UnlikePostRequest(post_id=first)).post.like_count == 1
    assert ana.call(likes.LikePost, engagement_pb2.LikePostRequest(post_id=second)).post.like_count == 1
    graph = graph_pb2_grpc.GraphServiceStub(channel)
    ben.call(graph.Unfollow, graph_pb2.UnfollowRequest(user="@ana"))
    profiles = profiles_pb2_grpc.ProfileServiceStub(channel)
    assert ana.call(profiles.GetProfile, profiles_pb2.GetProfileRequest(user="@ana")).user.follower_count == 0
    archive = posts_pb2.ArchivePostRequest(post_id=second)
    assert ana.call(posts_pb2_grpc.PostServiceStub(channel).ArchivePost, archive).post.archived
    account = resources_pb2.Account(bio="Dusk.")
    change = accounts_pb2.UpdateMeRequest(account=account, update_mask={"paths": ["bio"]})
    assert ana.call(accounts_pb2_grpc.AccountServiceStub(channel).UpdateMe, change).account.bio == "Dusk."
