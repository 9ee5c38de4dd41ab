"""JSON bodies: their size, and that they have no field which the contract lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

from gateway.contracts import PACKAGE, public_methods
from gateway.options import GatewayOptions
from mesh.rpc.contracts import camel, files_of

_SCRIPT = Path(__file__).with_name("bodies.lua")


def script(options: GatewayOptions) -> str:
    """The Lua program that reads bodies, with the messages that they may be."""
    messages = _messages()
    wanted = {form.body for method in public_methods() for form in method.rest if form.body}
    reached: dict[str, dict[str, str]] = {}
    while wanted:
        name = wanted.pop()
        reached[name] = _fields(messages, messages[name])
        wanted |= {type_ for type_ in reached[name].values() if type_} - reached.keys()
    tables = ",\n".join(f'  ["{name}"] = {{{_table(fields)}}}' for name, fields in sorted(reached.items()))
    return f"local MAX_BYTES = {options.max_json_bytes}\nlocal FIELDS = {{\n{tables}\n}}\n{_SCRIPT.read_text()}"


def _messages() -> dict[str, Any]:
    return {message.name: message for file in files_of(PACKAGE) for message in file.message_type}


def _fields(messages: dict[str, Any], message: Any) -> dict[str, str]:
    """Field, in either spelling → the message it is of; "" where nothing within is looked at."""
    found = {}
    for field in message.field:
        name = field.type_name.removeprefix(f".{PACKAGE}.")
        known = field.type == descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE and name in messages
        found[field.name] = found[camel(field.name)] = name if known else ""
    return found


def _table(fields: dict[str, str]) -> str:
    return ", ".join(f'{name} = "{type_}"' if type_ else f"{name} = true" for name, type_ in sorted(fields.items()))
