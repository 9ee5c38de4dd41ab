"""The accounts' repository: claims, accounts and profiles, over the table contract."""

from __future__ import annotations

from collections.abc import Sequence

from mesh.claims import RequestIds, standing
from mesh.ids import time_ms
from mesh.storage import Bound, Outcome, Put, Row, Store, Table
from services.accounts import schema
from services.accounts.account import Account, Claim, User
from services.accounts.schema import DayUser, UserDay

DAY_MS = 86_400_000
_MAX_DAYS = 1_000


class Abandoned(Exception):
    """This account was given up before it was created, and never will be."""


class AccountStore:
    """Reads and writes accounts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.requests = RequestIds(store, schema.REQUEST_IDS, "registration")

    async def claims(self, table: Table[Claim], names: Sequence[str]) -> list[Claim | None]:
        """Who holds each of these names (of USERNAMES or EMAILS)."""
        rows = await self._store.multi_get(table, [{"name": name} for name in names]) if names else []
        return [table.decode(row) if row else None for row in rows]

    async def claim(self, table: Table[Claim], name: str, claim: Claim) -> Claim:
        """Claim a name that was never held; the claim that now holds it."""
        return table.decode(await standing(self._store, table, table.encode(claim, name=name)))

    async def hand_over(self, table: Table[Claim], name: str, old: Claim, new: Claim) -> None:
        """Replace a claim, unless it has changed."""
        await self._store.update_if(table, {"name": name}, table.changes(new), table.changes(old))

    async def account(self, user_id: int) -> Account | None:
        """An account, read linearizably."""
        row = await self._store.get(schema.ACCOUNTS, {"user_id": user_id})
        return _account(row) if row else None

    async def registered(self, user_id: int) -> Account | None:
        """An account, or None where none was made yet. Raises :class:`Abandoned`."""
        row = await self._store.get(schema.ACCOUNTS, {"user_id": user_id})
        if row is not None and row["abandoned"]:
            raise Abandoned
        return _account(row) if row else None

    async def claim_version(self, account: Account) -> Outcome:
        """Make this the account, where it was at the version before."""
        if account.version == 1:
            row = schema.ACCOUNTS.encode(account, abandoned=False)
            return await self._store.insert_if_absent(schema.ACCOUNTS, row)
        key, changes = {"user_id": account.user.user_id}, schema.ACCOUNTS.changes(account)
        return await self._store.update_if(schema.ACCOUNTS, key, changes, {"version": account.version - 1})

    async def abandon(self, user_id: int) -> bool:
        """See to it that this account is never created; False where it was already."""
        row = await standing(self._store, schema.ACCOUNTS, {"user_id": user_id, "abandoned": True})
        return bool(row["abandoned"])

    async def is_abandoned(self, user_id: int) -> bool:
        """Whether the registration of this account was given up."""
        row = await self._store.get(schema.ACCOUNTS, {"user_id": user_id})
        return row is not None and bool(row["abandoned"])

    async def keep_password(self, account: Account, password_hash: str) -> None:
        """Replace a password's hash, unless it has changed."""
        key, expected = {"user_id": account.user.user_id}, {"password_hash": account.password_hash}
        await self._store.update_if(schema.ACCOUNTS, key, {"password_hash": password_hash}, expected)

    async def index(self, user_id: int) -> None:
        """Make a user findable by the day of registration. May be repeated."""
        day = time_ms(user_id) // DAY_MS
        await self._store.write(
            [
                Put(schema.USER_DAYS, schema.USER_DAYS.encode(UserDay(0, day))),
                Put(schema.USERS_BY_DAY, schema.USERS_BY_DAY.encode(DayUser(day, user_id))),
            ]
        )

    async def project(self, user: User) -> None:
        """Write the public facts. May be repeated."""
        await self._store.put(schema.PROFILES, schema.PROFILES.encode(user))

    async def projected_version(self, user_id: int) -> int:
        """Which version of an account its public facts show; 0: none."""
        (user,) = await self.users([user_id])
        return user.version if user else 0

    async def users(self, user_ids: Sequence[int]) -> list[User | None]:
        """Public facts, in the order asked."""
        keys: list[Row] = [{"user_id": user_id} for user_id in user_ids]
        rows = await self._store.multi_get(schema.PROFILES, keys) if keys else []
        return [schema.PROFILES.decode(row) if row else None for row in rows]

    async def user_ids_after(self, user_id: int, limit: int) -> list[int]:
        """Ids of registered users in id order, up to ``limit``; fewer only at the end."""
        found: list[int] = []
        first_day = Bound((time_ms(user_id) // DAY_MS,)) if user_id else None
        start = Bound((user_id,), inclusive=False) if user_id else None
        while len(found) < limit:
            page = await self._store.slice(schema.USER_DAYS, {"all_users": 0}, limit=_MAX_DAYS, start=first_day)
            days = [schema.USER_DAYS.decode(row).day for row in page]
            for day in days:
                left = limit - len(found)
                if left:
                    rows = await self._store.slice(schema.USERS_BY_DAY, {"day": day}, limit=left, start=start)
                    found += [schema.USERS_BY_DAY.decode(row).user_id for row in rows]
            if len(days) < _MAX_DAYS:
                break
            first_day = Bound((days[-1],), inclusive=False)
        return found


def _account(row: Row) -> Account | None:
    return None if row["abandoned"] else schema.ACCOUNTS.decode(row)
