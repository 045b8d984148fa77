"""Observations recorded without vlmops get their pictures on Langfuse's test server, once."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from provider_server import ProviderServer
from trace_replay import encoded, hashes, instrumented, pixels, replay
from trace_shapes import SHAPES, Session

from langfuse_server import LangfuseServer
from langfuse_server.observations import Observation
from vlmops import connect
from vlmops.platforms import ExecutionQuery, Platform
from vlmops.tracing import enrich

NAMES = {"chat_image_url", "image_generation", "chat_url", "tool_that_returns_a_picture"}


@dataclass(frozen=True)
class Past:
    """A project with spans that came without Langfuse's SDK, which would have taken out some pictures."""

    server: LangfuseServer
    platform: Platform
    sessions: dict[str, Session]

    @property
    def children(self) -> dict[str, Observation]:
        rows = self.server.observations
        roots = {row.trace_id: row.name for row in rows if row.parent_id is None}
        return {roots[row.trace_id]: row for row in rows if "vlmops.enriches" in row.metadata}

    def parent(self, child: Observation) -> Observation:
        (found,) = [row for row in self.server.observations if row.id == child.parent_id]
        return found


@pytest.fixture
def past() -> Iterator[Past]:
    from openinference.instrumentation import TraceConfig

    with LangfuseServer() as langfuse:
        keys = base64.b64encode(f"{langfuse.public_key}:{langfuse.secret_key}".encode()).decode()
        exporter = OTLPSpanExporter(
            endpoint=f"{langfuse.url}/api/public/otel/v1/traces", headers={"Authorization": f"Basic {keys}"}
        )
        provider, server = TracerProvider(), ProviderServer()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with instrumented(provider, TraceConfig(base64_image_max_length=10**9), openai=True):
            sessions = replay(provider, server, [shape for shape in SHAPES if shape.name in NAMES])
        provider.shutdown()
        server.close()
        options = {"public_key": langfuse.public_key, "secret_key": langfuse.secret_key}
        yield Past(langfuse, connect("langfuse", url=langfuse.url, **options), sessions)


def test_each_observation_with_pictures_gets_a_child_that_shows_them(past: Past) -> None:
    report = enrich(past.platform)
    assert (report.spans, report.enriched, report.plain) == (8, 3, 5)
    assert (report.pictures, report.not_kept, report.failures) == (4, 0, [])
    assert set(past.children) == NAMES - {"chat_url"}
    for name, child in past.children.items():
        shown = json.dumps([child.input, child.output])
        assert encoded(shown) == []
        given = past.sessions[name].given
        found = {value for key, value in child.metadata.items() if key.endswith(".sha256")}
        assert found == hashes(given)
        linked = {
            media_id
            for media_id, record in past.server.media.items()
            if {child.id, past.parent(child).id} <= {link.get("observationId") for link in record.links}
        }
        assert pixels(past.server.media_bytes(media_id) for media_id in linked) == pixels(given)
        assert all(media_id in shown for media_id in linked)


def test_the_child_stands_beside_its_parent_and_costs_nothing(past: Past) -> None:
    enrich(past.platform)
    child = past.children["chat_image_url"]
    parent = past.parent(child)
    assert (parent.name, parent.type, child.type) == ("ChatCompletion", "GENERATION", "SPAN")
    assert (child.start, child.end, child.environment) == (parent.start, parent.end, parent.environment)
    assert (child.model, child.usage, child.cost) == ("", {}, {})
    assert child.metadata["vlmops.tokens.measured"] == "900"


def test_a_second_run_writes_nothing(past: Past) -> None:
    enrich(past.platform)
    before = {(row.id, row.received) for row in past.server.observations}
    past.server.clear_log()
    again = enrich(past.platform)
    assert (again.spans, again.enriched, again.already) == (8, 0, 3)
    assert {(row.id, row.received) for row in past.server.observations} == before
    assert past.server.count("POST /api/public/media") == 0


def test_a_dry_run_writes_nothing(past: Past) -> None:
    past.server.clear_log()
    report = enrich(past.platform, dry_run=True)
    assert (report.enriched, report.pictures) == (3, 4)
    assert {request.body is None or request.method == "GET" for request in past.server.requests} == {True}


def test_chosen_ones_alone(past: Past) -> None:
    assert enrich(past.platform, ExecutionQuery(kind="TOOL")).enriched == 1
    assert set(past.children) == {"tool_that_returns_a_picture"}


def test_a_picture_that_cannot_be_stored_costs_only_itself(past: Past) -> None:
    from langfuse_server import Fault

    past.server.faults.add(Fault.error(400).on("POST /api/public/media", times=10_000))
    report = enrich(past.platform)
    assert (report.enriched, report.pictures, report.not_kept) == (3, 0, 4)
    assert not report.ok
    assert "[picture not kept" in str(past.children["chat_image_url"].input)
