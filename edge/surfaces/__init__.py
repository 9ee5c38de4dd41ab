"""The public services of tintype.edge.v1: skeleton, hydrate, rules, present."""

from __future__ import annotations

import uuid


def request_id(given: str) -> str:
    """The client's request id, or a fresh one: within the mesh every creation has one and may be retried."""
    return given or str(uuid.uuid4())
