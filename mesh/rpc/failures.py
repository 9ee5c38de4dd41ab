"""Every exception that a handler may let out, as the one Problem that the caller sees."""

from __future__ import annotations

import structlog

from mesh import storage
from mesh.blobs import contract as blobs
from mesh.deadline import DeadlineExceeded
from mesh.errors import Code, Problem, unavailable
from mesh.rpc.method import Method

_log = structlog.get_logger(__name__)


def as_problem(error: Exception, method: Method) -> Problem:
    """Translate; what nobody foresaw is logged whole here and told to the caller without detail."""
    match error:
        case Problem():
            return error
        case DeadlineExceeded() | TimeoutError() | storage.TimedOut():
            return Problem(
                Code.DEADLINE_EXCEEDED,
                "DEADLINE_EXCEEDED",
                "no answer within the deadline; what was asked for may or may not have happened",
            )
        case storage.Unavailable():
            return unavailable("storage")
        case blobs.BlobUnavailable():
            return unavailable("blob store")
    _log.error("unforeseen error", method=method.path, error=repr(error), exc_info=error)
    return Problem(Code.INTERNAL, "INTERNAL", "something failed on our side; it has been recorded")
