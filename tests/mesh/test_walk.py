"""The walk that must always work, through each of the three doors."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from tintype.edge.v1 import (
    accounts_pb2,
    engagement_pb2,
    feed_pb2,
    graph_pb2,
    live_pb2,
    media_pb2,
    posts_pb2,
    resources_pb2,
    search_pb2,
)
from tintype.edge.v1.accounts_pb2_grpc import AccountServiceStub
from tintype.edge.v1.engagement_pb2_grpc import EngagementServiceStub
from tintype.edge.v1.feed_pb2_grpc import FeedServiceStub
from tintype.edge.v1.graph_pb2_grpc import GraphServiceStub
from tintype.edge.v1.live_pb2_grpc import LiveServiceStub
from tintype.edge.v1.media_pb2_grpc import MediaServiceStub
from tintype.edge.v1.posts_pb2_grpc import PostServiceStub
from tintype.edge.v1.search_pb2_grpc import SearchServiceStub

from cli.client import Client, chunks_of
from tests.mesh.grpc_doors import Grpc, Web
from tests.mesh.mesh_client import PASSWORD, Person, Rest, eventually, image_url, photo, unique

Kind = live_pb2.WatchPostsResponse


def shown(post: Any) -> dict[str, Any]:
    """A post without its links, which change by the hour and by the viewer."""
    return {key: value for key, value in post.items() if key not in ("media", "viewer")}


async def test_the_walk_over_rest(rest: Rest) -> None:
    ana, ben = await rest.register("ana"), await rest.register("ben")
    assert (await rest.follow(ben, ana))["following"] == "FOLLOWING"

    answer = await rest.ok(
        "POST", "/v1/media:upload?filename=p.jpg", ana, content=photo(), headers={"content-type": "image/jpeg"}
    )
    assert answer["media"]["state"] == "PROCESSING"
    media_id = answer["media"]["mediaId"]

    async def ready() -> Any:
        media = (await rest.ok("GET", f"/v1/media/{media_id}", ana))["media"]
        return media if media["state"] == "READY" else None

    media = await eventually(ready)
    assert (media["width"], media["height"]) == (400, 300)
    assert media["blurhash"]
    assert media["variants"]

    tag = unique("golden")
    word = unique("harbour")
    body = {"mediaIds": [media_id], "caption": f"Sunset over the {word} #{tag}", "place": {"name": "Lisbon"}}
    post = (await rest.ok("POST", "/v1/posts", ana, json=body))["post"]
    assert (post["caption"], post["place"]["name"], post["audience"]) == (body["caption"], "Lisbon", "EVERYONE")

    async def fed() -> Any:
        return (await rest.ok("GET", "/v1/feed", ben))["items"]

    [item] = await eventually(fed)
    assert shown(item["post"]) == shown(post)
    assert item["post"]["author"]["username"] == ana.username
    assert (item["post"]["likeCount"], item["post"]["commentCount"]) == (0, 0)
    assert item["post"]["viewer"] == {"liked": False, "saved": False}
    assert item["reasons"][0]["kind"] == "FOLLOWING"
    url = image_url(item["post"])
    image = await rest.ask("GET", url, headers={"accept": "image/webp,*/*"})
    assert (image.status_code, image.headers["content-type"], image.content[8:12]) == (200, "image/webp", b"WEBP")

    async with rest.events(f"/v1/live/posts?postIds={post['postId']}", ben) as messages:
        assert (await anext(messages))["kind"] == "HEARTBEAT"
        assert (await rest.ok("PUT", f"/v1/posts/{post['postId']}/like", ana))["post"]["likeCount"] == 1
        await rest.ok("POST", f"/v1/posts/{post['postId']}/comments", ana, json={"text": "first light"})
        seen = {"likes": 0, "comments": 0, "text": ""}
        async with asyncio.timeout(3):
            while seen != {"likes": 1, "comments": 1, "text": "first light"}:
                message = await anext(messages)
                if message["kind"] == "LIKES":
                    seen |= {"likes": message["likeCount"], "comments": message["commentCount"]}
                elif message["kind"] == "COMMENT":
                    seen["text"] = message["comment"]["text"]

    async def found(path: str, key: str) -> Any:
        return (await rest.ok("GET", path, ben))[key]

    async def liked_hit() -> Any:
        hits = await found(f"/v1/search/posts?query={word}", "posts")
        return [hit["postId"] for hit in hits] == [post["postId"]] and hits[0]["likeCount"] == 1

    await eventually(liked_hit)
    [hashtag] = await eventually(lambda: found(f"/v1/search/hashtags?query={tag}", "hashtags"))
    assert hashtag == {"tag": tag, "postCount": 1}
    [user, *_] = await eventually(lambda: found(f"/v1/search/users?query={ana.username}", "users"))
    assert user["userId"] == ana.user_id

    await rest.go_private(ana)
    await rest.ok("DELETE", f"/v1/me/followers/{ben.at}", ana)

    async def gone() -> bool:
        answers = [
            (await rest.ok("GET", "/v1/feed", ben))["items"],
            await found(f"/v1/search/posts?query={word}", "posts"),
            (await rest.ask("GET", url)).status_code != 404,
            (await rest.ask("GET", f"/v1/posts/{post['postId']}", ben)).status_code != 404,
        ]
        return not any(answers)

    await eventually(gone)


async def test_the_walk_over_grpc(rest: Rest, installation: Any, channel: grpc.aio.Channel) -> None:
    ana, ben = await grpc_register(channel, "ana"), await grpc_register(channel, "ben")
    as_ana, as_ben = Grpc(channel, ana), Grpc(channel, ben)
    follow = graph_pb2.FollowRequest(user=ana.at)
    followed = await as_ben.call(GraphServiceStub, "Follow", follow)
    assert followed.viewer.following == resources_pb2.UserViewer.FOLLOWING

    async with Client(installation.options.listen) as client:
        media = await client.upload(chunks_of(photo()), "p.jpg", "", ana.token)
    assert media.state == resources_pb2.Media.PROCESSING
    watch = media_pb2.WatchMediaRequest(media_id=media.media_id)
    async for message in as_ana.stream(MediaServiceStub, "WatchMedia", watch):
        media = message.media if message.HasField("media") else media
    assert media.state == resources_pb2.Media.READY

    word, tag = unique("pier"), unique("silver")
    create = posts_pb2.CreatePostRequest(media_ids=[media.media_id], caption=f"The {word} #{tag}")
    post = (await as_ana.call(PostServiceStub, "CreatePost", create)).post

    async def fed() -> Any:
        return (await as_ben.call(FeedServiceStub, "GetFeed", feed_pb2.GetFeedRequest())).items

    [item] = await eventually(fed)
    assert (item.post.post_id, item.post.author.username) == (post.post_id, ana.username)

    live = as_ben.stream(LiveServiceStub, "WatchPosts", live_pb2.WatchPostsRequest(post_ids=[post.post_id]))
    assert (await live.read()).kind == Kind.HEARTBEAT
    liked = await as_ana.call(EngagementServiceStub, "LikePost", engagement_pb2.LikePostRequest(post_id=post.post_id))
    assert liked.post.like_count == 1
    comment = engagement_pb2.CreateCommentRequest(post_id=post.post_id, text="first light")
    await as_ana.call(EngagementServiceStub, "CreateComment", comment)
    likes, text = 0, ""
    async with asyncio.timeout(3):
        while (likes, text) != (1, "first light"):
            message = await live.read()
            likes = message.like_count if message.kind == Kind.LIKES else likes
            text = message.comment.text if message.kind == Kind.COMMENT else text
    live.cancel()

    async def posts_found() -> Any:
        request = search_pb2.SearchPostsRequest(query=word)
        return (await as_ben.call(SearchServiceStub, "SearchPosts", request)).posts

    [hit] = await eventually(posts_found)
    assert hit.post_id == post.post_id
    tags = await as_ben.call(SearchServiceStub, "SearchHashtags", search_pb2.SearchHashtagsRequest(query=tag))
    assert [(hashtag.tag, hashtag.post_count) for hashtag in tags.hashtags] == [(tag, 1)]

    private = accounts_pb2.UpdateMeRequest(
        account=resources_pb2.Account(private=True), update_mask=FieldMask(paths=["private"])
    )
    await as_ana.call(AccountServiceStub, "UpdateMe", private)
    await as_ana.call(GraphServiceStub, "RemoveFollower", graph_pb2.RemoveFollowerRequest(user=ben.at))

    async def gone() -> bool:
        return not await fed() and not await posts_found()

    await eventually(gone)


async def test_the_core_of_the_walk_over_grpc_web(rest: Rest) -> None:
    nobody = Web(rest.http)
    name = unique("ana")
    register = accounts_pb2.RegisterRequest(username=name, email=f"{name}@example.com", password=PASSWORD)
    made = await nobody.call(accounts_pb2, "AccountService", "Register", register, accounts_pb2.RegisterResponse)
    ana, ben = as_person(made), await rest.register("ben")
    as_ana, as_ben = Web(rest.http, ana), Web(rest.http, ben)
    follow = graph_pb2.FollowRequest(user=ana.at)
    await as_ben.call(graph_pb2, "GraphService", "Follow", follow, graph_pb2.FollowResponse)
    create = posts_pb2.CreatePostRequest(media_ids=[await rest.upload(ana)], caption="from a browser")
    post = (await as_ana.call(posts_pb2, "PostService", "CreatePost", create, posts_pb2.CreatePostResponse)).post

    async def fed() -> Any:
        request, answer = feed_pb2.GetFeedRequest(), feed_pb2.GetFeedResponse
        return (await as_ben.call(feed_pb2, "FeedService", "GetFeed", request, answer)).items

    [item] = await eventually(fed)
    assert item.post.caption == "from a browser"

    watch = live_pb2.WatchPostsRequest(post_ids=[post.post_id])
    async with as_ben.stream(live_pb2, "LiveService", "WatchPosts", watch, Kind) as messages:
        assert (await anext(messages)).kind == Kind.HEARTBEAT
        like = engagement_pb2.LikePostRequest(post_id=post.post_id)
        await as_ana.call(engagement_pb2, "EngagementService", "LikePost", like, engagement_pb2.LikePostResponse)
        async with asyncio.timeout(3):
            while (message := await anext(messages)).kind != Kind.LIKES:
                pass
    assert message.like_count == 1


async def grpc_register(channel: grpc.aio.Channel, prefix: str) -> Person:
    name = unique(prefix)
    request = accounts_pb2.RegisterRequest(username=name, email=f"{name}@example.com", password=PASSWORD)
    return as_person(await Grpc(channel).call(AccountServiceStub, "Register", request))


def as_person(answer: Any) -> Person:
    account, session = answer.account, answer.session
    return Person(account.user_id, account.username, session.access_token, session.session_id, session.refresh_token)
