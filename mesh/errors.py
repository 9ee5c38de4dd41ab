"""Errors that a caller is meant to see, free of gRPC so that domain code can raise them.

A :class:`Problem` becomes a google.rpc.Status with exactly one ErrorInfo (AIP-193) at the server's
door, in ``mesh/rpc/status.py``, and turns back into the same Problem in a caller's process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from tintype.type.v1.reason_pb2 import ErrorReason

DOMAIN = "tintype"
_PREFIX = "ERROR_REASON_"


class Code(IntEnum):
    """The canonical status codes (google.rpc.Code)."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


def is_reason(name: str) -> bool:
    """Whether this is a name of tintype.type.v1.ErrorReason, without its prefix."""
    return _PREFIX + name in ErrorReason.keys()  # noqa: SIM118 - not a dict


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that was wrong: its path as the request names it, and what is expected there."""

    field: str
    description: str


@dataclass
class Problem(Exception):
    """A refusal with a status code, a reason from the one list, and a sentence that helps.

    ``reason`` is a name of tintype.type.v1.ErrorReason without its prefix; an unknown one is a bug
    and raises ValueError at once. ``retry_after_ms`` tells the caller when to try again.
    """

    code: Code
    reason: str
    message: str
    fields: Sequence[FieldViolation] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after_ms: int | None = None

    def __post_init__(self) -> None:
        if not is_reason(self.reason):
            raise ValueError(f"reason {self.reason!r} is not in tintype.type.v1.ErrorReason: add it to reason.proto")
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.code.name} {self.reason}: {self.message}"


def invalid(field_path: str, description: str, reason: str = "INVALID_FIELD") -> Problem:
    """A field of the request is wrong; ``description`` says what is expected."""
    message = f"{field_path}: {description}"
    return Problem(Code.INVALID_ARGUMENT, reason, message, (FieldViolation(field_path, description),))


def not_found(reason: str, message: str) -> Problem:
    """It is not there, or the caller may not know that it is: both answer alike."""
    return Problem(Code.NOT_FOUND, reason, message)


def conflict(reason: str, message: str, field_path: str = "") -> Problem:
    """What the request would create exists already."""
    fields = (FieldViolation(field_path, message),) if field_path else ()
    return Problem(Code.ALREADY_EXISTS, reason, message, fields)


def precondition(reason: str, message: str) -> Problem:
    """The state of things forbids it now; ``message`` says what to do first."""
    return Problem(Code.FAILED_PRECONDITION, reason, message)


def denied(reason: str, message: str) -> Problem:
    """The caller is known and may not do this."""
    return Problem(Code.PERMISSION_DENIED, reason, message)


def unauthenticated(reason: str, message: str) -> Problem:
    """Nobody verifiable is calling."""
    return Problem(Code.UNAUTHENTICATED, reason, message)


def unavailable(what: str, message: str = "", retry_after_ms: int = 1000) -> Problem:
    """A dependency is away; nothing was changed unless the call says so; it recovers by itself."""
    text = message or f"{what} cannot be reached; try again shortly"
    return Problem(
        Code.UNAVAILABLE,
        "DEPENDENCY_UNAVAILABLE",
        text,
        metadata={"dependency": what},
        retry_after_ms=retry_after_ms,
    )


def no_answer(what: str) -> Problem:
    """A dependency did not answer in time."""
    return Problem(
        Code.DEADLINE_EXCEEDED,
        "DEADLINE_EXCEEDED",
        f"{what} did not answer within the deadline; what was asked for may or may not have happened",
        metadata={"dependency": what},
        retry_after_ms=1000,
    )


def exhausted(reason: str, message: str, retry_after_ms: int | None = None) -> Problem:
    """A limit was reached."""
    return Problem(Code.RESOURCE_EXHAUSTED, reason, message, retry_after_ms=retry_after_ms)
