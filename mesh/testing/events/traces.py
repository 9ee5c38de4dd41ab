"""Traces go through the bus."""

from __future__ import annotations

from dataclasses import replace

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from tintype.events.v1.media_pb2 import PostChanged

from mesh.events import Event
from mesh.events.events import OUTBOX_TABLES
from mesh.events.tables import OUTBOX
from mesh.storage import open_store
from mesh.testing.events.world import (
    AREA,
    BRISK,
    Failing,
    Seen,
    World,
    lose_everything,
    post,
    recorder,
    row_of,
    until,
)


class Traces:
    """Promises about traces that go through the bus."""

    async def test_a_handler_works_in_the_trace_of_the_call_that_committed_its_event(self, world: World) -> None:
        tracer, spans = recorder()
        process = world.process(tracer=tracer)
        handler, outbox = Failing(), process.outbox(AREA, world.store)
        process.subscribe("timeline", AREA, {PostChanged: handler}, world.store)
        await process.start()
        with tracer.start_as_current_span("call") as call:
            [event] = await outbox.commit([], [post(1)])
        await process.settle()
        [letter] = await process.dead_letters(AREA, "timeline")
        handler.error = None
        await process.replay(letter.id)
        await process.settle()
        found = [span for span in spans.get_finished_spans() if span.name != "call"]
        assert {span.name for span in found} == {"tintype.events.v1.PostChanged timeline"}
        assert [span.status.status_code for span in found] == [StatusCode.ERROR] * BRISK.tries + [StatusCode.UNSET]
        for span in found:
            assert span.kind is SpanKind.CONSUMER
            assert span.parent == span.links[0].context
            assert (span.context.trace_id, span.parent.span_id) == (
                call.get_span_context().trace_id,
                call.get_span_context().span_id,
            )
            assert span.attributes is not None
            assert span.attributes["messaging.message.id"] == str(event.id)
        assert "broken" not in str([span.to_json() for span in found])

    async def test_a_trace_goes_on_after_the_loss_of_everything(self, world: World) -> None:
        tracer, spans = recorder()
        await world.group("timeline")
        events, outbox = await world.publisher()
        with tracer.start_as_current_span("call") as call:
            await outbox.commit([], [post(1)])
        await events.settle()
        await lose_everything(world)
        process = world.process(tracer=tracer)
        process.subscribe("timeline", AREA, {PostChanged: Seen()}, world.store)
        await process.start()
        await events.settle()
        await until(lambda: len(spans.get_finished_spans()) > 1)
        assert {span.context.trace_id for span in spans.get_finished_spans()} == {call.get_span_context().trace_id}

    async def test_an_event_of_no_trace_is_handled_in_one_of_its_own(self, world: World) -> None:
        tracer, spans = recorder()
        process = world.process(tracer=tracer)
        outbox = process.outbox(AREA, world.store)
        process.subscribe("timeline", AREA, {PostChanged: Seen()}, world.store)
        await process.start()
        await outbox.commit([], [post(1)])
        await process.settle()
        [span] = spans.get_finished_spans()
        assert (span.parent, list(span.links)) == (None, [])

    async def test_an_event_that_was_written_before_traces_went_through_the_bus_is_delivered(
        self, world: World
    ) -> None:
        seen, columns = Seen(), {name: kind for name, kind in OUTBOX.columns.items() if name != "traceparent"}
        store = await open_store("sqlite::memory:", "older", world.clock)
        older = replace(OUTBOX, columns=columns)
        await store.create([older])
        process = world.process()
        outbox = process.outbox("older", store)
        mutation = outbox.tables.put(row_of(outbox, Event(outbox.ids.next(), 1, PostChanged(version=1), "older")))
        await store.put(older, {name: value for name, value in mutation.row.items() if name != "traceparent"})
        await store.create(OUTBOX_TABLES)
        process.subscribe("timeline", "older", {PostChanged: seen}, world.store)
        await process.start()
        await process.settle()
        assert seen.numbers() == [1]
        await process.stop()
        await store.close()

    async def test_where_nothing_is_traced_nothing_is_recorded(self, world: World) -> None:
        recording = list[bool]()

        async def handler(event: Event) -> None:
            recording.append(trace.get_current_span().get_span_context().is_valid)

        await world.consumer(handler)
        events, outbox = await world.publisher()
        tracer, spans = recorder()
        with tracer.start_as_current_span("call"):
            await outbox.commit([], [post(1)])
        await events.settle()
        assert (recording, [span.name for span in spans.get_finished_spans()]) == ([False], ["call"])
