"""The documents say what is so: links lead somewhere, what they name exists, every dependency is accounted for."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer

from cli.main import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
GENERATED = "generated/"
BINARY = {".binpb", ".jpg", ".png", ".webp"}
# Written apart, so that this file does not contain what it looks for.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("proxy", "golang", "org"),
        ("buf", "build/"),
    )
)
OWN_PATHS = re.compile(r"(?<![\w.$}])/(?:home|Users|work|root)/[\w.-]+")


def tracked() -> list[Path]:
    """Every file in the tree that is or would be committed."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listing.stdout.splitlines() if (path := ROOT / line).is_file()]


def documents() -> list[Path]:
    """Every Markdown file in the tree."""
    return [path for path in tracked() if path.suffix == ".md"]


def anchors(text: str) -> set[str]:
    """The anchors that a document's headings make."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def prose(text: str) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = document if not file else document.parent / file
        assert there.exists(), f"{target}: there is no such file"
        if anchor:
            assert anchor in anchors(there.read_text()), f"{target}: there is no such heading"


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))
    for number, name in enumerate(listed, 1):
        assert name.startswith(f"{number:04d}-")
        assert (folder / name).read_text().startswith(f"# {number}. ")


def test_every_make_target_that_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in documents():
        named = set(re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z-]+)`", document.read_text()))
        assert named <= targets, f"{document.name}: {named - targets}"


def test_every_command_of_tintype_that_documents_name_exists_and_the_readme_names_all() -> None:
    commands = command_names()
    groups = {name.partition(" ")[0] for name in commands if " " in name}
    for document in documents():
        for first, second in re.findall(r"`tintype ([a-z]+)(?: ([a-z]+))?", document.read_text()):
            name = f"{first} {second}" if first in groups else first
            assert name in commands, f"{document.name}: tintype {name}"
    assert {name for name in commands if f"`tintype {name}`" not in README} == set()


def command_names() -> set[str]:
    """Every command, and those of groups with the group's name before them."""
    root = typer.main.get_command(app)
    names = set()
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        names |= {f"{name} {inner}" for inner in below} if below else {name}
    return names


def test_every_folder_that_the_readme_names_exists_and_every_folder_is_named() -> None:
    named = set(re.findall(r"^\| `([\w-]+)/` \|", README, re.MULTILINE))
    present = {path.relative_to(ROOT).parts[0] for path in tracked() if path.parent != ROOT}
    assert named == {name for name in present if not name.startswith(".")}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_the_tree_that_a_document_names_exists(document: Path) -> None:
    top = "|".join(sorted({path.relative_to(ROOT).parts[0] for path in tracked() if path.parent != ROOT}))
    text = document.read_text()
    made = set(re.findall(r"`([\w./]+)`[^`\n]*:\n\n```", text))  # what the document itself shows the whole of
    for name in re.findall(rf"`((?:{top})/[\w./-]*)`", text):
        if name in made or name.startswith((".", "bench/results")):
            continue
        assert (ROOT / name).exists() or (document.parent / name).exists(), f"{name} does not exist"


@pytest.mark.parametrize("source", ["requirements.in", "requirements-dev.in"])
def test_every_direct_dependency_has_its_line(source: str) -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    lines = (ROOT / source).read_text().splitlines()
    pinned = [line for line in lines if line.strip() and not line.startswith(("#", "-"))]
    rows = set(re.findall(r"^\| ([\w.-]+) \| ([\w.-]+) \|", page, re.MULTILINE))
    wanted = {tuple(re.sub(r"\[.*\]", "", line).strip().split("==")) for line in pinned}
    assert wanted - rows == set()


def test_every_dependency_that_is_listed_is_one() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    named = {name for name, _ in re.findall(r"^\| ([\w.-]+) \| (\d[\w.-]*) \|", page, re.MULTILINE)}
    sources = [(ROOT / source).read_text() for source in ("requirements.in", "requirements-dev.in")]
    direct = {re.split(r"[\[=]", line)[0].strip() for text in sources for line in text.splitlines() if "==" in line}
    assert named == direct


def test_the_list_of_settings_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert page == load("configuration").page(), "run: python docs/configuration.py"


def test_the_list_of_personal_data_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "personal-data.md").read_text()
    assert page == load("personal_data").page(), "run: python docs/personal_data.py"


def load(name: str) -> ModuleType:
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tour_calls_methods_that_the_api_has() -> None:
    tour = load("tour")
    assert "tour" in vars(tour)
    source = ast.parse((ROOT / "docs" / "tour.py").read_text())
    stubs = [
        node.attr for node in ast.walk(source) if isinstance(node, ast.Attribute) and node.attr.endswith("ServiceStub")
    ]
    assert stubs
    modules = [vars(tour)[name] for name in vars(tour) if name.endswith("_pb2_grpc")]
    assert all(any(hasattr(module, stub) for module in modules) for stub in stubs)


def test_the_tour_says_in_a_line_that_nobody_answers() -> None:
    tour = [sys.executable, str(ROOT / "docs" / "tour.py"), "--gateway", "127.0.0.1:1"]
    done = subprocess.run(tour, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("127.0.0.1:1: ")


def test_nothing_names_a_package_registry_or_a_path_of_one_machine() -> None:
    for path in tracked():
        name = str(path.relative_to(ROOT))
        if path.suffix in BINARY or name.startswith(GENERATED):
            continue
        text = path.read_text(errors="replace")
        found = [registry for registry in REGISTRIES if registry in text] + OWN_PATHS.findall(text)
        assert not found, f"{name}: {found}"
