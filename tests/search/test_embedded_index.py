from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.search.index.commits import GroupCommit
from services.search.index.contract import IndexFailed
from services.search.index.directory import DirectoryInUse
from services.search.index.embedded import EmbeddedIndex
from services.search.service import Search
from tests.search.index_conformance import ANA, IndexConformance, post, user

ROOT = Path(__file__).parents[2]

WRITER = """
import asyncio, sys
from pathlib import Path
from services.search.documents import Post, User
from services.search.index.commits import GroupCommit
from services.search.index.embedded import EmbeddedIndex

async def main(directory, first):
    index = await EmbeddedIndex.open(Path(directory))
    commits = GroupCommit(index)
    await commits.add(User(7, 1, "ana"))
    async def write(number):
        await commits.add(Post(number, 7, 1, f"sea n{number}", ("sea",)))
        print(number, flush=True)
    for start in range(first, 1_000_000, 20):
        await asyncio.gather(*(write(number) for number in range(start, start + 20)))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


class TestEmbedded(IndexConformance):
    @pytest.fixture
    async def index(self, tmp_path: Path) -> AsyncIterator[EmbeddedIndex]:
        index = await EmbeddedIndex.open(tmp_path / "index")
        yield index
        await index.close()


def running_writer(directory: Path, first: int, *more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'generated'}"}
    command = [sys.executable, "-c", WRITER, str(directory), str(first), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def killed_after(writer: subprocess.Popen[str], lines: int) -> list[int]:
    """The numbers that the writer had acknowledged when it was killed."""
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(lines)]
    writer.send_signal(signal.SIGKILL)
    # Not communicate(): it reads the pipe itself, past what readline() has buffered.
    rest = writer.stdout.read()
    writer.communicate()
    return [*acknowledged, *(int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n"))]


def generations(directory: Path) -> int:
    return len(list(directory.glob("generation-*")))


def damage(directory: Path, name: str) -> None:
    (path,) = directory.rglob(name)
    path.write_text("{")


async def test_nothing_acknowledged_is_lost_by_sigkill_in_the_commit_loop(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    for round_ in range(3):
        writer = await asyncio.to_thread(running_writer, tmp_path, 1 + round_ * 10_000)
        acknowledged += await asyncio.to_thread(killed_after, writer, 25 + 40 * round_)
    index = await EmbeddedIndex.open(tmp_path)
    search = Search(index)
    for number in acknowledged:
        assert (await search.posts(f"n{number}", None, 1)).items == [number]
    (hit,) = (await search.hashtags("sea", None, 10)).items
    total, after = 0, None
    while True:
        page = await search.tagged("sea", after, 100)
        total += len(page.items)
        after = page.next
        if after is None:
            break
    assert hit.post_count == total >= len(acknowledged)
    await index.close()


async def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    index = await EmbeddedIndex.open(tmp_path)
    second = await asyncio.to_thread(running_writer, tmp_path, 1)
    _, complaint = await asyncio.to_thread(second.communicate)
    assert second.returncode != 0
    assert f"{tmp_path} is in use by another process" in complaint
    with pytest.raises(DirectoryInUse, match="directory of its own"):
        await EmbeddedIndex.open(tmp_path)
    await index.write([post(1, "sea")])
    await index.close()
    again = await EmbeddedIndex.open(tmp_path)
    assert (await Search(again).posts("sea", None, 1)).items == [1]
    await again.close()


async def test_an_index_of_another_format_is_begun_anew_and_says_so(tmp_path: Path) -> None:
    index = await EmbeddedIndex.open(tmp_path)
    await (await index.rebuild()).switch()
    await index.close()
    current = json.loads((tmp_path / "CURRENT").read_text())
    (tmp_path / "CURRENT").write_text(json.dumps({**current, "format": 0}))
    index = await EmbeddedIndex.open(tmp_path)
    assert not index.complete
    await index.write([post(1, "sea")])
    await index.close()


@pytest.mark.parametrize("damaged", ["CURRENT", "meta.json"])
async def test_a_damaged_index_is_begun_anew(tmp_path: Path, damaged: str) -> None:
    index = await EmbeddedIndex.open(tmp_path)
    await index.write([post(1, "sea")])
    await index.close()
    damage(tmp_path, damaged)
    index = await EmbeddedIndex.open(tmp_path)
    assert not index.complete
    await index.write([user(ANA, "ana"), post(2, "sea")])
    assert (await Search(index).posts("sea", None, 10)).items == [2]
    await index.close()


async def test_a_rebuild_that_a_crash_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    index = await EmbeddedIndex.open(tmp_path)
    await index.write([post(1, "sea")])
    await index.rebuild()
    assert generations(tmp_path) == 2
    await index.close()
    index = await EmbeddedIndex.open(tmp_path)
    assert generations(tmp_path) == 1
    assert (await Search(index).posts("sea", None, 10)).items == [1]
    await index.close()


async def test_a_second_rebuild_takes_the_place_of_the_first(tmp_path: Path) -> None:
    index = await EmbeddedIndex.open(tmp_path)
    first = await index.rebuild()
    second = await index.rebuild()
    with pytest.raises(IndexFailed, match="given up"):
        await first.write([post(1, "sea")])
    with pytest.raises(IndexFailed, match="given up"):
        await first.switch()
    await second.switch()
    assert generations(tmp_path) == 1
    await index.close()


class OneBad:
    """An index whose writes fail when they hold a certain post: what a damaged document would do."""

    def __init__(self) -> None:
        self.written: list[object] = []

    async def write(self, documents: object) -> None:
        if post(13) in list(documents):  # type: ignore[call-overload]
            raise IndexFailed("cannot take post 13")
        self.written += documents  # type: ignore[arg-type]


async def test_one_bad_document_fails_alone() -> None:
    index = OneBad()
    commits = GroupCommit(index)
    outcomes = await asyncio.gather(*(commits.add(post(number)) for number in range(10, 16)), return_exceptions=True)
    assert [number for number, outcome in zip(range(10, 16), outcomes, strict=True) if outcome is not None] == [13]
    assert len(index.written) == 5
    await commits.close()


async def test_what_close_cuts_off_is_told_so(tmp_path: Path) -> None:
    index = await EmbeddedIndex.open(tmp_path)
    commits = GroupCommit(index, interval_s=60, quiet_s=60)
    adding = asyncio.create_task(commits.add(post(1)))
    await asyncio.sleep(0)
    await commits.close()
    with pytest.raises(IndexFailed, match="closed"):
        await adding
    with pytest.raises(IndexFailed, match="closed"):
        await commits.add(post(2))
    await index.close()
