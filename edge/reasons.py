"""What an error of the public API may say, for readers of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from tintype.type.v1.reason_pb2 import ErrorReason

from mesh.rpc.contracts import comments_of, files_of

_PREFIX = "ERROR_REASON_"
_STATUS = """google.rpc.Status with exactly one ErrorInfo (AIP-193), whose `reason` is for programs and keeps its name;
`message` is for people. The reasons:"""


def error_schema() -> dict[str, Any]:
    """The schema of every error, its reasons with what each means."""
    meanings = _meanings()
    listed = "\n".join(f"* `{reason}`: {meaning}" for reason, meaning in meanings.items())
    info = {"@type": {"type": "string"}, "reason": {"type": "string", "enum": list(meanings)}}
    return {
        "type": "object",
        "description": f"{_STATUS}\n\n{listed}",
        "properties": {
            "code": {"type": "integer", "description": "google.rpc.Code"},
            "message": {"type": "string"},
            "details": {"type": "array", "items": {"type": "object", "properties": info}},
        },
    }


def _meanings() -> dict[str, str]:
    """Every reason with its comment in the proto."""
    comments: dict[str, str] = {}
    for file in files_of("tintype.type.v1"):
        comments.update(comments_of(file))
    names = [name for name, number in ErrorReason.items() if number]
    return {name.removeprefix(_PREFIX): comments[f"ErrorReason.{name}"] for name in names}
