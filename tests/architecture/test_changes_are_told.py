"""Whatever the edge may change by a call is declared beside its stubs, so that nothing stays remembered."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from google.protobuf import descriptor_pool
from tintype.type.v1 import rule_pb2

from edge.mesh import CHANGES, Mesh

STUBS = get_type_hints(Mesh)


def unsafe(stub: Any) -> set[str]:
    """Calls of a stub that are not IDEMPOTENCY_SAFE, by the contract."""
    area = stub.__module__.split(".")[1]
    service = descriptor_pool.Default().FindServiceByName(f"tintype.{area}.v1.{stub.__name__.removesuffix('Stub')}")
    rules = {method.name: method.GetOptions().Extensions[rule_pb2.rule] for method in service.methods}
    return {name for name, rule in rules.items() if rule.idempotency != rule_pb2.IDEMPOTENCY_SAFE}


def test_changes_are_of_stubs_that_there_are() -> None:
    assert set(CHANGES) <= {field.name for field in fields(Mesh)}


@pytest.mark.parametrize("name", [field.name for field in fields(Mesh)])
def test_every_call_that_is_not_safe_says_what_it_changes(name: str) -> None:
    assert set(CHANGES.get(name, {})) == unsafe(STUBS[name])
