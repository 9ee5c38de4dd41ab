"""The event contract: how facts that changed in one service reach the others.

A service commits its rows and its events in one atomic write (:meth:`Outbox.commit`); after that
nothing can lose the event: it is published to the bus at once, and a sweep publishes what a crash
left behind. Where the row is a compare-and-set claim, which no batch can include, an *intent* is
written first, then the claim (whose row keeps the event's id), then the event is confirmed; the
sweep settles old intents by asking whether the claim holds.

Consumers get every event at least once, in order per key and area, and must be idempotent. The bus
may vanish at any moment: it is rebuilt from the outboxes. What a consumer gives up is kept in its own store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from google.protobuf.message import Message

from mesh.storage.contract import Mutation


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to publish: a message of tintype.events.v1 and the key whose order it belongs to.

    Events with equal keys (a post's id, a user's id) of one area are delivered in the order of
    their publication.
    """

    message: Message
    key: int


@dataclass(frozen=True, slots=True)
class Event:
    """A published fact. ``id`` is time-sortable and the same in every delivery."""

    id: int
    key: int
    message: Any
    area: str
    """The service that published it."""
    position: str = ""
    """Where on the bus it stands, ``<epoch>-<number>``: text that sorts in the order of the shard, so of
    the key; empty before it is published. An event that is republished after the bus lost data has a
    new position in a new, higher :attr:`epoch`: who folds by position must then start from the facts."""

    @property
    def epoch(self) -> str:
        """The life of the bus that ``position`` belongs to; changes when Redis lost data, or may have."""
        return self.position.partition("-")[0]


Handler: TypeAlias = Callable[[Event], Awaitable[None]]
"""Handles one event. Raising means: deliver it again later; after five tries it is dead-lettered. Where the
error says that a dependency is away (:func:`mesh.events.away.is_away`), it waits as long as that takes."""

Handlers: TypeAlias = Mapping[type[Message], Handler]
"""Which handler takes which message; events of other types are passed over."""

Holds: TypeAlias = Callable[[Event], Awaitable[bool]]
"""Whether the claim that an intent announced holds: asked by the sweep about intents left behind."""


class Outbox(Protocol):
    """One service's outgoing events, kept in its own store."""

    def settle_by(self, message_type: type[Message], holds: Holds) -> None:
        """Say, before the process starts, who settles intents of this type: without, none can be made."""

    async def commit(self, mutations: Sequence[Mutation], events: Sequence[NewEvent]) -> list[Event]:
        """Write rows and events in one atomic write, then publish. Returns once durable, without waiting
        for the bus. Raises what ``Store.write`` raises; after ``TimedOut`` the events are published by
        the sweep if the write was applied."""

    async def intend(self, event: NewEvent) -> Event:
        """Make an intent durable before a compare-and-set claim; the claim's row keeps ``Event.id``."""

    async def confirm(self, event: Event) -> None:
        """The claim holds: publish. May be repeated."""

    async def keep(self, event_id: int, key: int) -> None:
        """The row of a claim is about to forget this event, which it names: confirm it for good, so that
        nobody has to ask the row any more. May be repeated."""

    async def withdraw(self, event: Event) -> None:
        """The claim was lost for certain: never publish. May be repeated; an intent neither confirmed nor
        withdrawn is settled by the sweep."""
