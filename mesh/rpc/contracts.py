"""The contracts as data: the committed descriptor set, comments included."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

DESCRIPTORS = Path(str(files("tintype") / "descriptors.binpb"))
"""The descriptor set of all protos, as Envoy reads it too."""


@cache
def files_of(package: str) -> tuple[descriptor_pb2.FileDescriptorProto, ...]:
    """The files of one package, in the order of the set."""
    found = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    return tuple(file for file in found.file if file.package == package)


def camel(name: str) -> str:
    """A field's name as JSON has it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def comments_of(file: descriptor_pb2.FileDescriptorProto) -> dict[str, str]:
    """Comments of one file by name: Service.Method, Message, Message.field, Message.Nested.field, Enum.VALUE."""
    found = {}
    for location in file.source_code_info.location:
        text = " ".join(
            line.strip() for line in location.leading_comments.splitlines() if "buf:lint" not in line
        ).strip()
        if text and (name := _named(file, list(location.path))):
            found[name] = text
    return found


def _named(file: Any, path: list[int]) -> str:
    """The name that a source location's path points at: descriptor.proto's field numbers and indexes."""
    node, names = file, []
    while len(path) >= 2:
        field = node.DESCRIPTOR.fields_by_number[path[0]]
        if field.name not in ("message_type", "service", "method", "field", "nested_type", "enum_type", "value"):
            return ""
        node = getattr(node, field.name)[path[1]]
        names.append(node.name)
        path = path[2:]
    return "" if path else ".".join(names)
