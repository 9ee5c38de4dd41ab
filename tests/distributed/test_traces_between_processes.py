"""A trace goes on from process to process, from the gateway to the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

from stack.ports import free_port
from tests.distributed.installed import APART, Installed, installed
from tests.mesh.mesh_client import Rest, eventually
from tests.mesh.otlp_receiver import Receiver, Span, lineage, listening

FEED = "/tintype.edge.v1.FeedService/GetFeedJson"
HOME = "/tintype.timeline.v1.TimelineService/GetHome"
KINDS = trace_pb2.Span.SpanKind
EXPORTED_WITHIN_S = 20  # the gateway exports every 5 s


@pytest.fixture
def collector() -> Iterator[tuple[Receiver, int]]:
    port = free_port()
    with listening(port) as receiver:
        yield receiver, port


@pytest.fixture
def observed(tmp_path: Path, collector: tuple[Receiver, int]) -> Iterator[Installed]:
    """Every service in a process of its own, traced."""
    more = {"TINTYPE_TELEMETRY__OTLP_ENDPOINT": f"127.0.0.1:{collector[1]}", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with installed(tmp_path, APART, more) as installation:
        yield installation


async def test_a_feed_read_is_one_trace_through_every_process(
    observed: Installed, collector: tuple[Receiver, int]
) -> None:
    async with Rest(observed.url) as rest:
        answer = await rest.ask("GET", "/v1/feed", await rest.register())
    assert answer.status_code == 200, answer.text

    async def whole() -> list[Span]:
        spans = collector[0].spans()
        gateways = [s for s in spans if s.attributes.get("guid:x-request-id") == answer.headers["x-request-id"]]
        trace = collector[0].trace(gateways[0].trace_id) if gateways else []
        kinds = {(span.name, span.wire.kind) for span in trace}
        wanted = {
            (FEED, KINDS.SPAN_KIND_SERVER),
            *((HOME, k) for k in (KINDS.SPAN_KIND_CLIENT, KINDS.SPAN_KIND_SERVER)),
        }
        return trace if wanted <= kinds else []

    trace = await eventually(whole, EXPORTED_WITHIN_S)
    served = next(span for span in trace if span.name == HOME and span.wire.kind == KINDS.SPAN_KIND_SERVER)
    ancestors = lineage(served, trace)
    assert [(span.name, span.service) for span in ancestors[:2]] == [(HOME, "edge"), (FEED, "edge")]
    assert ancestors[-1].service == "gateway"
    tables = [span for span in trace if "db.collection.name" in span.attributes and served in lineage(span, trace)]
    assert tables
