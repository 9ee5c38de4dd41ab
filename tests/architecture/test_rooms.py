"""Every service has the same rooms, and what is in a room stays there.

The rule that these tests hold, which is the import rule of docs/architecture.md as the services live by it: a file
either speaks protobuf or keeps rows, never both. **Boundary** files translate between messages and
the domain: server.py (calls in), events.py (events out and in), module.py (wiring), and, where a service calls
another, one file named for whom it asks (``BOUNDARIES``). Everything else is the domain: dataclasses in
and out; no grpc, no protobuf, no driver.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, Source, is_protobuf, sources, within

SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "module.py").exists())
ROOMS = ("module.py", "server.py", "events.py", "README.md", "__init__.py")
TABLES = ("schema.py", "store.py")
BOUNDARIES = {
    "server.py": "calls in",
    "events.py": "events out and in",
    "module.py": "wiring",
    "accounts/assets.py": "asks media about avatars",
    "graph/people.py": "asks accounts who is private",
    "media/messages.py": "builds the messages that server.py and events.py share",
    "search/sources.py": "asks accounts and media for what is indexed",
}
DRIVERS = ("cassandra", "acsylla", "redis", "hiredis", "minio", "sqlite3", "tantivy")
EMBEDDED_INDEX = "services/search/index/"
FILES = [source for service in SERVICES for source in sources(f"services/{service}")]


def local(source: Source) -> str:
    return source.name.removeprefix("services/")


def is_boundary(source: Source) -> bool:
    return local(source) in BOUNDARIES or local(source).split("/", 1)[1] in BOUNDARIES


DOMAIN = [source for source in FILES if not is_boundary(source)]
BOUNDARY = [source for source in FILES if is_boundary(source)]


def test_there_are_services() -> None:
    assert len(SERVICES) >= 6
    assert len(DOMAIN) > len(BOUNDARY)


@pytest.mark.parametrize("service", SERVICES)
def test_service_has_its_rooms(service: str) -> None:
    folder = ROOT / "services" / service
    assert [room for room in ROOMS if not (folder / room).exists()] == []


@pytest.mark.parametrize("service", SERVICES)
def test_service_that_keeps_rows_declares_its_tables(service: str) -> None:
    folder = ROOT / "services" / service
    stores = any("mesh.storage" in module for source in sources(f"services/{service}") for module in source.imports)
    if stores:
        assert (folder / "schema.py").exists()
        assert list(folder.glob("*store.py"))


@pytest.mark.parametrize("service", SERVICES)
def test_readme_says_what_the_service_serves_and_publishes(service: str) -> None:
    text = (ROOT / "services" / service / "README.md").read_text().lower()
    assert "rpc" in text
    assert "event" in text


def test_domain_knows_neither_grpc_nor_protobuf() -> None:
    for source in DOMAIN:
        assert {module for module in source.imports if is_protobuf(module)} == set(), source.name


def test_boundary_touches_no_table() -> None:
    for source in BOUNDARY:
        if source.path.name != "module.py":  # wiring opens the store and hands it on
            touched = {module for module in source.imports if within(module, "mesh.storage", *_schemas(source))}
            assert touched <= {"mesh.storage.Unavailable"}, source.name


def _schemas(source: Source) -> list[str]:
    service = local(source).split("/")[0]
    return [f"services.{service}.{name}" for name in ("schema", "rows")]


def test_every_boundary_that_is_listed_exists() -> None:
    for name in BOUNDARIES:
        assert "/" not in name or (ROOT / "services" / name).exists(), f"{name}: not there any more; take it off"


def test_drivers_stay_under_mesh_and_stack() -> None:
    for source in [*FILES, *sources("edge", "cli")]:
        forbidden = [name for name in DRIVERS if name != "tantivy" or not source.name.startswith(EMBEDDED_INDEX)]
        assert {module for module in source.imports if within(module, *forbidden)} == set(), source.name


@pytest.mark.parametrize("service", SERVICES)
def test_service_imports_no_other(service: str) -> None:
    others = [f"services.{other}" for other in SERVICES if other != service] + ["edge", "stack", "cli", "tests"]
    for source in sources(f"services/{service}"):
        assert {module for module in source.imports if within(module, *others)} == set(), source.name


def test_runtime_knows_no_service() -> None:
    for source in sources("mesh"):
        found = {module for module in source.imports if within(module, "services", "edge", "stack", "cli", "tests")}
        assert found == set(), source.name


def test_only_the_clock_asks_for_the_time_of_day() -> None:
    """Time is injected: no other file of the domain reads the machine's clock."""
    for source in [*sources("services", "edge"), *sources("mesh")]:
        if source.name == "mesh/clock.py":
            continue
        for forbidden in ("time.time(", "time.time_ns(", "datetime.now(", "datetime.utcnow(", "date.today("):
            assert forbidden not in source.text, f"{source.name}: {forbidden}"


def test_visibility_law_is_pure() -> None:
    law = Source(Path(ROOT, "edge/visibility.py"))
    assert law.imports == {"__future__.annotations", "dataclasses.dataclass", "enum.Enum"}
