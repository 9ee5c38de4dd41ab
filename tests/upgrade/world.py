"""A small world: written by the version whose data is kept, read back by the versions after it."""

from __future__ import annotations

import importlib.util
import uuid
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from tintype.edge.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    engagement_pb2,
    engagement_pb2_grpc,
    graph_pb2,
    graph_pb2_grpc,
    posts_pb2,
    posts_pb2_grpc,
    resources_pb2,
    sessions_pb2,
    sessions_pb2_grpc,
)

PASSWORD = "silver and light"
_TOUR = Path(__file__).parents[2] / "docs" / "tour.py"


class Person:
    """Somebody who has logged in: every call is made with their access token."""

    def __init__(self, session: Any) -> None:
        self._metadata = (("authorization", f"Bearer {session.access_token}"),)

    def call(self, method: Any, request: Any, timeout_s: float = 20) -> Any:
        """Call a method; an answer, or a stream of them."""
        return method(request, timeout=timeout_s, metadata=self._metadata)


def log_in(channel: grpc.Channel, name: str) -> Person:
    """Somebody of the world."""
    request = sessions_pb2.LogInRequest(username=name, password=PASSWORD)
    return Person(sessions_pb2_grpc.SessionServiceStub(channel).LogIn(request, timeout=20).session)


def write(channel: grpc.Channel) -> None:
    """The world: Ben follows Ana and asks Eva, who is private; Ana has blocked Eva, who followed her; one post with
    a place, likes and comments, one that was edited, one archived, one deleted."""
    ana, ben, eva = (_register(channel, name) for name in ("ana", "ben", "eva"))
    _profiles(channel, ana, eva)
    _edges(channel, ana, ben, eva)
    _engagement(channel, ana, ben, *_posts(channel, ana))


def _register(channel: grpc.Channel, name: str) -> Person:
    request = accounts_pb2.RegisterRequest(
        request_id=str(uuid.uuid4()),
        username=name,
        email=f"{name}@example.com",
        password=PASSWORD,
        display_name=name.title(),
    )
    return Person(accounts_pb2_grpc.AccountServiceStub(channel).Register(request, timeout=20).session)


def _profiles(channel: grpc.Channel, ana: Person, eva: Person) -> None:
    stub = accounts_pb2_grpc.AccountServiceStub(channel)
    for person, field, value in ((ana, "bio", "Light, mostly."), (eva, "private", True)):
        account = resources_pb2.Account(**{field: value})
        person.call(stub.UpdateMe, accounts_pb2.UpdateMeRequest(account=account, update_mask=FieldMask(paths=[field])))


def _edges(channel: grpc.Channel, ana: Person, ben: Person, eva: Person) -> None:
    stub = graph_pb2_grpc.GraphServiceStub(channel)
    for person, whom in ((ben, "@ana"), (ben, "@eva"), (eva, "@ana")):
        person.call(stub.Follow, graph_pb2.FollowRequest(user=whom))
    ana.call(stub.Block, graph_pb2.BlockRequest(user="@eva"))


def _posts(channel: grpc.Channel, ana: Person) -> tuple[str, str]:
    tour = _tour()
    media_id = tour.upload(channel, ana, tour.drawn()).media_id
    stub = posts_pb2_grpc.PostServiceStub(channel)
    place = resources_pb2.Place(name="The bay", latitude=38.7, longitude=-9.1)

    def post(caption: str, **more: Any) -> str:
        request = posts_pb2.CreatePostRequest(
            request_id=str(uuid.uuid4()), media_ids=[media_id], caption=caption, **more
        )
        return str(ana.call(stub.CreatePost, request).post.post_id)

    first, second = post("First light over the bay #morning", place=place), post("Second")
    changed = resources_pb2.Post(caption="Second, edited #evening")
    mask = FieldMask(paths=["caption"])
    ana.call(stub.UpdatePost, posts_pb2.UpdatePostRequest(post_id=second, post=changed, update_mask=mask))
    ana.call(stub.ArchivePost, posts_pb2.ArchivePostRequest(post_id=post("Archived")))
    ana.call(stub.DeletePost, posts_pb2.DeletePostRequest(post_id=post("Deleted")))
    return first, second


def _engagement(channel: grpc.Channel, ana: Person, ben: Person, first: str, second: str) -> None:
    stub = engagement_pb2_grpc.EngagementServiceStub(channel)
    for person, post_id in ((ben, first), (ana, first), (ana, second)):
        person.call(stub.LikePost, engagement_pb2.LikePostRequest(post_id=post_id))
    ana.call(stub.UnlikePost, engagement_pb2.UnlikePostRequest(post_id=second))

    def comment(person: Person, text: str, **more: str) -> str:
        request = engagement_pb2.CreateCommentRequest(request_id=str(uuid.uuid4()), post_id=first, text=text, **more)
        return str(person.call(stub.CreateComment, request).comment.comment_id)

    comment(ana, "The bay.", parent_comment_id=comment(ben, "Where is this?"))
    ben.call(stub.DeleteComment, engagement_pb2.DeleteCommentRequest(comment_id=comment(ben, "Gone soon")))


def _tour() -> Any:
    spec = importlib.util.spec_from_file_location("tour", _TOUR)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
