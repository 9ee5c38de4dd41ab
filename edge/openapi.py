"""The public API as an OpenAPI 3.1 document, derived from the protos: their paths, types, rules and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from buf.validate import validate_pb2
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from tintype.type.v1 import rule_pb2

from edge.reasons import error_schema
from mesh.rpc.contracts import camel, comments_of, files_of

PACKAGE = "tintype.edge.v1"
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS: dict[int, dict[str, Any]] = {
    _FIELD.TYPE_STRING: {"type": "string"},
    _FIELD.TYPE_BOOL: {"type": "boolean"},
    _FIELD.TYPE_INT32: {"type": "integer", "format": "int32"},
    _FIELD.TYPE_UINT32: {"type": "integer", "format": "int64"},
    _FIELD.TYPE_INT64: {"type": "string", "format": "int64"},
    _FIELD.TYPE_DOUBLE: {"type": "number", "format": "double"},
    _FIELD.TYPE_BYTES: {"type": "string", "format": "byte"},
}
_WELL_KNOWN: dict[str, dict[str, Any]] = {
    ".google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    ".google.protobuf.FieldMask": {"type": "string", "description": "Comma-separated field names."},
    ".google.api.HttpBody": {"type": "string", "format": "binary"},
}


@cache
def document() -> dict[str, Any]:
    """The document; the same for every installation of this version."""
    return Document(files_of(PACKAGE)).build()


class Document:
    """Builds the document from the files of the public package."""

    def __init__(self, files: Sequence[descriptor_pb2.FileDescriptorProto]) -> None:
        self._files = files
        self._messages: dict[str, Any] = {}
        self._comments: dict[str, str] = {}
        for file in self._files:
            self._comments.update(comments_of(file))
            for message in file.message_type:
                self._index(f".{PACKAGE}.{message.name}", message)
        self._enums = dict(self._enum_values())
        self._schemas: dict[str, Any] = {"Error": error_schema()}

    def build(self) -> dict[str, Any]:
        """The whole document."""
        paths: dict[str, Any] = {}
        for file in self._files:
            for service in file.service:
                for method in service.method:
                    for verb, template, operation in self._operations(service, method):
                        paths.setdefault(template, {})[verb] = operation
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Tintype",
                "version": "1",
                "description": "A photo-sharing network. The same API speaks gRPC and gRPC-Web on the same port.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [
                {"name": service.name, "description": self._comment(service.name)}
                for file in self._files
                for service in file.service
            ],
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(self._schemas.items())),
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            },
        }

    def _index(self, name: str, message: Any) -> None:
        self._messages[name] = message
        for nested in message.nested_type:
            self._index(f"{name}.{nested.name}", nested)

    def _enum_values(self) -> Iterator[tuple[str, list[str]]]:
        for file in self._files:
            for enum in file.enum_type:
                yield f".{PACKAGE}.{enum.name}", [value.name for value in enum.value]
        for name, message in self._messages.items():
            for enum in message.enum_type:
                yield f"{name}.{enum.name}", [value.name for value in enum.value]

    def _comment(self, name: str) -> str:
        return self._comments.get(name, "")

    def _operations(self, service: Any, method: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
        http = method.options.Extensions[annotations_pb2.http]
        if not http.WhichOneof("pattern"):  # over gRPC alone
            return
        renders = method.options.Extensions[rule_pb2.rule].renders
        method = next((other for other in service.method if other.name == renders), method)
        for number, form in enumerate([http, *http.additional_bindings]):
            verb = form.WhichOneof("pattern")
            template = re.sub(r"\{(\w+)\}", lambda m: "{" + camel(m[1]) + "}", getattr(form, verb))
            operation = self._operation(service, method, form, template)
            operation["operationId"] = f"{service.name}_{method.name}" + ("_" + str(number + 1) if number else "")
            yield verb, template, operation

    def _operation(self, service: Any, method: Any, form: Any, template: str) -> dict[str, Any]:
        comment = self._comment(f"{service.name}.{method.name}")
        rule = method.options.Extensions[rule_pb2.rule]
        operation: dict[str, Any] = {
            "tags": [service.name],
            "summary": comment.split(". ")[0].rstrip(".") or _words(method.name),
            "description": comment,
            "parameters": list(self._parameters(method, form, template)),
            "responses": {
                "200": self._answer(method),
                "default": _json({"$ref": "#/components/schemas/Error"}, "An error: see Error for its reasons"),
            },
            "security": [] if rule.access == rule_pb2.ACCESS_PUBLIC else [{"token": []}],
        }
        if form.body:
            operation["requestBody"] = self._body(method, form)
        return operation

    def _parameters(self, method: Any, form: Any, template: str) -> Iterator[dict[str, Any]]:
        """Path fields, then, where the body is not everything, the rest as query parameters."""
        for field in self._messages[method.input_type].field:
            name = camel(field.name)
            if "{" + name + "}" in template:
                yield {"name": name, "in": "path", "required": True, "schema": self._field(field)}
            elif form.body != "*" and field.name != form.body:
                described = self._comment(f"{method.input_type.rpartition('.')[2]}.{field.name}")
                yield {"name": name, "in": "query", "description": described, "schema": self._field(field)}

    def _body(self, method: Any, form: Any) -> dict[str, Any]:
        message = self._messages[method.input_type]
        if form.body == "*":
            return {"required": True, **_content(self._reference(method.input_type))}
        [field] = [field for field in message.field if field.name == form.body]
        if field.type_name == ".google.api.HttpBody":
            binary = {"schema": {"type": "string", "format": "binary"}}
            return {"required": True, "content": {"image/*": binary, "application/octet-stream": binary}}
        return {"required": True, **_content(self._reference(field.type_name))}

    def _answer(self, method: Any) -> dict[str, Any]:
        if method.output_type == ".google.api.HttpBody":
            return {"description": "OK", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
        if method.server_streaming:
            schema = self._reference(method.output_type)
            return {
                "description": "Server-sent events, each one message",
                "content": {"text/event-stream": {"schema": schema}},
            }
        return _json(self._reference(method.output_type), "OK")

    def _reference(self, type_name: str) -> dict[str, Any]:
        """A reference to a message's schema, which is made on the way."""
        if type_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[type_name])
        name = type_name.removeprefix(f".{PACKAGE}.").replace(".", "")
        if name not in self._schemas:
            self._schemas[name] = {}  # first, for messages that contain themselves
            self._schemas[name] = self._schema(type_name)
        return {"$ref": f"#/components/schemas/{name}"}

    def _schema(self, type_name: str) -> dict[str, Any]:
        message = self._messages[type_name]
        short = type_name.removeprefix(f".{PACKAGE}.")
        properties = {}
        for field in message.field:
            schema = self._field(field)
            if described := self._comment(f"{short}.{field.name}"):
                schema = {**schema, "description": described}
            properties[camel(field.name)] = schema
        required = [camel(field.name) for field in message.field if _rules(field).required]
        schema = {"type": "object", "description": self._comment(short), "properties": properties}
        return {**schema, "required": required} if required else schema

    def _field(self, field: Any) -> dict[str, Any]:
        if field.type_name in self._messages and self._messages[field.type_name].options.map_entry:
            return {"type": "object", "additionalProperties": {"type": "string"}}
        single = self._single(field)
        if field.label != _FIELD.LABEL_REPEATED:
            return {**single, **_constraints(_rules(field))}
        rules = _rules(field).repeated
        array: dict[str, Any] = {"type": "array", "items": {**single, **_constraints(rules.items)}}
        if rules.HasField("min_items"):
            array["minItems"] = rules.min_items
        if rules.HasField("max_items"):
            array["maxItems"] = rules.max_items
        return array

    def _single(self, field: Any) -> dict[str, Any]:
        if field.type == _FIELD.TYPE_ENUM:
            shown = [name for name in self._enums[field.type_name] if not name.endswith("UNSPECIFIED")]
            return {"type": "string", "enum": shown}
        if field.type == _FIELD.TYPE_MESSAGE:
            return self._reference(field.type_name)
        return dict(_SCALARS[field.type])


def _rules(field: Any) -> Any:
    return field.options.Extensions[validate_pb2.field]


def _constraints(rules: Any) -> dict[str, Any]:
    """buf.validate rules as JSON Schema keywords."""
    found: dict[str, Any] = {}
    kind = rules.WhichOneof("type")
    if kind == "string":
        text = rules.string
        for rule, keyword in (("min_len", "minLength"), ("max_len", "maxLength"), ("pattern", "pattern")):
            if text.HasField(rule):
                found[keyword] = getattr(text, rule)
        if text.WhichOneof("well_known") in ("email", "uuid"):
            found["format"] = text.WhichOneof("well_known")
        if getattr(text, "in"):
            found["enum"] = list(getattr(text, "in"))
    elif kind in ("int32", "double"):
        number = getattr(rules, kind)
        for rule, keyword in (("gte", "minimum"), ("lte", "maximum")):
            if number.HasField(rule):
                found[keyword] = getattr(number, rule)
    return found


def _words(name: str) -> str:
    """ListFollowRequests: List follow requests."""
    return re.sub(r"(?<!^)([A-Z])", r" \1", name).capitalize()


def _json(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, **_content(schema)}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
