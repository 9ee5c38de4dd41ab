"""Request ids (AIP-155): a creation that is repeated with the same id has one effect and one answer.

An id stands for the id of what it creates, chosen before anything is made, so whoever repeats finishes
what an attempt that died had begun. It is the caller's own: two people may use the same, and so may two
kinds of creation.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta

from mesh.claims.standing import standing
from mesh.errors import Problem, conflict
from mesh.personal import Personal, owned
from mesh.storage import Key, Store, Table, WriteMode, table

LIFE = timedelta(days=30)
"""How long a request id is remembered: longer than a device keeps trying."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a request id stands for. ``digest`` tells its content from another's; ``memo`` is what an attempt
    has chosen besides the id and a repetition needs to finish it."""

    owner_id: int
    kind: str
    request_id: str
    answer_id: int
    digest: bytes
    memo: bytes = b""

    def must_match(self, digest: bytes) -> None:
        """Raises REQUEST_ID_REUSED where the id was used for other content."""
        if not hmac.compare_digest(self.digest, digest):
            raise reused(self.kind)


def reused(kind: str) -> Problem:
    """The refusal of an id that stands for something else."""
    return conflict("REQUEST_ID_REUSED", f"this request id was used for another {kind}: choose a new one", "request_id")


def request_table(personal: Personal | None = None) -> Table[Request]:
    """The table of a service that keeps request ids."""
    return table(
        "request_ids",
        Request,
        partition=("owner_id", "kind", "request_id"),
        ttl=LIFE,
        mode=WriteMode.COMPARE_AND_SET,
        personal=personal or owned("owner_id"),
    )


class RequestIds:
    """The request ids of one kind of creation (``kind`` is a word for what is created). Raises what the store
    raises. An empty request id stands for nothing and is not kept."""

    def __init__(self, store: Store, requests: Table[Request], kind: str) -> None:
        self._store, self._table, self._kind = store, requests, kind

    async def find(self, owner_id: int, request_id: str) -> Request | None:
        """What an id stands for, where it was seen before."""
        if not request_id:
            return None
        key: Key = {"owner_id": owner_id, "kind": self._kind, "request_id": request_id}
        row = await self._store.get(self._table, key)
        return self._table.decode(row) if row else None

    async def claim(self, owner_id: int, request_id: str, answer_id: int, digest: bytes, memo: bytes = b"") -> Request:
        """Let an id stand for this; what it stands for, now or since before. May be repeated. Raises
        REQUEST_ID_REUSED."""
        wanted = Request(owner_id, self._kind, request_id, answer_id, digest, memo)
        if not request_id:
            return wanted
        found = self._table.decode(await standing(self._store, self._table, self._table.encode(wanted)))
        found.must_match(digest)
        return found

    async def renew(self, old: Request, answer_id: int, memo: bytes = b"") -> Request:
        """Let an id stand for another answer, since the old one will never be; what it stands for then."""
        row = self._table.encode(Request(old.owner_id, old.kind, old.request_id, answer_id, old.digest, memo))
        key = {name: row.pop(name) for name in self._table.key_columns}
        await self._store.update_if(self._table, key, row, {"answer_id": old.answer_id})
        return await self.claim(old.owner_id, old.request_id, answer_id, old.digest, memo)
