"""Configuration: which layer wins, what is refused and how that is said, and that no secret is shown."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field, SecretStr

from cli import configuration
from mesh import config
from mesh.config import ConfigError, Section

SECRET = "hunter2-hunter2"


class Darkroom(Section):
    """A module's own section."""

    trays: int = Field(3, ge=1, le=9, description="trays in a row")
    key: SecretStr = SecretStr("")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of whoever runs the tests; state of this test's own."""
    for name in [name for name in os.environ if name.startswith("TINTYPE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def load(flags: dict[str, str] | None = None, toml: str | None = None) -> Any:
    path = Path("tintype.toml")
    if toml is not None:
        path.write_text(toml)
    return config.load({"darkroom": Darkroom}, path if toml is not None else None, flags)


def complaint(flags: dict[str, str] | None = None, toml: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(flags, toml)
    return str(caught.value)


# --- layers


def test_every_default_runs() -> None:
    settings = configuration.load()
    for name, section in configuration.sections().items():
        assert getattr(settings, name) == section()


def test_later_layers_win(monkeypatch: pytest.MonkeyPatch) -> None:
    toml = "node = 1\n[darkroom]\ntrays = 4\n[blobs]\nbucket = 'from-toml'\nregion = 'from-toml'\n"
    assert load().node == 0
    assert load(toml=toml).node == 1
    monkeypatch.setenv("TINTYPE_NODE", "2")
    monkeypatch.setenv("TINTYPE_DARKROOM__TRAYS", "5")
    monkeypatch.setenv("TINTYPE_BLOBS__BUCKET", "from-env")
    settings = load(toml=toml)
    assert (settings.node, settings.darkroom.trays) == (2, 5)
    assert (settings.blobs.bucket, settings.blobs.region) == ("from-env", "from-toml")
    settings = load({"node": "3", "blobs.bucket": "from-flag"}, toml)
    assert (settings.node, settings.blobs.bucket, settings.blobs.region) == (3, "from-flag", "from-toml")


def test_nested_keys_and_lists_are_said_in_every_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load({"targets": "graph,media"}).targets == ("graph", "media")
    assert load({"addresses.media": "m:1"}).addresses == {"media": "m:1"}
    monkeypatch.setenv("TINTYPE_TARGETS", '["edge"]')
    monkeypatch.setenv("TINTYPE_ADDRESSES", '{"graph": "g:2"}')
    settings = load()
    assert (settings.targets, settings.addresses) == (("edge",), {"graph": "g:2"})


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().node = 5


# --- refusals


def test_unknown_key_is_named_in_every_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaint({"redis.urll": "x"}).startswith("redis.urll: no setting has this name")
    assert complaint({"nod": "1"}).startswith("nod: no setting has this name")
    assert complaint(toml="[redis]\nurll = 'x'").startswith("redis.urll: no setting has this name")
    assert complaint(toml="[reddis]\nurl = 'x'").startswith("reddis: no setting has this name")
    monkeypatch.setenv("TINTYPE_REDIS__URLL", "x")
    assert complaint().startswith("redis.urll: no setting has this name")
    monkeypatch.delenv("TINTYPE_REDIS__URLL")
    for name in ("TINTYPE_REDDIS__URL", "TINTYPE_NOD"):
        monkeypatch.setenv(name, "x")
        assert complaint().startswith(f"{name}: no setting has this name")
        monkeypatch.delenv(name)


def test_variables_of_the_command_line_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "GATEWAY", "USER", "PASSWORD"):
        monkeypatch.setenv(f"TINTYPE_{name}", "x")
    load()


def test_bad_value_is_named_with_what_is_expected_what_was_given_and_how_to_set_it() -> None:
    said = complaint({"darkroom.trays": "12"})
    assert said.startswith("darkroom.trays: ")
    for part in ("less than or equal to 9", "'12'", "TINTYPE_DARKROOM__TRAYS", "--set darkroom.trays=", "TOML"):
        assert part in said


def test_every_bad_key_is_named_at_once() -> None:
    said = complaint({"node": "5000", "darkroom.trays": "0", "telemetry.log_level": "LOUD"})
    assert [line.split(":")[0] for line in said.splitlines()] == ["node", "telemetry.log_level", "darkroom.trays"]


@pytest.mark.parametrize("address", ["9090", "localhost", "localhost:", ":80", "a b:1", "127.0.0.1:port"])
def test_address_of_another_form_is_refused(address: str) -> None:
    assert complaint({"grpc_address": address}).startswith("grpc_address: ")
    assert complaint({"telemetry.metrics_address": address}).startswith("telemetry.metrics_address: ")


def test_broken_toml_is_named_by_file_and_line() -> None:
    assert complaint(toml="node = ").startswith("tintype.toml: ")
    assert "line 2" in complaint(toml="node = 1\nnode = 2\n")
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        config.load({}, Path("absent.toml"))
    Path("tintype.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"tintype\.toml"):
        config.load({}, Path("tintype.toml"))


def test_variable_that_should_be_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINTYPE_ADDRESSES", "media=m:1")
    assert "addresses" in complaint()


def test_key_that_is_value_and_section_at_once_is_refused() -> None:
    assert complaint({"redis": "x", "redis.url": "redis://h"}) == (
        "redis.url: redis is set as a value and as a section; keep one of the two"
    )


# --- secrets


@pytest.mark.parametrize(
    ("flags", "toml"),
    [
        pytest.param({"blobs.secret_key.x": SECRET}, None, id="secret that became a section"),
        pytest.param({"darkroom": SECRET}, None, id="section that holds a secret"),
        pytest.param(None, f"[darkroom]\nkey = ['{SECRET}']", id="secret of a wrong type"),
        pytest.param({"secret": SECRET}, None, id="secret that is too short"),
        pytest.param({"telemetry.log_level": f"redis://me:{SECRET}@host/0"}, None, id="url in a wrong place"),
        pytest.param(None, f"[redis]\nurl = ['redis://me:{SECRET}@host/0']", id="url of a wrong type"),
    ],
)
def test_complaint_shows_no_secret(flags: dict[str, str] | None, toml: str | None) -> None:
    assert SECRET not in complaint(flags, toml)


def printed(env: dict[str, str]) -> str:
    command = [str(Path(sys.executable).with_name("tintype")), "config"]
    done = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=True, timeout=60)
    assert SECRET not in done.stderr
    return done.stdout


def test_tintype_config_prints_what_is_in_force_and_masks_secrets() -> None:
    said = printed(
        {
            "TINTYPE_SECRET": SECRET * 3,
            "TINTYPE_BLOBS__SECRET_KEY": SECRET,
            "TINTYPE_REDIS__URL": f"redis://:{SECRET}@cache:6379/0",
            "TINTYPE_STORAGE__URL": f"cassandra://me:{SECRET}@one,two/p",
            "TINTYPE_NODE": "17",
        }
    )
    assert SECRET not in said
    values = yaml.safe_load(said)
    assert values["node"] == 17
    assert values["redis"]["url"] == "redis://:**********@cache:6379/0"
    assert values["storage"]["url"] == "cassandra://me:**********@one,two/p"
    assert set(configuration.sections()) <= set(values)


def test_what_is_printed_is_a_configuration() -> None:
    values = yaml.safe_load(printed({"TINTYPE_NODE": "3"}))
    assert config.load(configuration.sections(), None, {"node": str(values["node"])}).node == 3
    assert json.dumps(values)


def test_production_needs_a_secret_of_its_own() -> None:
    assert "TINTYPE_SECRET" in complaint({"development": "false"})
    assert load({"development": "false", "secret": "s" * 32}).derived_key("x")


def test_derived_keys_differ_by_purpose_and_by_installation() -> None:
    one, other = load({"secret": "a" * 32}), load({"secret": "b" * 32})
    keys = {one.derived_key("links"), one.derived_key("pages"), other.derived_key("links"), other.derived_key("pages")}
    assert len(keys) == 4
    assert load({"secret": "a" * 32}).derived_key("links") in keys


def test_made_secret_is_its_owners_alone_and_stays() -> None:
    first = load().derived_key("x")
    assert stat.S_IMODE(Path(".state/secret").stat().st_mode) == 0o600
    assert load().derived_key("x") == first
    assert [path.name for path in Path(".state").iterdir()] == ["secret"]


def test_processes_that_start_together_get_one_secret(tmp_path: Path) -> None:
    for number in range(50):
        path = tmp_path / str(number) / "secret"
        with ThreadPoolExecutor(8) as pool:
            made = set(pool.map(lambda _, path=path: config._made_secret(path), range(8)))
        assert len(made) == 1
        assert len(made.pop()) == 64


def test_secret_is_never_seen_unfinished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that makes it at the same moment wins or loses whole."""
    path = tmp_path / "secret"
    link = os.link

    def overtaken(source: str, target: Path) -> None:
        assert not path.exists()
        path.write_bytes(b"theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", overtaken)
    assert config._made_secret(path) == b"theirs"
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]
