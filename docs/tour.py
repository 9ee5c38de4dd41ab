"""A tour of the API over gRPC, with the generated stubs: two people, one photo, from upload to going private.

    .venv/bin/python docs/tour.py [photo.jpg] [--gateway 127.0.0.1:8080]

Every run registers two people of its own, so it may be repeated. Without a photo it draws one.
"""
# ruff: noqa: T201

from __future__ import annotations

import argparse
import io
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from PIL import Image
from tintype.edge.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    engagement_pb2,
    engagement_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    graph_pb2,
    graph_pb2_grpc,
    live_pb2,
    live_pb2_grpc,
    media_pb2,
    media_pb2_grpc,
    posts_pb2,
    posts_pb2_grpc,
    resources_pb2,
    search_pb2,
    search_pb2_grpc,
    uploads_pb2,
    uploads_pb2_grpc,
)

CHUNK_BYTES = 256 * 1024
TIMEOUT_S = 10.0
SETTLED_S = 10.0
"""How long the tour waits for what follows an answer: the feed, the index, a right that was lost."""


class Person:
    """Somebody with an account: every call is made with their access token."""

    def __init__(self, channel: grpc.Channel, username: str, display_name: str) -> None:
        request = accounts_pb2.RegisterRequest(
            request_id=str(uuid.uuid4()),
            username=username,
            email=f"{username}@example.com",
            password=f"{uuid.uuid4()}",
            display_name=display_name,
        )
        answer = accounts_pb2_grpc.AccountServiceStub(channel).Register(request, timeout=TIMEOUT_S)
        self.username = username
        self._metadata = (("authorization", f"Bearer {answer.session.access_token}"),)

    def call(self, method: Any, request: Any, timeout_s: float = TIMEOUT_S) -> Any:
        """Call a method; an answer, or a stream of them."""
        return method(request, timeout=timeout_s, metadata=self._metadata)


def main() -> None:
    """Walk through it all."""
    parser = argparse.ArgumentParser(description="A tour of the API over gRPC.")
    parser.add_argument("photo", nargs="?", type=Path, help="a JPEG, PNG or WebP file")
    parser.add_argument("--gateway", default=os.environ.get("TINTYPE_GATEWAY", "127.0.0.1:8080"), help="host:port")
    arguments = parser.parse_args()
    content = arguments.photo.read_bytes() if arguments.photo else drawn()
    with grpc.insecure_channel(arguments.gateway) as channel:
        try:
            tour(channel, content)
        except grpc.RpcError as error:
            raise SystemExit(f"{arguments.gateway}: {error.details()} ({reason(error)})") from None


def tour(channel: grpc.Channel, content: bytes) -> None:
    """Two people and what happens between them."""
    suffix = uuid.uuid4().hex[:8]
    ana, ben = Person(channel, f"ana_{suffix}", "Ana"), Person(channel, f"ben_{suffix}", "Ben")
    graph = graph_pb2_grpc.GraphServiceStub(channel)
    following = ben.call(graph.Follow, graph_pb2.FollowRequest(user=f"@{ana.username}")).viewer.following
    print(f"{ben.username} → {ana.username}: {resources_pb2.UserViewer.Following.Name(following)}")

    media = upload(channel, ana, content)
    print(f"medium {media.media_id}: {media.width} × {media.height}, {len(media.variants)} sizes")
    post = publish(channel, ana, media.media_id)
    read_feed(channel, ben, post.post_id)
    watch(channel, ben, ana, post.post_id)
    search(channel, ben, post.post_id)
    go_private(channel, ana, ben, post.post_id)


def upload(channel: grpc.Channel, person: Person, content: bytes) -> Any:
    """Stream a photo up in chunks, then watch it until its sizes are made."""

    def messages() -> Iterator[uploads_pb2.UploadRequest]:
        yield uploads_pb2.UploadRequest(request_id=str(uuid.uuid4()), filename="photo.jpg")
        for start in range(0, len(content), CHUNK_BYTES):
            chunk = HttpBody(data=content[start : start + CHUNK_BYTES])
            yield uploads_pb2.UploadRequest(content=chunk)

    media = person.call(uploads_pb2_grpc.UploadServiceStub(channel).Upload, messages(), timeout_s=120).media
    watching = media_pb2.WatchMediaRequest(media_id=media.media_id)
    for message in person.call(media_pb2_grpc.MediaServiceStub(channel).WatchMedia, watching, timeout_s=60):
        if message.HasField("media"):
            media = message.media
    if media.state != resources_pb2.Media.READY:
        raise SystemExit(f"the photo was refused: {media.failure.message} ({media.failure.reason})")
    return media


def publish(channel: grpc.Channel, person: Person, media_id: str) -> Any:
    """A post of one photo. With its request id the call may be repeated."""
    request = posts_pb2.CreatePostRequest(
        request_id=str(uuid.uuid4()), media_ids=[media_id], caption="First light over the bay #morning"
    )
    return person.call(posts_pb2_grpc.PostServiceStub(channel).CreatePost, request).post


def read_feed(channel: grpc.Channel, person: Person, post_id: str) -> None:
    """The post arrives by an event, a moment after it was published."""
    feed = feed_pb2_grpc.FeedServiceStub(channel)

    def arrived() -> bool:
        page = person.call(feed.GetFeed, feed_pb2.GetFeedRequest(page_size=10))
        for item in page.items:
            print(f"feed: {item.post.author.username}: {item.post.caption} ({item.reasons[0].text})")
        return any(item.post.post_id == post_id for item in page.items)

    until(arrived, "the post reaches the feed")


def watch(channel: grpc.Channel, reader: Person, author: Person, post_id: str) -> None:
    """A like and a comment, seen on an open stream."""
    kinds = live_pb2.WatchPostsResponse
    live = live_pb2_grpc.LiveServiceStub(channel)
    stream = reader.call(live.WatchPosts, live_pb2.WatchPostsRequest(post_ids=[post_id]), timeout_s=SETTLED_S)
    next(stream)  # The first message comes at once: from here on nothing is missed.
    engagement = engagement_pb2_grpc.EngagementServiceStub(channel)
    author.call(engagement.LikePost, engagement_pb2.LikePostRequest(post_id=post_id))
    comment = engagement_pb2.CreateCommentRequest(
        request_id=str(uuid.uuid4()), post_id=post_id, text="Taken at six in the morning."
    )
    author.call(engagement.CreateComment, comment)
    for message in stream:
        if message.kind == kinds.COMMENT:
            print(f"live: {message.comment.author.username}: {message.comment.text}")
        if message.kind == kinds.LIKES:
            print(f"live: {message.like_count} likes, {message.comment_count} comments")
            if message.like_count == message.comment_count == 1:
                break
    stream.cancel()


def search(channel: grpc.Channel, person: Person, post_id: str) -> None:
    """A word of the caption finds the post."""
    stub = search_pb2_grpc.SearchServiceStub(channel)

    def found() -> bool:
        page = person.call(stub.SearchPosts, search_pb2.SearchPostsRequest(query="bay light"))
        return any(post.post_id == post_id for post in page.posts)

    until(found, "the post is found by a word of its caption")
    tags = person.call(stub.SearchHashtags, search_pb2.SearchHashtagsRequest(query="morn")).hashtags
    print("search:", ", ".join(f"#{tag.tag} ({tag.post_count})" for tag in tags))


def go_private(channel: grpc.Channel, author: Person, reader: Person, post_id: str) -> None:
    """The author goes private and removes a follower: the post is gone for them."""
    account = resources_pb2.Account(private=True)
    change = accounts_pb2.UpdateMeRequest(account=account, update_mask=FieldMask(paths=["private"]))
    author.call(accounts_pb2_grpc.AccountServiceStub(channel).UpdateMe, change)
    graph = graph_pb2_grpc.GraphServiceStub(channel)
    author.call(graph.RemoveFollower, graph_pb2.RemoveFollowerRequest(user=f"@{reader.username}"))
    posts = posts_pb2_grpc.PostServiceStub(channel)

    def gone() -> bool:
        try:
            reader.call(posts.GetPost, posts_pb2.GetPostRequest(post_id=post_id))
        except grpc.RpcError as error:
            print(f"private: {reason(error)}")
            return reason(error) == "POST_NOT_FOUND"
        return False

    until(gone, "the post disappears")


def reason(error: grpc.RpcError) -> str:
    """The machine-readable reason of a refusal: every error has exactly one ErrorInfo."""
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            break
    return str(info.reason or error.code().name)


def until(condition: Any, promise: str) -> None:
    """Ask again until it holds, for ten seconds."""
    give_up = time.monotonic() + SETTLED_S
    while not condition():
        if time.monotonic() > give_up:
            raise SystemExit(f"not within {SETTLED_S:g} s: {promise}")
        time.sleep(0.2)


def drawn() -> bytes:
    """A photo for those who have none at hand."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((1600, 1200)).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
