"""Every limit that is enforced, read from the place that enforces it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from buf.validate import validate_pb2
from tintype.edge.v1 import accounts_pb2, engagement_pb2, posts_pb2, search_pb2, system_pb2

from edge import pages
from mesh.config import Limit, Section, Settings
from mesh.limits import MAX_JSON_BYTES


def limits(settings: Settings) -> list[Any]:
    """The limits of this installation."""
    return [system_pb2.Limit(name=n, value=v, unit=u, description=d) for n, v, u, d in _all(settings)]


def _all(settings: Settings) -> Iterator[tuple[str, int, str, str]]:
    yield from _fields()
    yield "json.bytes", MAX_JSON_BYTES, "bytes", "the largest JSON body"
    yield "pageSize", pages.MAX_SIZE, "items", "the most that one page of a list holds"
    yield from _settings(settings)
    for name, rate in settings.rates.by_class.items():
        yield (
            f"rate.{name.lower()}",
            rate.per_second * 60,
            "calls a minute",
            f"calls of class {name} per client address",
        )
        yield f"burst.{name.lower()}", rate.burst, "calls", f"calls of class {name} at once per client address"


def _settings(settings: Settings) -> Iterator[tuple[str, int, str, str]]:
    """Limits that a module's section declares beside the setting."""
    for name, section in settings:
        if isinstance(section, Section):
            for key, field in type(section).model_fields.items():
                for each in field.metadata:
                    if isinstance(each, Limit):
                        yield f"{name}.{key}", getattr(section, key), each.unit, each.description


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
