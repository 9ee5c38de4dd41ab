"""Files that fit a head, and names that say something."""

from __future__ import annotations

import re

from tests.architecture.source_tree import Source, sources

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
SUITES = (re.compile(r"mesh/testing/\w+_conformance\.py"), re.compile(r"tests/\w+/(test_\w+|\w+_conformance)\.py"))
"""Conformance suites and test files are lists of promises: they are read by the entry, and may be longer."""
MAX_SUITE_LINES = 900
EMPTY_NAMES = ("util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "base", "stuff")
ALL = sources()


def is_suite(source: Source) -> bool:
    return any(pattern.fullmatch(source.name) for pattern in SUITES)


def test_files_are_short() -> None:
    lengths = {source.name: len(source.text.splitlines()) for source in ALL if not is_suite(source)}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES} == {}
    suites = {source.name: len(source.text.splitlines()) for source in ALL if is_suite(source)}
    assert {name: lines for name, lines in suites.items() if lines > MAX_SUITE_LINES} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{source.name}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for source in ALL
        if not is_suite(source)
        for node in source.functions
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES} == {}


def test_names_say_what_is_inside() -> None:
    for source in ALL:
        words = {word for part in source.name.removesuffix(".py").split("/") for word in part.split("_")}
        assert words & set(EMPTY_NAMES) == set(), source.name
        classes = re.findall(r"^class (\w+)", source.text, re.MULTILINE)
        assert [name for name in classes if name.endswith(("Manager", "Helper", "Util", "Utils"))] == [], source.name


def test_nothing_is_left_for_later() -> None:
    for source in sources("mesh", "services", "edge", "gateway", "stack", "cli"):
        assert re.search(r"\b(TODO|FIXME|XXX|HACK)\b", source.text) is None, source.name
        if not source.name.startswith("mesh/testing/"):  # a suite's fixture is its engine's to supply
            assert not re.search(r"raise NotImplementedError(\(\))?$", source.text, re.MULTILINE), source.name
