"""Public facts of accounts: creating, changing and reading them, and telling the others.

The account's row is the truth, changed by the protocol of :mod:`mesh.claims`. The profile row that
everybody reads is derived from it by whoever passes (the change, its repetition, the sweep of
intents), until it shows the row as it stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mesh.claims import Claims
from mesh.errors import Code, Problem, invalid, not_found, precondition
from mesh.events import NewEvent, Outbox
from services.accounts import fields
from services.accounts.account import Account, User
from services.accounts.schema import USERNAMES
from services.accounts.store import Abandoned, AccountStore

_MAX_TRIES = 20
DEFAULT_PAGE = 200

Announce = Callable[[User], NewEvent]
"""The event that tells of an account's public facts."""


@dataclass(frozen=True, slots=True)
class AvatarAsset:
    """What must be known of an image to make it an avatar."""

    owner_id: int
    ready: bool


Assets = Callable[[int], Awaitable[AvatarAsset | None]]
"""Looks an asset up; None where there is none."""


class Profiles:
    """Accounts as their owners change them and as others see them."""

    def __init__(self, store: AccountStore, outbox: Outbox, announce: Announce, assets: Assets) -> None:
        self._store = store
        self._assets = assets
        self._claims: Claims[Account] = Claims(outbox, store.claim_version, lambda _, after: announce(after.user))

    async def create(self, account: Account) -> bool:
        """Create an account (of version 0) and announce it; False where its registration was given up. May be
        repeated."""
        user_id = account.user.user_id
        await self._store.index(user_id)

        async def read() -> Account:
            return await self._store.registered(user_id) or account

        def step(before: Account, event_id: int) -> Account | None:
            return None if before.version else before.changed(before.user, event_id)

        try:
            await self._claims.change(read, step, self._aligned, self._repaired)
        except Abandoned:
            return False
        return True

    async def account(self, user_id: int) -> Account:
        """An account. Raises USER_NOT_FOUND."""
        account = await self._store.account(user_id)
        if account is None:
            raise not_found("USER_NOT_FOUND", "this account is no more")
        return account

    async def update(self, user_id: int, wanted: User, paths: Sequence[str]) -> Account:
        """Change the fields named by ``paths`` to what ``wanted`` holds. May be repeated.

        Raises INVALID_FIELD_MASK, INVALID_FIELD, MEDIA_NOT_FOUND, MEDIA_NOT_READY.
        """
        return await self._change(user_id, await self._checked(user_id, wanted, paths))

    async def set_hidden(self, user_id: int, hidden: bool) -> User:
        """Hide an account from everybody else, or show it again as it was. May be repeated. Raises
        USER_NOT_FOUND."""
        return (await self._change(user_id, {"hidden": hidden})).user

    async def _change(self, user_id: int, changes: dict[str, Any]) -> Account:
        async def read() -> Account:
            return await self.account(user_id)

        def step(old: Account, event_id: int) -> Account | None:
            user = replace(old.user, **changes)
            return None if user == old.user else old.changed(user, event_id)

        return await self._claims.change(read, step, self._aligned, self._repaired)

    async def settle(self, user_id: int, event_id: int) -> bool:
        """Whether the change that an intent announced was made; the profile shows it then."""
        account = await self._show(user_id)
        return account is not None and event_id in account.event_ids

    async def users(self, user_ids: Sequence[int]) -> list[User]:
        """Public facts, in the order asked; unknown ids are left out."""
        return [user for user in await self._store.users(user_ids) if user]

    async def resolve(self, usernames: Sequence[str]) -> dict[str, int]:
        """User ids by username as asked, in any case; unknown names are left out."""
        names = {asked: name for asked in usernames if (name := fields.folded_username(asked))}
        wanted = list(dict.fromkeys(names.values()))
        claims = await self._store.claims(USERNAMES, wanted)
        held = {name: claim.user_id for name, claim in zip(wanted, claims, strict=True) if claim and claim.user_id}
        users = {user.user_id: user.username for user in await self.users(list(held.values()))}
        return {asked: held[name] for asked, name in names.items() if name in held and users.get(held[name]) == name}

    async def page(self, after_id: int, limit: int) -> tuple[list[User], int]:
        """A page of everybody in id order, and the id to go on after (0: the end)."""
        size = limit or DEFAULT_PAGE
        user_ids = await self._store.user_ids_after(after_id, size)
        return await self.users(user_ids), user_ids[-1] if len(user_ids) == size else 0

    async def _show(self, user_id: int) -> Account | None:
        """Make the profile show the account as it stands at the end of writing it."""
        account = await self._store.account(user_id)
        for _ in range(_MAX_TRIES):
            if account is None:
                return None
            await self._store.project(account.user)
            latest = await self._store.account(user_id)
            if latest is not None and latest.user.version == account.user.version:
                return account
            account = latest
        raise _too_busy()

    async def _aligned(self, account: Account) -> Account:
        return await self._show(account.user.user_id) or account

    async def _repaired(self, account: Account) -> Account:
        """The account is as asked, but a crash may have kept its profile from showing so."""
        shown = await self._store.projected_version(account.user.user_id)
        return account if shown == account.version else await self._claims.repair(account, self._aligned)

    async def _checked(self, user_id: int, wanted: User, paths: Sequence[str]) -> dict[str, Any]:
        """The values to set. Everything is checked before anything is changed."""
        changes: dict[str, Any] = {}
        for path in paths:
            match path:
                case "display_name":
                    changes[path] = fields.display_name(wanted.display_name)
                case "bio":
                    changes[path] = fields.bio(wanted.bio)
                case "website":
                    changes[path] = fields.website(wanted.website)
                case "private":
                    changes[path] = wanted.private
                case "avatar_asset_id":
                    changes[path] = await self._checked_avatar(user_id, wanted.avatar_asset_id)
                case _:
                    known = "display_name, bio, website, private, avatar_asset_id"
                    raise invalid("paths", f"{path!r} cannot be changed: name some of {known}", "INVALID_FIELD_MASK")
        return changes

    async def _checked_avatar(self, user_id: int, asset_id: int) -> int:
        if asset_id == 0:
            return 0
        asset = await self._assets(asset_id) if asset_id > 0 else None
        if asset is None or asset.owner_id != user_id:
            raise not_found("MEDIA_NOT_FOUND", "avatar_asset_id: there is no such image of yours")
        if not asset.ready:
            raise precondition("MEDIA_NOT_READY", "avatar_asset_id: wait until the image is ready")
        return asset_id


def _too_busy() -> Problem:
    return Problem(Code.ABORTED, "CONFLICT", "this account is changing too fast; try again", retry_after_ms=200)
