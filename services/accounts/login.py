"""Logging in by username or e-mail address."""

from __future__ import annotations

from mesh.errors import Problem, unauthenticated
from mesh.storage import StorageError, Table
from services.accounts import fields
from services.accounts.account import Account, Claim
from services.accounts.attempts import Attempts
from services.accounts.passwords import Passwords
from services.accounts.schema import EMAILS, USERNAMES
from services.accounts.sessions import Sessions, Tokens
from services.accounts.store import AccountStore

_NOBODY = "-"
"""A name that no account can have."""


class Login:
    """Opens sessions for those who know their password."""

    def __init__(self, store: AccountStore, sessions: Sessions, passwords: Passwords, attempts: Attempts) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = passwords
        self._attempts = attempts

    async def log_in(self, identifier: str, password: str, client: str) -> tuple[Account, Tokens]:
        """Open a session. An unknown identifier takes the same work and gives the same refusal as a
        wrong password. Raises CREDENTIALS_REFUSED, RATE_LIMITED, OVERLOADED.
        """
        table, name = _name_of(identifier)
        counted = name if name != _NOBODY else identifier
        await self._attempts.count(counted, client)
        try:
            account = await self._account(table, name)
        except StorageError:
            # Nothing was learned of the password, so it was no try: an outage must not lock people out.
            await self._attempts.take_back(counted, client)
            raise
        right = await self._passwords.verify(password, account.password_hash if account else None)
        if account is None or not right:
            raise unauthenticated("CREDENTIALS_REFUSED", "the name or the password is wrong")
        await self._attempts.forget(counted, client)
        if self._passwords.outdated(account.password_hash):
            await self._store.keep_password(account, await self._passwords.hash(password))
        return account, await self._sessions.open(account.user.user_id, client)

    async def _account(self, table: Table[Claim], name: str) -> Account | None:
        (claim,) = await self._store.claims(table, [name])
        account = await self._store.account(claim.user_id if claim else 0)
        # A claim may be ahead of its account, or have been left by a registration that failed.
        return account if account and name in (account.user.username, account.email) else None


def _name_of(identifier: str) -> tuple[Table[Claim], str]:
    """The claim that an identifier means. Not refused for its form: that would tell it is nobody's."""
    if "@" not in identifier:
        return USERNAMES, fields.folded_username(identifier) or _NOBODY
    try:
        return EMAILS, fields.email(identifier)
    except Problem:
        return EMAILS, _NOBODY
