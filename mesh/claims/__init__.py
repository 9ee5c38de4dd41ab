"""Claims: rows under compare-and-set, changed together with the events that tell of them."""

from mesh.claims.changes import CLAIM_S, Claims, State
from mesh.claims.request_ids import Request, RequestIds, request_table, reused
from mesh.claims.standing import standing

__all__ = ["CLAIM_S", "Claims", "Request", "RequestIds", "State", "request_table", "reused", "standing"]
