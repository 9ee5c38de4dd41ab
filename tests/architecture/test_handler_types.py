"""A handler says of its request and its answer what the contract says of them."""

from __future__ import annotations

import importlib
import typing
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf import descriptor_pool, message_factory

from tests.architecture.source_tree import ROOT, sources
from tests.architecture.test_contracts_are_served import METHODS, home

POOL = descriptor_pool.Default()


def handlers(service: str) -> type[Any]:
    """The class that serves a service: its name with Server in place of Service, where it belongs."""
    name = service.rsplit(".", 1)[1].removesuffix("Service") + "Server"
    for source in sources(home(service)):
        module = importlib.import_module(".".join(source.path.relative_to(ROOT).with_suffix("").parts))
        found = vars(module).get(name)
        if isinstance(found, type) and found.__module__ == module.__name__:
            return found
    raise AssertionError(f"{service} has no {name} in {home(service)}")


def streamed(message: Any, streaming: bool) -> Any:
    return AsyncIterator[message] if streaming else message


@pytest.mark.parametrize("service", METHODS)
def test_a_handler_takes_and_gives_what_its_rpc_says(service: str) -> None:
    server = handlers(service)
    wrong = []
    for method in POOL.FindServiceByName(service).methods:
        hints = typing.get_type_hints(vars(server)[method.name])
        answer, hints_request = hints.pop("return"), next(iter(hints.values()))
        takes, gives = map(message_factory.GetMessageClass, (method.input_type, method.output_type))
        if hints_request != streamed(takes, method.client_streaming):
            wrong.append(f"{method.name} takes {hints_request}")
        if answer not in (streamed(gives, method.server_streaming), streamed(bytes, method.server_streaming)):
            wrong.append(f"{method.name} gives {answer}")
    assert wrong == []
