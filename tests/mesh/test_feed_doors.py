"""A feed page is the same through every door: as gRPC, as JSON of its own, and post by post through the transcoder."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf import json_format
from tintype.edge.v1 import feed_pb2
from tintype.edge.v1.feed_pb2_grpc import FeedServiceStub

from tests.mesh.grpc_doors import Grpc
from tests.mesh.mesh_client import Rest, eventually

VIENNA = {"name": "Café Central ☕", "latitude": 48.2101, "longitude": 16.3651}
POSTS: list[dict[str, Any]] = [
    {},
    {"caption": 'Unicode: Ø 海 👩‍👩‍👧 "quoted" \\ back\nnew line \u2028 </script> é'},
    {"place": VIENNA, "caption": "#sea at the café"},
    {"place": {"name": "Nowhere"}},
    {"place": {"name": "Null Island", "latitude": 0.0, "longitude": 0.0}},
    {"audience": "FOLLOWERS", "commentsDisabled": True},
    {"audience": "CLOSE_FRIENDS", "caption": "for few"},
]


async def test_a_feed_page_is_the_same_through_every_door(rest: Rest, channel: grpc.aio.Channel) -> None:
    author, reader = await rest.register("ana"), await rest.register("ben")
    await rest.follow(reader, author)
    await rest.ok("PUT", f"/v1/me/close-friends/{reader.at}", author)
    media = [await rest.upload(author) for _ in range(3)]
    await rest.ok(
        "PATCH",
        "/v1/me?updateMask=avatarMediaId,displayName",
        author,
        json={
            "avatarMediaId": media[0],
            "displayName": "Ána ☀ “quoted”",
        },
    )
    bodies = [{"mediaIds": media[:1], **body} for body in POSTS] + [{"mediaIds": media}]
    posts = [(await rest.ok("POST", "/v1/posts", author, json=body))["post"] for body in bodies]
    posts.append(await rest.publish(reader, "own"))
    await rest.ok("PUT", f"/v1/posts/{posts[1]['postId']}/like", reader)
    await rest.ok("POST", f"/v1/posts/{posts[1]['postId']}/comments", author, json={"text": "one"})

    async def whole() -> Any:
        page = await rest.ok("GET", "/v1/feed", reader)
        return page if len(page["items"]) == len(posts) else None

    await eventually(whole)
    for size in (100, 4):
        await same_page(rest, channel, reader, size)
    for item in (await rest.ok("GET", "/v1/feed", reader))["items"]:
        alone = await rest.ok("GET", f"/v1/posts/{item['post']['postId']}", reader)
        assert item["post"] == alone["post"]


async def same_page(rest: Rest, channel: grpc.aio.Channel, reader: Any, size: int) -> None:
    """Every page of that size, through the two doors."""
    token = ""
    while True:
        request = feed_pb2.GetFeedRequest(page_size=size, page_token=token)
        page = await Grpc(channel, reader).call(FeedServiceStub, "GetFeed", request)
        over_rest = await rest.ok("GET", f"/v1/feed?pageSize={size}&pageToken={token}", reader)
        rendered = json_format.MessageToDict(page, always_print_fields_with_no_presence=True)
        assert over_rest == rendered
        token = page.next_page_token
        if not token:
            return
