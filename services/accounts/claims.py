"""Claims of usernames and e-mail addresses: one holder each, and none stuck by a crash.

A claim names the account it was made for, whose id was chosen before. Whether that account comes to
be is decided by one insert into its row: of the account, or of a mark that it never will be
(*abandoned*). So a claim whose account does not exist after a while can be taken over safely: the
taker first abandons that account, and a registration that was only slow fails at its insert.
"""

from __future__ import annotations

from mesh.clock import Clock
from mesh.storage import Table
from services.accounts.account import Claim
from services.accounts.store import AccountStore

_MAX_TRIES = 10
_NOBODY = 0


class Claims:
    """Takes and gives back names. ``patience_ms``: how old a claim without an account must be to be
    taken over; longer than a registration can take."""

    def __init__(self, store: AccountStore, clock: Clock, patience_ms: int) -> None:
        self._store = store
        self._clock = clock
        self._patience_ms = patience_ms

    async def take(self, table: Table[Claim], name: str, user_id: int) -> bool:
        """Claim a name for an account about to be created; False where another holds it. May be repeated."""
        wanted = Claim(user_id, self._clock.now_ms())
        held = await self._store.claim(table, name, wanted)
        for _ in range(_MAX_TRIES):
            if held.user_id == user_id:
                return True
            if not await self._is_free(held):
                return False
            await self._store.hand_over(table, name, held, wanted)
            held = await self._store.claim(table, name, wanted)
        return False

    async def is_taken(self, table: Table[Claim], name: str, user_id: int = _NOBODY) -> bool:
        """Whether an account other than this one holds a name, as of now: a cheap look ahead."""
        (held,) = await self._store.claims(table, [name])
        if held is None or held.user_id in (_NOBODY, user_id):
            return False
        return not self._is_old(held) or await self._store.account(held.user_id) is not None

    async def give_back(self, table: Table[Claim], name: str, user_id: int) -> None:
        """Free a name held for an account that was abandoned. May be repeated."""
        (held,) = await self._store.claims(table, [name])
        if held is not None and held.user_id == user_id:
            await self._store.hand_over(table, name, held, Claim(_NOBODY, self._clock.now_ms()))

    async def _is_free(self, held: Claim) -> bool:
        if held.user_id == _NOBODY or await self._store.is_abandoned(held.user_id):
            return True
        return self._is_old(held) and await self._store.abandon(held.user_id)

    def _is_old(self, held: Claim) -> bool:
        return self._clock.now_ms() - held.claim_time_ms >= self._patience_ms
