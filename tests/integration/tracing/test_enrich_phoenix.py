"""Spans recorded without vlmops get their pictures on a real Phoenix, once, and nothing is counted twice."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from phoenix_process import Phoenix
from provider_server import ProviderServer
from trace_replay import encoded, hashes, instrumented, pixels, replay
from trace_shapes import SHAPES, Session

from vlmops import Image, connect
from vlmops.media import MediaAddress, open_store
from vlmops.platforms import ExecutionQuery, Platform
from vlmops.tracing import EnrichReport, enrich

pytestmark = pytest.mark.integration

ADDRESS = re.compile(r"/vlmops/media/([0-9a-f]{64}\.[a-z]+)")
NAMES = {
    "chat_image_url",
    "chat_url",
    "responses_function_call_output",
    "image_edit",
    "input_value_only",
    "tool_that_returns_a_picture",
}


@dataclass(frozen=True)
class Past:
    """A project with spans that were recorded by the instrumentors alone."""

    phoenix: Phoenix
    platform: Platform
    project: str
    sessions: dict[str, Session]

    def enrich(self, **options: Any) -> EnrichReport:
        return enrich(self.platform, ExecutionQuery(project=self.project), **options)

    def spans(self) -> list[dict[str, Any]]:
        url = f"{self.phoenix.url}/v1/projects/{self.project}/spans"
        return httpx.get(url, params={"limit": 1000}, timeout=60).raise_for_status().json()["data"]

    def children(self) -> dict[str, list[dict[str, Any]]]:
        """What enriching has added, by the name of the trace's root."""
        spans = self.spans()
        roots = {s["context"]["trace_id"]: s["name"] for s in spans if not s["parent_id"]}
        found: dict[str, list[dict[str, Any]]] = {}
        for span in spans:
            if "vlmops.enriches" in span["attributes"]:
                found.setdefault(roots[span["context"]["trace_id"]], []).append(span)
        return found


@pytest.fixture
def recorded(phoenix_server: Phoenix) -> Callable[..., Past]:
    from openinference.instrumentation import TraceConfig

    def record(limit: int, names: set[str] = NAMES) -> Past:
        project = f"past-{uuid.uuid4().hex[:8]}"
        provider = TracerProvider(resource=Resource({"openinference.project.name": project}))
        exporter = OTLPSpanExporter(endpoint=f"{phoenix_server.url}/v1/traces")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        server = ProviderServer()
        with instrumented(provider, TraceConfig(base64_image_max_length=limit), openai=True):
            sessions = replay(provider, server, [shape for shape in SHAPES if shape.name in names])
        provider.shutdown()
        server.close()
        platform = connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)
        past = Past(phoenix_server, platform, project, sessions)
        _wait_for(past, roots=len(names))
        return past

    return record


def _wait_for(past: Past, roots: int) -> None:
    for _ in range(300):
        try:
            if sum(not span["parent_id"] for span in past.spans()) == roots:
                return
        except httpx.HTTPStatusError:
            pass
        time.sleep(0.1)
    raise AssertionError("the spans did not arrive")


@pytest.fixture
def whole(recorded: Callable[..., Past]) -> Past:
    """Recorded with base64."""
    return recorded(10**9)


def test_each_span_with_pictures_gets_a_child_that_shows_them(whole: Past) -> None:
    report = whole.enrich()
    assert (report.spans, report.enriched, report.plain) == (12, 5, 7)
    assert (report.failures, report.not_kept, report.redacted) == ([], 0, 0)
    children = whole.children()
    assert set(children) == NAMES - {"chat_url"}
    for name, (child,) in children.items():
        given = whole.sessions[name].given
        text = json.dumps(child)
        assert encoded(text) == []
        assert child["span_kind"] == "LLM"
        store = open_store(whole.phoenix.media_store)
        drawn = "".join(str(v) for k, v in child["attributes"].items() if k.endswith("image.image.url"))
        addresses = {MediaAddress.parse(each) for each in ADDRESS.findall(drawn)}
        assert pixels(store.read(each) for each in addresses) == pixels(given)
        found = {v for k, v in child["attributes"].items() if k.endswith(".sha256")}
        assert found == hashes(given)


def test_the_child_stands_beside_its_parent_and_costs_nothing(whole: Past) -> None:
    whole.enrich()
    by_id = {span["context"]["span_id"]: span for span in whole.spans()}
    ((child,),) = [found for name, found in whole.children().items() if name == "chat_image_url"]
    parent = by_id[child["parent_id"]]
    assert parent["name"] == "ChatCompletion"
    assert child["name"] == "ChatCompletion (pictures)"
    assert child["attributes"]["vlmops.enriches"] == child["parent_id"]
    assert (child["start_time"], child["end_time"]) == (parent["start_time"], parent["end_time"])
    assert child["context"]["trace_id"] == parent["context"]["trace_id"]
    assert not [key for key in child["attributes"] if key.startswith(("llm.token_count", "llm.cost"))]
    assert child["attributes"]["vlmops.tokens.measured"] == 900


def test_a_second_run_writes_nothing(whole: Past) -> None:
    whole.enrich()
    before = sorted(span["context"]["span_id"] for span in whole.spans())
    again = whole.enrich()
    assert (again.spans, again.enriched, again.already, again.plain) == (12, 0, 5, 7)
    assert sorted(span["context"]["span_id"] for span in whole.spans()) == before


def test_an_interrupted_run_is_continued(whole: Past) -> None:
    first = enrich(whole.platform, ExecutionQuery(project=whole.project, limit=4))
    assert 0 < first.enriched < 5
    second = whole.enrich()
    assert second.enriched == 5 - first.enriched
    assert sum(map(len, whole.children().values())) == 5


def test_a_dry_run_counts_and_writes_nothing(whole: Past) -> None:
    before = len(whole.spans())
    report = whole.enrich(dry_run=True)
    assert (report.is_dry, report.enriched, report.pictures) == (True, 5, 7)
    assert len(whole.spans()) == before


def test_only_chosen_spans_are_looked_at(whole: Past) -> None:
    query = ExecutionQuery(project=whole.project, kind="TOOL")
    assert enrich(whole.platform, query).enriched == 1
    assert set(whole.children()) == {"tool_that_returns_a_picture"}


def test_what_vlmops_recorded_is_left_alone(phoenix_server: Phoenix) -> None:
    import vlmops
    from vlmops.tracing import trace_config

    project, server, provider = f"live-{uuid.uuid4().hex[:8]}", ProviderServer(), TracerProvider()
    tracing = vlmops.instrument(
        "phoenix",
        url=phoenix_server.url,
        project=project,
        media_store=phoenix_server.media_store,
        tracer_provider=provider,
    )
    with tracing, instrumented(provider, trace_config()):
        sessions = replay(provider, server, [s for s in SHAPES if s.name == "chat_image_url"])
    server.close()
    platform = connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)
    past = Past(phoenix_server, platform, project, sessions)
    _wait_for(past, roots=1)
    report = past.enrich()
    assert (report.spans, report.enriched, report.already) == (2, 0, 1)


class TestRedacted:
    """OpenInference leaves only a mark of pictures above its limit."""

    NAMES = frozenset({"chat_image_url", "chat_image_url_as_bare_string"})

    @pytest.fixture
    def past(self, recorded: Callable[..., Past]) -> Past:
        return recorded(32_000, set(self.NAMES))

    def test_what_leaked_elsewhere_in_the_span_is_used(self, past: Past) -> None:
        report = past.enrich()
        assert (report.enriched, report.redacted) == (1, 1)
        assert set(past.children()) == {"chat_image_url_as_bare_string"}

    def test_what_is_lost_can_be_recovered(self, past: Past) -> None:
        asked: list[str] = []

        def recover(span: ReadableSpan) -> list[Image]:
            asked.append(span.name)
            return [Image.from_bytes(past.sessions["chat_image_url"].given[0])]

        report = past.enrich(recover=recover)
        assert (report.enriched, report.redacted, report.failures) == (2, 0, [])
        assert asked == ["ChatCompletion"]
        (child,) = past.children()["chat_image_url"]
        found = {v for k, v in child["attributes"].items() if k.endswith(".sha256")}
        assert found == hashes(past.sessions["chat_image_url"].given)
        assert past.enrich(recover=recover).enriched == 0

    def test_what_cannot_be_recovered_is_named(self, past: Past) -> None:
        def recover(span: ReadableSpan) -> list[Image]:
            raise LookupError("no such scan")

        report = past.enrich(recover=recover)
        assert report.enriched == 1
        (failure,) = report.failures
        assert (failure.source, "no such scan" in failure.message) == ("ChatCompletion", True)
        assert not report.ok


def test_the_command_counts_and_says_so(whole: Past, capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    from vlmops.cli import main

    def run(*more: str) -> Iterator[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["vlmops", "enrich", "phoenix", "--project", whole.project, *more])
            patch.setenv("PHOENIX_BASE_URL", whole.phoenix.url)
            patch.setenv("VLMOPS_MEDIA_STORE", str(whole.phoenix.media_store))
            with pytest.raises(SystemExit) as ended:
                main()
        assert not ended.value.code
        yield from capsys.readouterr().out.splitlines()

    assert next(run("--dry-run")) == "12 spans: 5 would be enriched, with 7 pictures"
    assert next(run()) == "12 spans: 5 enriched, with 7 pictures"
    assert "5 have their pictures already" in run()
