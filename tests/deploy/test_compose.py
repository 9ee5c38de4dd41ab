"""The distributed form, as far as it can be known without running it."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from cli import configuration
from cli.modules import modules
from mesh.storage.cassandra import url as cassandra_url
from tests.mesh.compose_file import ROOT, compose_file

GIVEN = {"TINTYPE_SECRET": "s" * 64, "TINTYPE_S3_SECRET": "t" * 40}
TARGETS = [module.name for module in modules()]
ASKED_BY_NOBODY = {"otel-collector"}
"""Its image holds nothing to ask with, and nothing waits for it."""


@pytest.fixture(scope="module")
def compose() -> Any:
    return compose_file(GIVEN)


@pytest.fixture(scope="module")
def containers(compose: Any) -> dict[str, Any]:
    return dict(compose["services"])


def mounts(container: Any) -> list[list[str]]:
    return [mount.split(":") for mount in container.get("volumes", [])]


def targets(containers: dict[str, Any]) -> dict[str, list[str]]:
    """Which targets each container serves."""
    commands = {name: container.get("command") or [] for name, container in containers.items()}
    return {name: command[2:] for name, command in commands.items() if command[:2] == ["serve", "--target"]}


def settings_of(container: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The configuration that this container's environment makes; an unknown key is refused."""
    for name, value in container["environment"].items():
        monkeypatch.setenv(name, value)
    return configuration.load([])


def test_it_is_what_the_compose_specification_allows(compose: Any) -> None:
    schema = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text())).validate(compose)


def test_every_target_has_one_container_and_no_container_serves_another(containers: dict[str, Any]) -> None:
    served = [target for some in targets(containers).values() for target in some]
    assert sorted(served) == sorted(TARGETS)


def test_nobody_is_root_or_may_become_it(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        assert str(container["user"]).split(":")[0] not in ("0", "root"), name
        assert container["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in container["security_opt"], name
        assert not container.get("privileged"), name


def test_everything_that_stays_up_has_a_health_check_and_a_bound_on_memory(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        once = container.get("restart") == "no"
        if not once and name not in ASKED_BY_NOBODY:
            assert container["healthcheck"]["test"], name
        assert container["deploy"]["resources"]["limits"]["memory"], name


def test_what_waits_for_another_waits_for_something_that_can_happen(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        for needed, how in container.get("depends_on", {}).items():
            other = containers[needed]
            if how["condition"] == "service_completed_successfully":
                assert other["restart"] == "no", (name, needed)
            else:
                assert other["healthcheck"].get("test"), (name, needed)


def test_nobody_waits_in_a_circle(containers: dict[str, Any]) -> None:
    started: set[str] = set()
    while waiting := set(containers) - started:
        ready = {name for name in waiting if set(containers[name].get("depends_on", {})) <= started}
        assert ready, waiting
        started |= ready


@pytest.mark.parametrize("target", TARGETS)
def test_every_service_s_environment_is_a_valid_configuration(
    containers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    settings = settings_of(containers[target], monkeypatch)
    assert not settings.development
    assert settings.secret.get_secret_value() == GIVEN["TINTYPE_SECRET"]


@pytest.mark.parametrize("target", TARGETS)
def test_every_address_is_where_that_container_listens(
    containers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    settings = settings_of(containers[target], monkeypatch)
    assert set(settings.addresses) == set(TARGETS)
    for area, address in settings.addresses.items():
        host, port = address.split(":")
        assert area in targets(containers)[host]
        assert containers[host]["environment"]["TINTYPE_GRPC_ADDRESS"] == f"0.0.0.0:{port}"


@pytest.mark.parametrize("target", TARGETS)
def test_every_server_that_a_service_is_told_of_is_there(
    containers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    settings = settings_of(containers[target], monkeypatch)
    storage = cassandra_url.parse(settings.storage_url)
    assert set(storage.endpoint.hosts) == {name for name in containers if name.startswith("cassandra-")}
    assert storage.replication == len(storage.endpoint.hosts) == 3
    s3_host, s3_port = settings.blobs.endpoint.split(":")
    assert containers[s3_host]["command"][-1] == f":{s3_port}"
    assert settings.blobs.secret_key.get_secret_value() == containers[s3_host]["environment"]["MINIO_ROOT_PASSWORD"]
    assert urlsplit(settings.redis.url).hostname in containers
    assert settings.telemetry.otlp_endpoint.split(":")[0] in containers


def test_every_process_has_a_node_number_of_its_own(containers: dict[str, Any]) -> None:
    nodes = [containers[name]["environment"]["TINTYPE_NODE"] for name in targets(containers)]
    assert len(set(nodes)) == len(nodes)


def test_secrets_are_asked_for_and_never_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for line in text.splitlines():
        if re.match(r"\s*\w*(SECRET|PASSWORD)\w*:", line):
            assert re.search(r": \$\{\w+:\?.+\}$", line), line


def test_only_the_gateway_can_be_reached_from_outside(containers: dict[str, Any]) -> None:
    assert [name for name, container in containers.items() if container.get("ports")] == ["envoy"]


def test_private_keys_are_the_accounts_alone_and_public_keys_are_read_by_all(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        sources = [mount[0] for mount in mounts(container)]
        assert ("signing-keys" in sources) == (name == "accounts"), name
        if name in (*TARGETS, "envoy") and name != "accounts":
            assert ["public-keys", "/keys/public", "ro"] in mounts(container), name


def test_each_volume_is_declared_and_used(compose: Any, containers: dict[str, Any]) -> None:
    used = {mount[0] for container in containers.values() for mount in mounts(container)}
    assert {source for source in used if not source.startswith("./")} == set(compose["volumes"])
    for source in used:
        assert not source.startswith("./") or (ROOT / source).exists()


def test_the_index_has_one_writer(containers: dict[str, Any]) -> None:
    with_index = [name for name, container in containers.items() if "search-index" in str(container.get("volumes"))]
    assert with_index == ["search"]
    assert containers["search"].get("deploy", {}).get("replicas", 1) == 1


def test_the_collector_scrapes_every_service_and_takes_traces_where_they_are_sent(containers: dict[str, Any]) -> None:
    collector = yaml.safe_load((ROOT / "deploy" / "otel-collector.yaml").read_text())
    (job,) = collector["receivers"]["prometheus"]["config"]["scrape_configs"]
    port = containers["edge"]["environment"]["TINTYPE_TELEMETRY__METRICS_ADDRESS"].rpartition(":")[2]
    assert sorted(job["static_configs"][0]["targets"]) == sorted(f"{target}:{port}" for target in TARGETS)
    sent_to = containers["edge"]["environment"]["TINTYPE_TELEMETRY__OTLP_ENDPOINT"]
    listens = collector["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    assert sent_to.rpartition(":")[2] == listens.rpartition(":")[2]
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind])
