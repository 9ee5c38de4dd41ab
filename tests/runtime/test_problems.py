"""A Problem crosses processes as google.rpc.Status and comes back the same."""

from __future__ import annotations

import json

import pytest
import structlog
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st
from tintype.type.v1.reason_pb2 import ErrorReason

from mesh import telemetry
from mesh.config import TelemetrySection
from mesh.errors import Code, FieldViolation, Problem, invalid
from mesh.rpc.status import from_status, to_status

REASONS = [name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()]  # noqa: SIM118 - not a dict
TEXT = st.text(max_size=50).filter(lambda text: text.isprintable())
PROBLEMS = st.builds(
    Problem,
    st.sampled_from(Code),
    st.sampled_from(REASONS),
    TEXT,
    st.lists(st.builds(FieldViolation, TEXT, TEXT), max_size=5).map(tuple),
    st.dictionaries(st.text("abc", min_size=1), TEXT, max_size=3),
    st.none() | st.integers(1, 10**9),
)


@given(PROBLEMS)
def test_problem_comes_back_as_it_went(problem: Problem) -> None:
    back = from_status(status_pb2.Status.FromString(to_status(problem, "id").SerializeToString()))
    for part in ("code", "reason", "message", "fields", "metadata", "retry_after_ms"):
        assert getattr(back, part) == getattr(problem, part), part


@given(PROBLEMS)
def test_status_has_exactly_one_error_info(problem: Problem) -> None:
    details = to_status(problem).details
    assert sum(detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR) for detail in details) == 1


def test_unknown_reason_is_a_bug_where_it_is_raised() -> None:
    with pytest.raises(ValueError, match=r"add it to reason\.proto"):
        Problem(Code.INTERNAL, "MADE_UP", "x")


@pytest.mark.parametrize(
    ("domain", "reason", "expected"),
    [
        ("tintype", "OF_A_LATER_RELEASE", "DEPENDENCY_UNAVAILABLE"),
        ("googleapis.com", "INTERNAL", "DEPENDENCY_UNAVAILABLE"),
        ("tintype", "OVERLOADED", "OVERLOADED"),
    ],
)
def test_reason_that_this_release_does_not_know_becomes_its_codes(domain: str, reason: str, expected: str) -> None:
    status = status_pb2.Status(code=Code.UNAVAILABLE, message="away")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=domain))
    problem = from_status(status)
    assert (problem.code, problem.reason, problem.message) == (Code.UNAVAILABLE, expected, "away")


@pytest.mark.parametrize("code", list(Code))
def test_status_without_details_becomes_a_problem(code: Code) -> None:
    assert from_status(status_pb2.Status(code=code, message="m")).code is code


def test_code_that_nobody_knows_is_unknown() -> None:
    assert from_status(status_pb2.Status(code=77)).code is Code.UNKNOWN


def test_fields_are_named_as_json_has_them_for_json_callers() -> None:
    problem = invalid("place.display_name", "too long")
    bad = error_details_pb2.BadRequest()
    to_status(problem, json_names=True).details[1].Unpack(bad)
    assert bad.field_violations[0].field == "place.displayName"


@pytest.mark.parametrize("form", ["json", "console"])
def test_log_of_an_error_has_its_trace_and_no_local_variable(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Passwords and tokens are local variables of somebody."""

    def fails(password: str) -> None:
        raise RuntimeError("broken")

    before = structlog.get_config()
    try:
        telemetry.set_up(TelemetrySection(log_format=form, metrics_address=""), "test")
        try:
            fails("hunter2")
        except RuntimeError as error:
            structlog.get_logger().error("failed", exc_info=error)
    finally:
        structlog.configure(**before)
    said = capsys.readouterr().err
    assert "RuntimeError" in said
    assert "in fails" in said or '"fails"' in said
    assert "hunter2" not in said.replace('fails("hunter2")', "")
    if form == "json":
        assert json.loads(said.splitlines()[-1])["event"] == "failed"
