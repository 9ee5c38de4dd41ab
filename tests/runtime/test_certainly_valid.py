"""What is told to be certainly valid is what the library finds nothing in, for every request of every contract."""

from __future__ import annotations

from importlib import import_module
from random import Random
from typing import Any

import protovalidate
import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from mesh.rpc.certain import _value, certainly_valid
from mesh.rpc.contracts import DESCRIPTORS

_ROUNDS = 150
_VALIDATOR = protovalidate.Validator()


def _requests() -> list[Descriptor]:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
    ours = [file.name for file in files if file.package.startswith("tintype.") and file.service]
    modules = [import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2") for name in ours]
    services = [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]
    return list(
        {method.input_type.full_name: method.input_type for each in services for method in each.methods}.values()
    )


REQUESTS = _requests()
CERTAIN = [request for request in REQUESTS if certainly_valid(request)]


def test_most_requests_can_be_told_so() -> None:
    names = {request.full_name for request in CERTAIN}
    assert len(CERTAIN) > len(REQUESTS) / 2
    assert {"tintype.edge.v1.GetFeedRequest", "tintype.media.v1.BatchGetPostsRequest"} <= names


@pytest.mark.parametrize("request_type", CERTAIN, ids=lambda each: each.full_name)
def test_certainly_valid_is_what_the_library_finds_nothing_in(request_type: Descriptor) -> None:
    certain, random = certainly_valid(request_type), Random(1)
    assert certain
    for _ in range(_ROUNDS):
        message = GetMessageClass(request_type)()
        for field in request_type.fields:
            _fill(message, field, random)
        assert certain(message) is (not _VALIDATOR.collect_violations(message)), message


def _fill(message: Any, field: FieldDescriptor, random: Random) -> None:
    """A value on, below or above one of the bounds that the field's rules name."""
    if field.message_type or field.type == FieldDescriptor.TYPE_ENUM:
        return
    rules = field.GetOptions().Extensions[validate_pb2.field]
    if field.is_repeated:
        sizes = [0, 1, rules.repeated.min_items, rules.repeated.max_items, rules.repeated.max_items + 1]
        size, value = min(max(0, random.choice(sizes)), 2_000), _single(field, rules.repeated.items, random)
        # One odd item or none among plain ones: else a list would hardly ever be refused for its length alone.
        getattr(message, field.name).extend([value] * size if random.random() < 0.5 else [_plain(field)] * size)
    else:
        setattr(message, field.name, _single(field, rules, random))


def _plain(field: FieldDescriptor) -> Any:
    return {FieldDescriptor.TYPE_STRING: "7", FieldDescriptor.TYPE_BYTES: b"7"}.get(field.type, 7)


def _single(field: FieldDescriptor, rules: Any, random: Random) -> Any:
    kind = rules.WhichOneof("type")
    told = [value for _, value in getattr(rules, kind).ListFields()] if kind else []
    if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
        lengths = [value + more for value in told if isinstance(value, int) for more in (-1, 0, 1)] or [0, 3]
        text = "\u00e9" * max(0, random.choice(lengths))
        choices = [text, *(each for value in told if not isinstance(value, int | str | bytes) for each in value)]
        chosen = random.choice(choices)
        return chosen if field.type == FieldDescriptor.TYPE_STRING else chosen.encode("latin-1")
    if field.type == FieldDescriptor.TYPE_BOOL:
        return random.random() < 0.5
    near = [value + more for value in told for more in (-1, 0, 1)]
    unsigned = field.type in (FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_UINT64)
    number = random.choice([0, 1, 7, *near]) if random.random() < 0.5 else 7
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return float(number)
    return max(0, number) if unsigned else number


@pytest.mark.parametrize(("values", "valid"), [([5, 9], True), ([5, 10], False), ([0, 5], False), ([], True)])
def test_every_item_keeps_both_bounds(values: list[int], valid: bool) -> None:
    """No request bounds its items from above yet; the first that does is not let through."""
    items = validate_pb2.FieldRules(int64=validate_pb2.Int64Rules(gt=0, lt=10))
    holds = _value(validate_pb2.FieldRules(repeated=validate_pb2.RepeatedRules(items=items)))
    assert holds
    assert bool(holds(values)) is valid
