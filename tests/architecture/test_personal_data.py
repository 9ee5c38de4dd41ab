"""Whatever keeps data says whose it is, and says it truly."""

from __future__ import annotations

import ast
import importlib
import pkgutil

import pytest
import tintype.events.v1
from google.protobuf.descriptor import Descriptor

from cli.holdings import Kept, kept, tables
from mesh.personal import Kind
from mesh.storage import TableSpec
from services.search.index.records import Record
from tests.architecture.source_tree import ROOT


def every() -> list[object]:
    """One parameter for each thing that keeps data."""
    return [pytest.param(each, id=f"{each.service}-{each.kind}-{each.name}") for each in kept()]


def events() -> dict[str, Descriptor]:
    """Every event's message, by its name."""
    found: dict[str, Descriptor] = {}
    for module in pkgutil.iter_modules(tintype.events.v1.__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"tintype.events.v1.{module.name}").DESCRIPTOR
            found |= file.message_types_by_name
    return found


@pytest.mark.parametrize("each", every())
def test_it_says_whose_data_it_is(each: Kept) -> None:
    assert each.personal, f"{each.service}: the {each.kind} {each.name} does not say: owned(…) or nobodys(why)"
    assert bool(each.personal.owners) is not bool(each.personal.nobodys)


@pytest.mark.parametrize("each", every())
def test_what_it_leads_through_exists_and_is_somebodys(each: Kept) -> None:
    through = each.personal.through if each.personal else ""
    if through in ("", *Kind):
        return
    service, table, column = through.split(".")
    (there,) = [spec for spec in tables()[service] if spec.name == table]
    assert there.personal
    assert column in there.personal.owners


def test_every_table_that_a_schema_declares_is_among_its_tables() -> None:
    for service in tables():
        schema = importlib.import_module(f"services.{service}.schema")
        declared = {value.name for value in vars(schema).values() if isinstance(value, TableSpec)}
        assert declared <= {table.name for table in tables()[service]}


def test_every_event_says_whose_data_it_carries() -> None:
    declared = {each.name: each.personal for each in kept() if each.kind == Kind.STREAM}
    assert declared.keys() == events().keys()
    for name, personal in declared.items():
        assert personal
        assert set(personal.owners) <= set(events()[name].fields_by_name)


def test_every_kind_of_indexed_document_says_whose_data_it_holds() -> None:
    declared = {each.name for each in kept() if each.kind == Kind.INDEX}
    assert declared == {record.__name__ for record in Record.__args__}


def test_every_key_of_a_cache_and_every_object_is_of_a_family_that_is_declared() -> None:
    folders = {each.name for each in kept() if each.kind == Kind.BUCKET}
    for path in [*ROOT.glob("services/**/*.py"), *ROOT.glob("edge/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "mesh.cache.keys":
                assert {name.name for name in node.names} == {"KeyFamily"}, path
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_new_key":
                (folder,) = node.args
                assert isinstance(folder, ast.Constant)
                assert folder.value in folders
