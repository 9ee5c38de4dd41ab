"""Every limit that is enforced, read from the place that enforces it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from buf.validate import validate_pb2
from tintype.edge.v1 import accounts_pb2, engagement_pb2, posts_pb2, search_pb2, system_pb2

from edge import pages
from mesh.config import Settings
from mesh.limits import MAX_JSON_BYTES


def limits(settings: Settings) -> list[Any]:
    """The limits of this installation."""
    return [system_pb2.Limit(name=n, value=v, unit=u, description=d) for n, v, u, d in _all(settings)]


def _all(settings: Settings) -> Iterator[tuple[str, int, str, str]]:
    yield from _fields()
    yield "json.bytes", MAX_JSON_BYTES, "bytes", "the largest JSON body"
    yield "pageSize", pages.MAX_SIZE, "items", "the most that one page of a list holds"
    for section, field, unit, description in (
        ("media", "max_upload_bytes", "bytes", "the largest photo"),
        ("graph", "following_limit", "items", "how many people one may follow"),
        ("graph", "list_limit", "items", "how many people one may block, mute, or keep close, each"),
        ("edge", "streams_per_account", "items", "live streams that one may have open at a time"),
        ("accounts", "sessions_per_user", "items", "sessions that one may have open: the oldest makes room"),
        ("accounts", "login_tries", "calls", "failed attempts to log in, each client and account, within the window"),
        ("accounts", "login_window_minutes", "minutes", "the window that attempts to log in are counted in"),
    ):
        value = getattr(getattr(settings, section, None), field, None)
        if value is not None:
            yield f"{section}.{field}", value, unit, description
    for name, rate in settings.rates.by_class.items():
        yield (
            f"rate.{name.lower()}",
            rate.per_second * 60,
            "calls a minute",
            f"calls of class {name} per client address",
        )
        yield f"burst.{name.lower()}", rate.burst, "calls", f"calls of class {name} at once per client address"


def _fields() -> Iterator[tuple[str, int, str, str]]:
    """Limits that the protos declare."""
    register = accounts_pb2.RegisterRequest.DESCRIPTOR
    post = posts_pb2.CreatePostRequest.DESCRIPTOR
    comment = engagement_pb2.CreateCommentRequest.DESCRIPTOR
    query = search_pb2.SearchPostsRequest.DESCRIPTOR
    yield "password.min", _rules(register, "password").string.min_len, "characters", "the shortest password"
    yield "password.max", _rules(register, "password").string.max_len, "characters", "the longest password"
    yield "mediaIds", _rules(post, "media_ids").repeated.max_items, "items", "photos in a post"
    yield "caption", _rules(post, "caption").string.max_len, "characters", "the longest caption"
    yield "comment", _rules(comment, "text").string.max_len, "characters", "the longest comment"
    yield "query", _rules(query, "query").string.max_len, "characters", "the longest search"


def _rules(message: Any, field: str) -> Any:
    return message.fields_by_name[field].GetOptions().Extensions[validate_pb2.field]
