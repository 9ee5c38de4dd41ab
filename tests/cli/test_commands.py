"""Every command does what its help says, on a real installation."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from google.protobuf.field_mask_pb2 import FieldMask
from rich.console import Console
from tintype.edge.v1 import accounts_pb2, engagement_pb2, resources_pb2

from cli.client import Client
from cli.demo import people
from cli.demo.people import DEMO_PASSWORD
from cli.demo.pictures import draw_avatar
from cli.demo.world import World
from cli.holdings import tables
from mesh.rpc.contracts import DESCRIPTORS
from stack.envoy import validate
from tests.cli.conftest import PEOPLE, PHOTOS, House
from tests.cli.tintype_command import TINTYPE, Said, environment, tintype

Run = Callable[..., Said]
COMMANDS = (
    *("up", "serve", "seed", "config", "health", "events", "schema", "gateway", "upload", "feed", "watch"),
    *("search", "users", "posts", "jobs"),
)


# --- without an installation


def test_help_lists_every_command_with_a_sentence(tmp_path: Path) -> None:
    said = tintype("--help", env={}, cwd=tmp_path)
    assert said.code == 0
    for command in COMMANDS:
        assert re.search(rf"^\W*{command}\s+[A-Z]\w+.*", said.out, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(tmp_path: Path, command: str) -> None:
    said = tintype(command, "-h", env={}, cwd=tmp_path)
    assert said.code == 0
    assert "Usage: tintype" in said.out


def test_help_needs_neither_services_nor_drivers() -> None:
    """What makes it slow is what it imports."""
    code = "import sys, cli.main; print(*sys.modules)"
    loaded = subprocess.run([Path(TINTYPE).with_name("python"), "-c", code], capture_output=True, text=True, check=True)
    heavy = {"grpc", "PIL", "redis", "minio", "pydantic", "opentelemetry", "services", "edge", "mesh", "httpx"}
    assert heavy & {module.split(".")[0] for module in loaded.stdout.split()} == set()


def test_wrong_setting_ends_with_a_line_that_names_it(tmp_path: Path) -> None:
    said = tintype("config", "--set", "node=many", env={}, cwd=tmp_path)
    assert said.code == 2
    assert said.err.startswith("configuration: node: ")
    said = tintype("config", "--set", "node", env={}, cwd=tmp_path)
    assert said.code == 2
    assert "key=value" in said.err


def test_configuration_file_is_the_one_here_or_the_one_named(tmp_path: Path) -> None:
    (tmp_path / "tintype.toml").write_text("node = 4\n")
    (tmp_path / "other.toml").write_text("node = 5\n")
    here = tintype("config", env={}, cwd=tmp_path)
    named = tintype("config", env={"TINTYPE_CONFIG": "other.toml"}, cwd=tmp_path)
    assert [yaml.safe_load(said.out)["node"] for said in (here, named)] == [4, 5]


async def test_gateway_prints_a_configuration_that_envoy_accepts(house: House, tmp_path: Path) -> None:
    keys = house.installation.settings.keys_dir / "public" / "jwks.json"
    options = ("--jwks", str(keys), "--descriptors", str(DESCRIPTORS))
    said = tintype("gateway", *options, env={}, cwd=tmp_path)
    assert said.code == 0
    config = tmp_path / "envoy.yaml"
    config.write_text(said.out)
    await validate(config)
    production = tintype(
        "gateway", *options, "--set", "development=false", "--set", f"secret={'s' * 32}", env={}, cwd=tmp_path
    )
    config.write_text(production.out)
    await validate(config)


def test_schema_says_what_is_missing_and_adds_it(tmp_path: Path) -> None:
    planned = tintype("schema", "--dry-run", env={}, cwd=tmp_path)
    added, after = (tintype("schema", env={}, cwd=tmp_path) for _ in range(2))
    assert (planned.code, added.code, after.code) == (0, 0, 0)
    assert planned.out == added.out
    services = {path.stem for path in (tmp_path / ".state/db").glob("*.db")}
    assert services == {*tables()}
    for service in services:
        assert f"{service}: outbox is missing" in added.out
        assert f"{service}: as declared" in after.out.splitlines()


def test_schema_adds_columns_says_what_is_unknown_and_refuses_what_does_not_agree(tmp_path: Path) -> None:
    tintype("schema", env={}, cwd=tmp_path)
    with sqlite3.connect(tmp_path / ".state/db/accounts.db") as accounts:
        accounts.execute("ALTER TABLE profiles DROP COLUMN bio")
        accounts.execute("ALTER TABLE profiles ADD COLUMN colour TEXT")
    said = tintype("schema", env={}, cwd=tmp_path)
    assert said.code == 0
    assert "accounts: profiles lacks a column: bio" in said.out
    assert "accounts: profiles has a column that is not declared: colour" in said.out
    with sqlite3.connect(tmp_path / ".state/db/accounts.db") as accounts:
        accounts.execute("ALTER TABLE profiles DROP COLUMN bio")
        accounts.execute("ALTER TABLE profiles ADD COLUMN bio INTEGER")
    for arguments in ((), ("--dry-run",)):
        said = tintype("schema", *arguments, env={}, cwd=tmp_path)
        assert said.code == 1
        assert "accounts: profiles does not agree: column 'bio' is stored as INTEGER, declared as text" in said.out
        assert "by hand" in said.err


def test_command_without_an_installation_says_so_in_a_line(tmp_path: Path) -> None:
    nowhere = {f"TINTYPE_STACK__{name}_PORT": "1" for name in ("GATEWAY", "GRPC", "REDIS")}
    for command in (("health",), ("feed",), ("watch", "1"), ("seed",), ("users", "list"), ("events",)):
        said = tintype(*command, env=nowhere, cwd=tmp_path)
        assert said.code == 1, command
        assert len(said.err.splitlines()) == 1, said.err


# --- with one


def test_world_says_a_line_for_each_stage_where_nobody_watches_a_bar(house: House) -> None:
    lines = house.said.splitlines()
    assert lines[0] == f"demo world: {PEOPLE} people"
    assert re.fullmatch(r"demo world: \d+ follows", lines[1])
    assert lines[2] == f"demo world: {PHOTOS} photographs"
    assert re.fullmatch(r"demo world: \d+ likes and comments", lines[3])
    assert len(lines) == 4


def test_world_is_filled_once(house: House, run: Run) -> None:
    assert not asyncio.run(World(house.gateway, Console(quiet=True), PEOPLE, PHOTOS).fill())


def test_world_that_was_interrupted_is_completed_without_a_second_of_anything(house: House, run: Run) -> None:
    before = run("feed").out
    asyncio.run(_undo_the_last_act(house))
    assert asyncio.run(World(house.gateway, Console(quiet=True), PEOPLE, PHOTOS).fill())
    after = run("feed").out
    assert re.findall(r"^\s*(\d{15,})", after, re.MULTILINE) == re.findall(r"^\s*(\d{15,})", before, re.MULTILINE)


async def _undo_the_last_act(house: House) -> None:
    async with Client(house.gateway) as client:
        token = await client.log_in(people.PEOPLE[PEOPLE - 1].username, DEMO_PASSWORD)
        nothing = resources_pb2.Account()
        request = accounts_pb2.UpdateMeRequest(account=nothing, update_mask=FieldMask(paths=["bio"]))
        await client.call(client.accounts.UpdateMe, request, token)


def test_seed_asks_the_gateway_that_it_is_told(house: House, run: Run) -> None:
    said = run("seed", "--gateway", "127.0.0.1:1")
    assert said.code == 1
    assert said.err.startswith("the demo world was not finished")
    assert len(said.err.splitlines()) == 1


def test_health_is_told(run: Run) -> None:
    said = run("health")
    assert (said.code, said.out.strip()) == (0, "serving")


def test_users_are_listed_and_looked_up(run: Run) -> None:
    said = run("users", "list")
    assert said.code == 0
    rows = [line.split() for line in said.out.splitlines()[1:]]
    assert len(rows) >= PEOPLE
    user_id, username = rows[0][:2]
    for reference in (user_id, f"@{username}", username.upper()):
        shown = run("users", "show", reference)
        assert shown.code == 0
        assert user_id in shown.out
    assert len(run("users", "list", "--limit", "2").out.splitlines()) == 3
    nobody = run("users", "show", "@nobody.there")
    assert (nobody.code, nobody.err.strip()) == (1, "there is no account @nobody.there")


def test_users_are_hidden_and_shown_again(run: Run) -> None:
    def hidden() -> bool:
        head, row = run("users", "show", username).out.splitlines()
        return row[head.index("hidden") :].strip() == "yes"

    username = run("users", "list", "--limit", "1").out.splitlines()[1].split()[1]
    for command, state in (("hide", True), ("hide", True), ("unhide", False), ("unhide", False)):
        assert run("users", command, f"@{username}").code == 0
        assert hidden() is state
    for nobody in ("@nobody.there", "1"):
        said = run("users", "hide", nobody)
        assert said.code == 1
        assert len(said.err.splitlines()) == 1


def test_a_post_is_removed_and_restored_by_its_id_alone(run: Run) -> None:
    for said in (run("posts", "remove", "no-id"), run("posts", "remove", "1"), run("posts", "restore", "1")):
        assert said.code == 1
        assert len(said.err.splitlines()) == 1


def test_photo_is_uploaded_published_and_in_the_feed(run: Run, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(draw_avatar(99, "Quay"))
    said = run("upload", str(photo), "--caption", "on the quay")
    assert said.code == 0
    assert "is ready: 400 × 400" in said.out
    [post_id] = re.findall(r"post (\d+) is published", said.out)
    feed = run("feed")
    assert feed.code == 0
    assert post_id in feed.out
    assert "on the quay" in feed.out


def test_file_that_is_no_image_is_refused_in_a_line(run: Run, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_text("not a photo")
    said = run("upload", str(photo))
    assert said.code == 1
    assert "NOT_AN_IMAGE" in said.out + said.err


def test_wrong_password_is_said_in_a_line(run: Run) -> None:
    said = run("feed", "--password", "wrong password")
    assert said.code == 1
    assert said.err.strip().endswith("(CREDENTIALS_REFUSED)")


async def test_watch_shows_what_happens_until_ctrl_c(house: House, run: Run, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(draw_avatar(98, "Watch"))
    [post_id] = re.findall(r"post (\d+) is published", run("upload", str(photo), "--caption", "watched").out)
    watching = await asyncio.create_subprocess_exec(
        *(TINTYPE, "watch", post_id),
        env=environment(house.env | {"PYTHONUNBUFFERED": "1"}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert watching.stdout is not None
    line = asyncio.create_task(watching.stdout.readline())
    async with asyncio.timeout(60), Client(house.gateway) as client:
        token = await client.log_in("ben.okafor", DEMO_PASSWORD)
        number = 0
        while not line.done():  # whatever happened before the watch began is not shown
            number += 1
            text = f"number {number}"
            comment = engagement_pb2.CreateCommentRequest(post_id=post_id, text=text)
            await client.call(client.engagement.CreateComment, comment, token)
            await asyncio.wait([line], timeout=0.3)
    assert line.result().decode().startswith(f"post {post_id}: ")
    watching.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(watching.communicate(), 30)
    assert watching.returncode == 0
    assert b"Traceback" not in err


def test_events_shows_every_group_and_its_dead_letters(run: Run) -> None:
    said = run("events")
    assert said.code == 0
    for group in ("timeline", "search", "engagement"):
        assert group in said.out
    assert "no dead letters" in said.out
    bad = run("events", "--replay", "nonsense")
    assert bad.code == 2


def test_search_is_rebuilt(run: Run) -> None:
    said = run("search", "reindex")
    assert said.code == 0
    users, posts = map(int, re.findall(r"indexed (\d+) people and (\d+) posts", said.out)[0])
    assert users >= PEOPLE
    assert posts >= PHOTOS


def test_command_of_another_installation_is_refused(house: House, tmp_path: Path) -> None:
    other = house.env | {"TINTYPE_STATE_DIR": str(tmp_path / "other")}
    said = tintype("users", "list", env=other, cwd=tmp_path)
    assert said.code == 1
    assert "the mesh token does not verify" in said.err


def test_nothing_is_written_where_a_command_is_run(run: Run, tmp_path: Path) -> None:
    run("health")
    run("users", "list")
    assert os.listdir(tmp_path) == []
