"""From entries on the bus to the handlers of their types."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import Message

from mesh.events.bus.contract import Entry
from mesh.events.contract import Event, Handler, Handlers
from mesh.events.row import decode, type_name


class Dispatch:
    """Which handler takes which event, by the name of its type."""

    def __init__(self, area: str, handlers: Handlers) -> None:
        self.area = area
        self._handlers: Mapping[str, tuple[type[Message], Handler]] = {
            type_name(message): (message, handler) for message, handler in handlers.items()
        }

    def takes(self, entry: Entry) -> bool:
        """Whether anybody handles events of this type."""
        return entry.type in self._handlers

    async def handle(self, entry: Entry) -> None:
        """Decode and handle. Raises what the handler raises, or DecodeError."""
        message_type, handler = self._handlers[entry.type]
        message = decode(message_type, entry.payload)
        await handler(Event(entry.event_id, entry.key, message, self.area, str(entry.position)))
