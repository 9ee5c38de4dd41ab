"""Bounds of the public API: those that its contract declares, for the services that hold what they were given,
normalised, to them, and what no contract can declare."""

from __future__ import annotations

from importlib import import_module

from buf.validate import validate_pb2

MAX_JSON_BYTES = 128 * 1024
"""The largest JSON body, which the gateway holds clients to. Photos are streamed, and have a limit of their own."""


def longest(field: str) -> int:
    """The most characters or items of a field: ``longest("edge.v1.posts.CreatePostRequest.caption")``.
    Raises ValueError where none is declared."""
    file, message, name = field.rsplit(".", 2)
    descriptor = import_module(f"tintype.{file}_pb2").DESCRIPTOR.message_types_by_name[message].fields_by_name[name]
    rules = descriptor.GetOptions().Extensions[validate_pb2.field]
    if most := rules.string.max_len or rules.repeated.max_items:
        return int(most)
    raise ValueError(f"{field} declares no bound")
