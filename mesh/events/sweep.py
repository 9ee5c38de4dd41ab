"""The sweep of one shard of an outbox: publishes what a crash left, settles intents, keeps the positions.

One process at a time sweeps a shard. Two passes go over every event: one a few seconds after it
was made, which limits the delay after a crash; one much later, for rows whose write took long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from mesh.clock import Clock
from mesh.events import metrics
from mesh.events.bus.contract import Bus, BusError, GroupState, Position, ShardState
from mesh.events.outbox import ServiceOutbox
from mesh.events.relay import ShardRelay
from mesh.events.row import OutboxRow, State, event_of
from mesh.events.tables import Page
from mesh.ids import first_id_at, time_ms
from mesh.storage import StorageError

_log = structlog.get_logger("events")
_LEASE = "@sweep"
_MAX_NOTES = 64


class Sweep:
    """Sweeps one shard for as long as this process has the lease to do so."""

    def __init__(self, outbox: ServiceOutbox, relay: ShardRelay, bus: Bus, clock: Clock) -> None:
        self._outbox, self._relay, self._bus, self._clock = outbox, relay, bus, clock
        self._timing = bus.timing
        self._begun = False
        self._early = self._late = 0
        self._groups: dict[str, int] = {}
        self._notes: list[tuple[Position, int]] = []
        """(bus position, event id): every event before the id stands on the bus at or before the position."""
        self._saved_at = 0.0

    async def run(self) -> None:
        """Sweep for the life of the process, whatever fails meanwhile."""
        while True:
            try:
                await self.round()
            except (BusError, StorageError) as error:
                self._begun = False
                _log.debug("the sweep waits", stream=str(self._relay.stream), error=repr(error))
            except Exception:
                self._begun = False
                _log.exception("the sweep failed", stream=str(self._relay.stream))
            await asyncio.sleep(self._timing.sweep_every_s)

    async def round(self) -> None:
        """One round: does nothing where another process has the lease."""
        state = await self._bus.state(self._relay.stream)
        if state.condition != "ok":
            await self._relay.rebuild()
        if not await self._bus.lease(self._relay.stream, _LEASE):
            self._begun = False
            return
        if not self._begun:
            await self._begin()
        await self._pass_over()
        await self._checkpoint()

    async def publish_all(self) -> None:
        """Publish every event that is certain, whatever its age: for settling in tests."""
        await self._relay.prepare()
        await self._relay.flush_marks()
        positions = await self._outbox.tables.positions(self._relay.shard)
        end = first_id_at(self._clock.now_ms() + 1_000)
        async for page in self._outbox.tables.walk(self._relay.shard, positions.swept, end):
            await self._publish([row for row in page.unpublished() if row.publishable])

    async def stop(self) -> None:
        """Let another process sweep."""
        await self._bus.release(self._relay.stream, _LEASE)

    async def _begin(self) -> None:
        positions = await self._outbox.tables.positions(self._relay.shard)
        self._early = self._late = positions.swept
        self._groups = dict(positions.groups)
        self._notes.clear()
        self._begun = True

    async def _pass_over(self) -> None:
        now = self._clock.now_ms()
        late_end = first_id_at(now - self._timing.late_ms)
        self._late = await self._sweep(self._late, max(self._late, late_end), last=True)
        self._early = max(self._early, self._late)
        early_end = first_id_at(now - self._timing.young_ms)
        self._early = await self._sweep(self._early, max(self._early, early_end), last=False)

    async def _sweep(self, start: int, end: int, last: bool) -> int:
        """Everything in this range, and the first event that is not settled yet (``end``: all are)."""
        unsettled = end
        if end > start:
            async for page in self._outbox.tables.walk(self._relay.shard, start, end):
                unsettled = min(unsettled, await self._settle(page, end, last))
        return unsettled

    async def _settle(self, page: Page, end: int, last: bool) -> int:
        """Publish what this page holds unpublished; the first event that must be looked at again."""
        due: list[OutboxRow] = []
        again = end
        for row in page.unpublished():
            if row.publishable:
                due.append(row)
            elif row.state is State.INTENT:
                settled = await self._settle_intent(row, last)
                if settled is None:
                    again = min(again, row.event_id)
                elif settled:
                    due.append(row)
        await self._publish(due)
        return again

    async def _publish(self, rows: Sequence[OutboxRow]) -> None:
        for start in range(0, len(rows), self._timing.batch):
            batch = rows[start : start + self._timing.batch]
            await self._relay.append(batch)
            metrics.SWEPT.labels(self._outbox.area).inc(len(batch))

    async def _settle_intent(self, row: OutboxRow, last: bool) -> bool | None:
        """Whether the intent's claim holds; None: not known yet. Not to hold is final in the last pass alone:
        before it, the claim may still appear."""
        age_ms = self._clock.now_ms() - time_ms(row.event_id)
        if age_ms < self._timing.intent_ms:
            return None
        try:
            message_type, holds = self._outbox.settled_by(row.type)
            held = await holds(event_of(row, message_type, self._outbox.area))
        except Exception as error:
            return self._not_settled(row, age_ms, error)
        if held:
            await self._outbox.tables.change(row, State.CONFIRMED)
        return held or (last and await self._withdraw(row))

    async def _withdraw(self, row: OutboxRow) -> bool:
        """Withdraw an intent that its row does not name; True where the row named it once, and forgot it."""
        # Read after the row was: whoever made the row forget the event had kept it before.
        now = await self._outbox.tables.row(row.shard, row.event_id)
        if now is not None and now.state is State.INTENT:
            await self._outbox.tables.change(row, State.WITHDRAWN)
        return now is not None and now.publishable

    def _not_settled(self, row: OutboxRow, age_ms: int, error: Exception) -> bool | None:
        """It is asked again later, but not for ever: one intent must not hold up the positions of all."""
        hopeless = age_ms > self._timing.hopeless_ms
        _log.error(
            "cannot settle an intent", event_id=row.event_id, type=row.type, given_up=hopeless, error=repr(error)
        )
        return False if hopeless else None

    async def _checkpoint(self) -> None:
        """Report where the groups stand, drop what all have handled, and keep the positions."""
        state = await self._bus.state(self._relay.stream)
        self._report(state)
        await self._bus.trim(self._relay.stream)
        if state.condition != "ok":
            return
        self._note(state.last)
        new = [group for group in state.groups if group.name not in self._groups]
        due = time.monotonic() - self._saved_at >= self._timing.checkpoint_every_s
        if not (new or due):
            return
        groups = {group.name: self._handled(group) for group in state.groups}
        await self._outbox.tables.save(self._relay.shard, self._late, groups)
        self._groups.update(groups)
        self._saved_at = time.monotonic()
        reached = min((group.acknowledged for group in state.groups), default=state.last)
        passed = [note for note in self._notes if note[0] <= reached]
        self._notes = [*passed[-1:], *self._notes[len(passed) :]]

    def _note(self, position: Position) -> None:
        if self._notes and self._notes[-1][0].epoch != position.epoch:
            self._notes.clear()  # A new epoch holds again what the notes of the old one took for passed.
        if self._notes and self._notes[-1][1] == self._late:
            return
        if len(self._notes) >= _MAX_NOTES:
            del self._notes[1::2]
        self._notes.append((position, self._late))

    def _handled(self, group: GroupState) -> int:
        """An event id before which the group has handled everything."""
        known = self._groups.get(group.name)
        reached = [event_id for position, event_id in self._notes if group.passed(position)]
        if reached:
            return max(known or 0, reached[-1])
        if known is not None:
            return known
        return min((group.oldest_event_id or self._late, self._late, *self._groups.values()))

    def _report(self, state: ShardState) -> None:
        now = self._clock.now_ms()
        for group in state.groups:
            labels = (self._outbox.area, group.name, str(self._relay.shard))
            age_ms = max(0, now - time_ms(group.oldest_event_id)) if group.oldest_event_id else 0
            metrics.LAG.labels(*labels).set(state.lag(group))
            metrics.PENDING.labels(*labels).set(group.pending)
            metrics.OLDEST.labels(*labels).set(age_ms / 1000)
