"""The service of docs/adding-a-service.md: built from the page in a copy of the tree, called over REST, taken away."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.architecture.source_tree import ROOT
from tests.cli.tintype_command import environment, installation_environment
from tests.mesh.mesh_client import Rest

FOLDERS = ("mesh", "services", "edge", "gateway", "stack", "cli", "protos", "generated", "deploy")
FILES = ("docker-compose.yml", "pyproject.toml", "buf.yaml")
PAGE = (ROOT / "docs" / "adding-a-service.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks() -> list[tuple[str, str, str]]:
    """(path, language, text) of each block: the path is the last that the page named."""
    return [
        (re.findall(r"`([\w/]+\.(?:py|proto|md))`", PAGE[: block.start()])[-1], block[1], block[2])
        for block in BLOCK.finditer(PAGE)
    ]


def changed(text: str, diff: str, back: bool) -> str:
    """A text with the lines of a diff, which has no removals, added; or taken out of it again."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] == " ")
    after = "".join(line[1:] for line in lines)
    old, new = (after, before) if back else (before, after)
    assert text.count(old) == 1, diff
    return text.replace(old, new)


def write_the_page_into(tree: Path) -> None:
    for path, language, text in blocks():
        file = tree / path
        if language == "diff":
            file.write_text(changed(file.read_text(), text, back=False))
        else:
            assert not file.exists(), path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def take_the_page_out_of(tree: Path) -> None:
    for path, language, text in blocks():
        file = tree / path
        if language == "diff":
            file.write_text(changed(file.read_text(), text, back=True))
        else:
            file.unlink()
    shutil.rmtree(tree / "services" / "bookmarks")  # what Python compiled


def variables(tree: Path) -> dict[str, str]:
    path = os.pathsep.join((str(tree), str(tree / "generated")))
    return environment({"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"})


def make_gen(tree: Path) -> None:
    for generator in ("protos", "gateway", "deploy"):
        subprocess.run([sys.executable, f"{generator}/generate.py"], cwd=tree, env=variables(tree), check=True)


def check(tree: Path) -> None:
    """Format, lint, imports and contracts, as `make check` asks of everything."""
    programs = Path(sys.executable).parent
    for command in (
        "ruff check .",
        "ruff format --check .",
        "lint-imports",
        "buf lint generated/tintype/descriptors.binpb --config buf.yaml",
        "buf format protos --diff --exit-code",
    ):
        name, *arguments = command.split()
        subprocess.run([programs / name, *arguments], cwd=tree, env=variables(tree), check=True)


def contents(tree: Path) -> dict[str, bytes]:
    """Every file but what programs keep for themselves."""
    files = (path for path in tree.rglob("*") if path.is_file() and not _kept(path.relative_to(tree)))
    return {str(path.relative_to(tree)): path.read_bytes() for path in files}


def _kept(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


@asynccontextmanager
async def serving(tree: Path, state: Path) -> AsyncIterator[str]:
    """`tintype up` of a tree; the URL of its gateway."""
    env = installation_environment(state)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "up", "--no-seed"),
        cwd=tree,
        env=variables(tree) | env | {"PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    said: list[str] = []
    try:
        async for line in process.stdout:
            said.append(line.decode())
            if "ready after" in said[-1]:
                break
        assert "ready after" in said[-1], "".join(said)
        yield f"http://127.0.0.1:{env['TINTYPE_STACK__GATEWAY_PORT']}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def keep_and_list(url: str) -> None:
    async with Rest(url) as rest:
        ana, ben = await rest.register("ana"), await rest.register("ben")
        posts = [(await rest.publish(ana, caption))["postId"] for caption in ("first", "second", "third")]
        for post in posts:
            await rest.ok("PUT", f"/v1/me/bookmarks/{post}", ben)
        page = await rest.ok("GET", "/v1/me/bookmarks?pageSize=2", ben)
        rest_of_it = await rest.ok("GET", f"/v1/me/bookmarks?pageToken={page['nextPageToken']}", ben)
        assert [*page["postIds"], *rest_of_it["postIds"]] == posts[::-1]
        assert not (await rest.ok("GET", "/v1/me/bookmarks", ana)).get("postIds")
        assert await rest.refused("PUT", "/v1/me/bookmarks/1", ben) == (404, "POST_NOT_FOUND")
        assert (await rest.ask("GET", "/v1/me/bookmarks")).status_code == 401
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as http:
        assert "/v1/me/bookmarks" in (await http.get("/openapi.json")).json()["paths"]


async def test_the_page_s_service_is_served_through_the_gateway_and_leaves_nothing_behind(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in (*FOLDERS, *FILES):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, tree / name)
    before = contents(tree)
    write_the_page_into(tree)
    make_gen(tree)
    assert "serve, --target, bookmarks" in (tree / "docker-compose.yml").read_text()
    check(tree)
    async with serving(tree, tmp_path / "state") as url:
        await keep_and_list(url)
    take_the_page_out_of(tree)
    make_gen(tree)
    assert contents(tree) == before
