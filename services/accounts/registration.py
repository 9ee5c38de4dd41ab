"""Registering: one account per request, username and e-mail address, whatever is repeated or crashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from mesh.claims import Request, reused
from mesh.clock import Clock
from mesh.errors import Problem, conflict
from mesh.ids import IdGenerator
from mesh.storage import TableSpec
from services.accounts import fields
from services.accounts.account import Account, User
from services.accounts.claims import Claims
from services.accounts.passwords import Passwords, check_password
from services.accounts.profiles import Profiles
from services.accounts.schema import EMAILS, USERNAMES
from services.accounts.sessions import Sessions, Tokens
from services.accounts.store import AccountStore

_NOBODY = 0
"""Who owns a registration's request id."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a person fills in to register."""

    username: str
    email: str
    password: str
    display_name: str

    def checked(self) -> Form:
        """Normalised. Raises INVALID_FIELD or PASSWORD_TOO_WEAK."""
        name = fields.username(self.username)
        email = fields.email(self.email)
        check_password(self.password, name)
        return Form(name, email, self.password, fields.display_name(self.display_name) or name)

    def digest(self) -> bytes:
        """Tells one form from another. The password is left to its own hash."""
        return hashlib.sha256("\0".join((self.username, self.email, self.display_name)).encode()).digest()


class Registrar:
    """Registers people."""

    def __init__(
        self,
        store: AccountStore,
        claims: Claims,
        profiles: Profiles,
        sessions: Sessions,
        passwords: Passwords,
        clock: Clock,
        ids: IdGenerator,
    ) -> None:
        self._store = store
        self._claims = claims
        self._profiles = profiles
        self._sessions = sessions
        self._passwords = passwords
        self._clock = clock
        self._ids = ids

    async def register(self, request_id: str, form: Form, client: str) -> tuple[Account, Tokens]:
        """Create an account and its first session; the same account and session when repeated.

        Raises INVALID_FIELD, PASSWORD_TOO_WEAK, USERNAME_TAKEN, EMAIL_TAKEN, REQUEST_ID_REUSED.
        """
        form = form.checked()
        request = await self._request(request_id, form)
        user_id = request.answer_id
        account = await self._store.account(user_id)
        made = ""
        if account is None:
            made = await self._create(user_id, form)
            account = await self._profiles.account(user_id)
        # Made by an earlier or a concurrent call with this request id: it must be the same person's.
        if account.password_hash != made and not await self._passwords.verify(form.password, account.password_hash):
            raise reused("registration")
        return account, await self._sessions.open(user_id, client, int.from_bytes(request.memo, "big"))

    async def _request(self, request_id: str, form: Form) -> Request:
        """The ids of this request, chosen once. A new request is checked for taken names before."""
        digest, user_id, session_id = form.digest(), self._ids.next(), self._ids.next().to_bytes(8, "big")
        given = await self._store.requests.find(_NOBODY, request_id)
        if given is None:
            await self._check_free(form, user_id)
            given = await self._store.requests.claim(_NOBODY, request_id, user_id, digest, session_id)
        given.must_match(digest)
        if request_id and await self._store.is_abandoned(given.answer_id):
            given = await self._store.requests.renew(given, user_id, session_id)
        return given

    async def _create(self, user_id: int, form: Form) -> str:
        """Create the account; the password's hash."""
        # The slow part comes before the claims, so that they are held for moments only.
        password_hash = await self._passwords.hash(form.password)
        for table, name in ((USERNAMES, form.username), (EMAILS, form.email)):
            if not await self._claims.take(table, name, user_id):
                await self._give_up(user_id, form)
                raise _taken(table)
        user = User(user_id, form.username, form.display_name, self._clock.now_ms())
        if not await self._profiles.create(Account(user, form.email, password_hash)):
            await self._give_up(user_id, form)
            raise _taken(USERNAMES)
        return password_hash

    async def _check_free(self, form: Form, user_id: int) -> None:
        """Refuse early what is taken, before any work is done or anything is kept."""
        for table, name in ((USERNAMES, form.username), (EMAILS, form.email)):
            if await self._claims.is_taken(table, name, user_id):
                raise _taken(table)

    async def _give_up(self, user_id: int, form: Form) -> None:
        """Free what was claimed, once it is certain that this account will never exist."""
        if await self._store.abandon(user_id):
            await self._claims.give_back(USERNAMES, form.username, user_id)
            await self._claims.give_back(EMAILS, form.email, user_id)


def _taken(table: TableSpec) -> Problem:
    if table is USERNAMES:
        return conflict("USERNAME_TAKEN", "somebody has this username: choose another", "username")
    return conflict("EMAIL_TAKEN", "there is an account with this e-mail address: log in instead", "email")
