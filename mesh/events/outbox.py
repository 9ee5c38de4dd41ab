"""One service's outgoing events: durable with its rows, then handed to the relay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from mesh.events.bus.contract import shard_of
from mesh.events.contract import Event, Holds, NewEvent
from mesh.events.relay import ShardRelay
from mesh.events.row import OutboxRow, State, type_name
from mesh.events.tables import OUTBOX, OutboxTables
from mesh.events.tracing import current_traceparent
from mesh.ids import IdGenerator
from mesh.storage import Mutation


@dataclass(frozen=True)
class ServiceOutbox:
    """Implements :class:`mesh.events.contract.Outbox`; the process's :class:`Events` makes it."""

    area: str
    tables: OutboxTables
    relays: Sequence[ShardRelay]
    holds: dict[str, tuple[type[Message], Holds]]
    ids: IdGenerator

    def settle_by(self, message_type: type[Message], holds: Holds) -> None:
        """See the contract."""
        self.holds[type_name(message_type)] = message_type, holds

    def settled_by(self, type_: str) -> tuple[type[Message], Holds]:
        """The class of this message type, and who settles its intents. Raises KeyError."""
        return self.holds[type_]

    async def commit(self, mutations: Sequence[Mutation], events: Sequence[NewEvent]) -> list[Event]:
        """See the contract. The caller waits for the store alone, never for the bus."""
        rows = [self._row(event, State.COMMITTED) for event in events]
        for row in rows:
            await self.relays[row.shard].prepare()
        writes = [*mutations, *(self.tables.put(row) for row in rows)]
        if writes:
            await self.tables.store.write(writes)
        for row in rows:
            self.relays[row.shard].publish(row)
        return [self._event(row, event.message) for row, event in zip(rows, events, strict=True)]

    async def intend(self, event: NewEvent) -> Event:
        """See the contract. Raises ValueError for a type that nobody could settle."""
        if type_name(type(event.message)) not in self.holds:
            raise ValueError(f"no Holds for {type(event.message).__name__}: give one to Outbox.settle_by()")
        row = self._row(event, State.INTENT)
        await self.relays[row.shard].prepare()
        mutation = self.tables.put(row)
        await self.tables.store.put(OUTBOX, mutation.row, mutation.ttl)
        return self._event(row, event.message)

    async def confirm(self, event: Event) -> None:
        """See the contract. Costs no write while the bus takes events: being on it is the confirmation."""
        row = self._intent(event)
        relay = self.relays[row.shard]
        if not relay.flowing:
            row = await self.tables.change(row, State.CONFIRMED)
        relay.publish(row)

    async def keep(self, event_id: int, key: int) -> None:
        """See the contract. One read where the sweep has passed the event."""
        row = await self.tables.unswept(self.shard_of(key), event_id)
        if row is not None:
            # In this order: what was only handed to the relay is forgotten with this process.
            self.relays[row.shard].publish(await self.tables.change(row, State.CONFIRMED))

    async def withdraw(self, event: Event) -> None:
        """See the contract."""
        await self.tables.change(self._intent(event), State.WITHDRAWN)

    def shard_of(self, key: int) -> int:
        """The shard that events of this key go to."""
        return shard_of(key, len(self.relays))

    def _row(self, event: NewEvent, state: State) -> OutboxRow:
        return self._encoded(self.ids.next(), event.key, event.message, state)

    def _intent(self, event: Event) -> OutboxRow:
        return self._encoded(event.id, event.key, event.message, State.INTENT)

    def _encoded(self, event_id: int, key: int, message: Message, state: State) -> OutboxRow:
        name, payload = type_name(type(message)), message.SerializeToString()
        return OutboxRow(event_id, self.shard_of(key), name, key, payload, state, current_traceparent())

    def _event(self, row: OutboxRow, message: Message) -> Event:
        return Event(row.event_id, row.key, message, self.area)
