"""What accounts publishes: AccountChanged, in order per account."""

from __future__ import annotations

from tintype.events.v1 import accounts_pb2

from mesh.events import Event, Holds, NewEvent
from services.accounts.account import User
from services.accounts.profiles import Profiles


def account_changed(user: User) -> NewEvent:
    """The event that tells of an account's public facts."""
    message = accounts_pb2.AccountChanged(
        user_id=user.user_id,
        username=user.username,
        display_name=user.display_name,
        bio=user.bio,
        private=user.private,
        hidden=user.hidden,
        version=user.version,
    )
    return NewEvent(message, key=user.user_id)


def holds(profiles: Profiles) -> Holds:
    """Settles an intent that was left behind."""

    async def settle(event: Event) -> bool:
        return await profiles.settle(event.message.user_id, event.id)

    return settle
