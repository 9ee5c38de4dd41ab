"""Outbox, relay, bus and consumers."""

from mesh.events.contract import Event, Handler, Handlers, Holds, NewEvent, Outbox

__all__ = ["Event", "Handler", "Handlers", "Holds", "NewEvent", "Outbox"]
