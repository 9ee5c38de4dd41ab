"""Whatever the contracts promise is served by exactly one handler, and nothing else is."""

from __future__ import annotations

import re

import pytest
from google.protobuf import descriptor_pb2

from cli.modules import modules
from tests.architecture.source_tree import ROOT, sources

OURS = descriptor_pb2.FileDescriptorSet()
OURS.ParseFromString((ROOT / "generated/tintype/descriptors.binpb").read_bytes())
NOT_OURS = "tintype.envoy.v1"
METHODS = {
    f"{file.package}.{service.name}": [method.name for method in service.method]
    for file in OURS.file
    if file.package.startswith("tintype.") and file.package != NOT_OURS
    for service in file.service
}


def home(service: str) -> str:
    """The folder whose files serve a service."""
    area = service.split(".")[1]
    return "edge/surfaces" if area == "edge" else f"services/{area}"


def test_contracts_cover_the_house() -> None:
    assert {service.split(".")[1] for service in METHODS} == {module.name for module in modules()}


@pytest.mark.parametrize("service", METHODS)
def test_every_rpc_has_a_handler_where_it_belongs(service: str) -> None:
    folder = home(service)
    files = sources(folder) if folder.startswith("edge") else [s for s in sources(folder) if s.path.name == "server.py"]
    handlers = {node.name for source in files for node in source.functions}
    assert [name for name in METHODS[service] if name not in handlers] == []


def test_every_handler_has_an_rpc() -> None:
    """A method named as RPCs are is one: nothing that is no longer in the contract stays behind."""
    known = {name for names in METHODS.values() for name in names}
    files = [*sources("edge/surfaces"), *(s for s in sources("services") if s.path.name == "server.py")]
    for source in files:
        named = {node.name for node in source.functions if re.fullmatch(r"[A-Z]\w+", node.name)}
        assert named <= known, f"{source.name}: {sorted(named - known)}"


def test_only_the_edge_speaks_http() -> None:
    for path in sorted((ROOT / "protos").rglob("*.proto")):
        assert ("google.api.http" in path.read_text()) <= (path.parent.parent.name == "edge"), path.name
