"""One event as its outbox keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from google.protobuf.message import Message

from mesh.events.contract import Event


class State(IntEnum):
    """What the outbox knows of an event's standing; whether it is published stands in the marks."""

    COMMITTED = 1
    """Written together with its rows: to be published."""
    INTENT = 2
    """Announces a claim; to be published only if that holds."""
    CONFIRMED = 3
    """An intent whose claim holds: to be published."""
    WITHDRAWN = 4
    """An intent whose claim was lost: never to be published."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An event with its message still encoded."""

    event_id: int
    shard: int
    type: str
    key: int
    payload: bytes
    state: State
    traceparent: str = ""
    """The W3C trace context in which it was committed; empty where that was not traced."""

    @property
    def publishable(self) -> bool:
        """Whether it is certain that this event happened."""
        return self.state in (State.COMMITTED, State.CONFIRMED)


def decode(message_type: type[Message], payload: bytes) -> Any:
    """The message in its bytes. Raises ``google.protobuf.message.DecodeError``."""
    message = message_type()
    message.ParseFromString(payload)
    return message


def type_name(message_type: type[Message]) -> str:
    """The name under which messages of this type travel."""
    return str(message_type.DESCRIPTOR.full_name)


def event_of(row: OutboxRow, message_type: type[Message], area: str) -> Event:
    """The event as handlers see it."""
    return Event(row.event_id, row.key, decode(message_type, row.payload), area)
