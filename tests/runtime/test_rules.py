"""No RPC is served whose contract does not say who may call it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from tintype.type.v1 import rule_pb2

from cli.modules import modules
from mesh.app import Context, Module
from mesh.rpc.chain import Chain
from mesh.rpc.checks import validation
from mesh.rpc.method import IncompleteRule, Shape, methods_of
from mesh.rpc.server import Registry
from mesh.testing.harness import running
from tests.runtime.trial_protos import ruleless
from tests.runtime.trial_service import EDGE, TRIAL

WHOLE = {
    "access": rule_pb2.ACCESS_PUBLIC,
    "scope": rule_pb2.SCOPE_NONE,
    "rate_class": rule_pb2.RATE_CLASS_READ,
    "idempotency": rule_pb2.IDEMPOTENCY_SAFE,
}
_serial = itertools.count()
METHODS = methods_of(TRIAL.services_by_name["TrialService"]) | methods_of(EDGE.services_by_name["TrialEdgeService"])


def named(name: str) -> object:
    return next(method for path, method in METHODS.items() if path.endswith(f"/{name}"))


def rule(**parts: int) -> bytes:
    options = descriptor_pb2.MethodOptions()
    options.Extensions[rule_pb2.rule].CopyFrom(rule_pb2.Rule(**parts))
    return options.SerializeToString()


class Does:
    async def Do(self, request: object, call: object) -> object:
        return request


async def test_process_does_not_start_with_an_rpc_that_has_no_rule(tmp_path: Path) -> None:
    service = ruleless(f"bare{next(_serial)}")

    async def build(ctx: Context) -> None:
        ctx.serve(service, Does())

    with pytest.raises(IncompleteRule, match=r"Service\.Do: option \(tintype\.type\.v1\.rule\) lacks access"):
        async with running([Module("bare", build)], tmp_path):
            pass


@pytest.mark.parametrize("part", WHOLE)
def test_rule_that_lacks_a_part_is_refused_by_the_parts_name(part: str) -> None:
    service = ruleless(f"part{next(_serial)}", rule(**{key: value for key, value in WHOLE.items() if key != part}))
    with pytest.raises(IncompleteRule, match=f"lacks {part}"):
        methods_of(service)


def test_whole_rule_is_accepted() -> None:
    assert len(methods_of(ruleless(f"whole{next(_serial)}", rule(**WHOLE)))) == 1


def test_bidirectional_stream_is_refused() -> None:
    with pytest.raises(IncompleteRule, match="bidirectional"):
        methods_of(ruleless(f"both{next(_serial)}", rule(**WHOLE), bidirectional=True))


def test_servicer_that_lacks_a_method_is_refused() -> None:
    registry = Registry(Chain([], validation))
    with pytest.raises(NotImplementedError, match=r"object does not implement /tintype\.trial\.v1\.TrialService/Ask"):
        registry.add(TRIAL.services_by_name["TrialService"], object())


def test_method_knows_its_shape_and_its_side_of_the_edge() -> None:
    shapes = {name: named(name).shape for name in ("Ask", "Watch", "Collect")}  # type: ignore[attr-defined]
    assert shapes == {"Ask": Shape.UNARY, "Watch": Shape.SERVER_STREAM, "Collect": Shape.CLIENT_STREAM}
    assert named("Ask").internal  # type: ignore[attr-defined]
    assert not named("Open").internal  # type: ignore[attr-defined]


def test_only_calls_whose_repetition_has_one_effect_are_repeated() -> None:
    retryable = {method.name for method in METHODS.values() if method.retryable}
    assert retryable == {"Ask", "Brief", "AsUser", "AsOwner", "AsModerator", "Open", "Mine"}


def test_default_deadlines() -> None:
    timeouts = {name: named(name).timeout_s for name in ("Ask", "Brief", "Collect", "Watch", "BriefWatch")}  # type: ignore[attr-defined]
    assert timeouts == {"Ask": 5.0, "Brief": 0.1, "Collect": 5.0, "Watch": None, "BriefWatch": 0.1}


def test_no_rpc_of_tintype_lets_the_public_into_the_mesh() -> None:
    """Of the contracts themselves: what is not public API is for the mesh, and the edge's API is not for it."""
    modules()  # imports every contract that is served
    from google.protobuf import descriptor_pool

    pool = descriptor_pool.Default()
    found = descriptor_pb2.FileDescriptorSet()
    found.ParseFromString(Path("generated/tintype/descriptors.binpb").resolve().read_bytes())
    services = [
        pool.FindServiceByName(f"{file.package}.{service.name}") for file in found.file for service in file.service
    ]
    rules = [method for service in services for method in methods_of(service).values()]
    assert len(rules) > 50
    for method in rules:
        assert method.internal == (method.rule.rate_class == rule_pb2.RATE_CLASS_INTERNAL), method.path
        assert method.internal or method.rule.access != rule_pb2.ACCESS_MESH, method.path
        open_to_all = method.rule.access == rule_pb2.ACCESS_PUBLIC
        assert not open_to_all or method.rule.scope in (rule_pb2.SCOPE_NONE, rule_pb2.SCOPE_MESH), method.path
        user = method.rule.access in (rule_pb2.ACCESS_USER, rule_pb2.ACCESS_OWNER, rule_pb2.ACCESS_MODERATOR)
        scopes = (rule_pb2.SCOPE_READ, rule_pb2.SCOPE_WRITE, rule_pb2.SCOPE_ACCOUNT)
        assert not user or method.rule.scope in scopes, method.path
