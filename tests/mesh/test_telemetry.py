"""What an operator sees of a call: one trace from the gateway to the tables, log lines that name it, and metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from cli import configuration
from stack.installation import Installation
from stack.ports import free_ports
from stack.s3 import GRPC_DISTANCE
from tests.mesh.mesh_client import PASSWORD, Person, Rest, error_of, eventually, image_url, registration, unique
from tests.mesh.otlp_receiver import Receiver, Span, lineage, listening

FEED = "/tintype.edge.v1.FeedService/GetFeedJson"
EXPORTED_WITHIN_S = 20  # the gateway exports every 5 s
MAIL = "@example.com"


class Observed(Installation):
    """An installation with a collector, whose services' log lines are kept."""

    collector: Receiver
    lines: list[str]
    metrics_url: str


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """All of Tintype with traces, JSON logs and metrics switched on."""
    names = ("gateway", "admin", "grpc", "redis", "s3", "metrics")
    *ports, otlp = free_ports(len(names) + 1, also=(GRPC_DISTANCE,))
    env = {f"TINTYPE_STACK__{name.upper()}_PORT": str(port) for name, port in zip(names, ports, strict=True)} | {
        "TINTYPE_STATE_DIR": str(tmp_path_factory.mktemp("observed")),
        "TINTYPE_ACCOUNTS__ARGON2_MEMORY_KIB": "8192",
        "TINTYPE_TELEMETRY__OTLP_ENDPOINT": f"127.0.0.1:{otlp}",
        "TINTYPE_TELEMETRY__LOG_FORMAT": "json",
        "TINTYPE_TELEMETRY__LOG_LEVEL": "DEBUG",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        settings = configuration.load()
    lines: list[str] = []
    installation = Observed(settings, settings.stack, lines.append, lambda _: None, variables=env)
    installation.lines, installation.metrics_url = lines, f"http://127.0.0.1:{settings.stack.metrics_port}/metrics"
    with listening(otlp) as installation.collector:
        asyncio.run(installation.start())
        yield installation
        asyncio.run(installation.stop())


@pytest_asyncio.fixture
async def door(observed: Observed) -> AsyncIterator[Rest]:
    async with Rest(observed.url) as rest:
        yield rest


def records(observed: Observed) -> list[dict[str, Any]]:
    """The services' log, every line of which must be a JSON object."""
    return [json.loads(line.partition(" ")[2]) for line in list(observed.lines)]


async def trace_of(observed: Observed, answer: httpx.Response, *wanted: str) -> list[Span]:
    """The spans of the trace that an answer's request id names, once these areas' spans are among them."""

    async def whole() -> list[Span]:
        request_id = answer.headers["x-request-id"]
        gateways = [s for s in observed.collector.spans() if s.attributes.get("guid:x-request-id") == request_id]
        trace = observed.collector.trace(gateways[0].trace_id) if gateways else []
        return trace if all(any(span.name.startswith(name) for span in trace) for name in wanted) else []

    return await eventually(whole, EXPORTED_WITHIN_S)


async def test_a_feed_read_is_one_trace_from_the_gateway_to_a_table(observed: Observed, door: Rest) -> None:
    reader, author = await door.register(), await door.register()
    await door.follow(reader, author)
    await door.publish(author)
    answer = await door.ask("GET", "/v1/feed", reader)
    assert answer.status_code == 200, answer.text
    trace = await trace_of(observed, answer, FEED, "/tintype.timeline.")
    [gateway] = [span for span in trace if not span.wire.parent_span_id]
    assert gateway.service == "gateway"
    assert lineage_names([span for span in trace if span.name == FEED], trace) == [[gateway.name]]
    tables = [span for span in trace if "db.collection.name" in span.attributes]
    internal = [span for span in trace if span.name.startswith("/tintype.") and span.name != FEED]
    for span in (*tables, *internal):
        assert [ancestor.name for ancestor in lineage(span, trace)][-2:] == [FEED, gateway.name]
    assert any(ancestor in internal for table in tables for ancestor in lineage(table, trace))


def lineage_names(spans: list[Span], trace: list[Span]) -> list[list[str]]:
    return [[ancestor.name for ancestor in lineage(span, trace)] for span in spans]


async def test_what_a_call_sets_off_in_another_area_belongs_to_its_trace(observed: Observed, door: Rest) -> None:
    reader, author = await door.register(), await door.register()
    answer = await door.ask("PUT", f"/v1/me/following/{author.at}", reader)
    assert answer.status_code == 200, answer.text
    handled = "tintype.events.v1.RelationChanged timeline"
    trace = await trace_of(observed, answer, handled)
    [gateway] = [span for span in trace if not span.wire.parent_span_id]
    [handler, *_] = [span for span in trace if span.name == handled]
    follow, *_, outermost = lineage(handler, trace)
    assert (handler.wire.kind, outermost) == (WireSpan.SPAN_KIND_CONSUMER, gateway)
    assert [link.span_id for link in handler.wire.links] == [follow.wire.span_id]
    assert handler.attributes["messaging.consumer.group.name"] == "timeline"


async def test_a_refused_call_is_logged_with_the_trace_and_the_request_that_its_client_was_told(
    observed: Observed, door: Rest
) -> None:
    answer = await door.ask("GET", "/v1/posts/1", await door.register())
    assert error_of(answer)["http"] == 404
    trace = await trace_of(observed, answer, "/tintype.edge.")
    logged = [line for line in records(observed) if line.get("request_id") == answer.headers["x-request-id"]]
    assert {line["event"] for line in logged} == {"call refused"}
    assert any(line["method"].startswith("/tintype.edge.") for line in logged)
    spans = {span.wire.span_id.hex(): span for span in trace}
    for line in logged:
        assert line["trace_id"] == trace[0].trace_id
        assert spans[line["span_id"]].name == line["method"]
        assert spans[line["span_id"]].wire.status.message == line["reason"]


async def test_no_token_password_mail_or_link_is_in_a_span_a_log_line_or_a_metric(
    observed: Observed, door: Rest
) -> None:
    who = await door.register()
    link = image_url(await door.publish(who))
    assert (await door.ask("GET", link)).status_code == 200
    secrets = [
        PASSWORD,
        MAIL,
        who.token,
        who.refresh_token,
        httpx.URL(link).path.split("/")[2],
        *(await mistakes(door, who)),
    ]
    last = await door.ask("GET", "/v1/feed", who)
    await trace_of(observed, last, FEED)
    told = "\n".join((*map(repr, records(observed)), *(str(span.wire) for span in observed.collector.spans())))
    told += await metrics(observed)
    told += "".join(path.read_text() for path in (observed.state_dir / "logs").iterdir())
    assert [secret for secret in secrets if secret in told] == []


async def mistakes(door: Rest, who: Person) -> list[str]:
    """Secrets in calls that fail; the secrets."""
    name = unique()
    taken = registration(name) | {"username": who.username}
    assert (await door.ask("POST", "/v1/accounts", json=taken)).status_code == 409
    invalid = registration(name) | {"email": f"no mail {name}"}
    assert (await door.ask("POST", "/v1/accounts", json=invalid)).status_code == 400
    await door.ask("POST", "/v1/sessions", json={"login": f"{name}{MAIL}", "password": f"wrong{name}"})
    await door.ask("POST", "/v1/sessions:refresh", json={"refreshToken": f"refresh{name}"})
    await door.ask("GET", "/v1/feed", headers={"authorization": f"Bearer bearer{name}"})
    await door.ask("GET", f"/m/link{name}")
    await door.ask("GET", f"/v1/feed?accessToken=query{name}", who)
    return [f"{prefix}{name}" for prefix in ("no mail ", "wrong", "refresh", "bearer", "link", "query")]


async def metrics(observed: Observed) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(observed.metrics_url)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    "sample",
    [
        f'tintype_rpc_server_seconds_count{{code="OK",method="{FEED}"}}',
        'tintype_rpc_server_seconds_count{code="NOT_FOUND",method="/tintype.edge.',
        'tintype_storage_seconds_count{service="timeline",table="',
        'tintype_events_lag{area="graph",group="',
        "tintype_event_loop_lag_seconds ",
    ],
)
async def test_metrics_tell_latency_by_method_and_status_and_of_tables_and_what_lags(
    observed: Observed, door: Rest, sample: str
) -> None:
    who = await door.register()
    await door.ask("GET", "/v1/feed", who)
    await door.ask("GET", "/v1/posts/1", who)

    async def exposed() -> list[str]:
        return [line for line in (await metrics(observed)).splitlines() if line.startswith(sample)]

    assert await eventually(exposed)
