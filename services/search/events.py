"""What search learns from others. It publishes nothing."""

from __future__ import annotations

from tintype.events.v1.accounts_pb2 import AccountChanged
from tintype.events.v1.media_pb2 import PostChanged

from mesh.events import Event, Handlers
from services.search.index.commits import GroupCommit
from services.search.sources import post_of, user_of


def account_handlers(commits: GroupCommit) -> Handlers:
    """Handlers of accounts' events. Each returns once the index is durable, so that nothing
    acknowledged can be lost; older versions and repetitions change nothing."""

    async def changed(event: Event) -> None:
        await commits.add(user_of(event.message))

    return {AccountChanged: changed}


def media_handlers(commits: GroupCommit) -> Handlers:
    """Handlers of media's events, with the same promise."""

    async def changed(event: Event) -> None:
        await commits.add(post_of(event.message, deleted=event.message.deleted))

    return {PostChanged: changed}
