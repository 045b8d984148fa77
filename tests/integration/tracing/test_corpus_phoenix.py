"""The corpus on a real Phoenix: no base64, each picture stored once and referred to, facts beside it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from phoenix_process import Phoenix
from provider_server import ProviderServer
from trace_replay import encoded, hashes, instrumented, own_shapes, pixels, replay
from trace_shapes import Session, Shape

import vlmops
from vlmops.media import MediaAddress, open_store
from vlmops.tracing import trace_config

pytestmark = pytest.mark.integration

PROJECT = "corpus"
ADDRESS = re.compile(r"/vlmops/media/([0-9a-f]{64}\.[a-z]+)")
SHAPES = own_shapes()
LLM = "gpt-4.1-mini"


@dataclass(frozen=True)
class Replayed:
    """What the application did, and what Phoenix has of it."""

    phoenix: Phoenix
    server: ProviderServer
    sessions: dict[str, Session]
    traces: dict[str, list[dict[str, Any]]]

    def text(self, name: str) -> str:
        return json.dumps(self.traces[name], ensure_ascii=False)

    def stored(self, name: str) -> list[bytes]:
        """The pictures that a trace refers to."""
        store = open_store(self.phoenix.media_store)
        return [
            store.read(MediaAddress.parse(each)) for each in sorted(set(ADDRESS.findall(self.text(name))))
        ]

    def facts(self, name: str, fact: str) -> set[Any]:
        return {
            value
            for span in self.traces[name]
            for key, value in span["attributes"].items()
            if re.fullmatch(rf"vlmops\.images\.\d+\.{fact}", key)
        }


@pytest.fixture(scope="module")
def replayed(phoenix_server: Phoenix) -> Iterator[Replayed]:
    server, provider = ProviderServer(), TracerProvider()
    tracing = vlmops.instrument(
        "phoenix",
        url=phoenix_server.url,
        project=PROJECT,
        media_store=phoenix_server.media_store,
        tracer_provider=provider,
    )
    with tracing, instrumented(provider, trace_config()):
        sessions = replay(provider, server, SHAPES)
        assert tracing.flush()
        assert tracing.counts["phoenix"].lost == 0
    yield Replayed(phoenix_server, server, sessions, by_root(phoenix_server.url, len(sessions)))
    server.close()


def by_root(url: str, count: int) -> dict[str, list[dict[str, Any]]]:
    """All spans of each trace by the name of its root, once so many roots are there."""
    deadline = time.monotonic() + 60
    while True:
        spans = list(spans_of(url))
        roots = {s["context"]["trace_id"]: s["name"] for s in spans if not s.get("parent_id")}
        if len(roots) >= count:
            break
        assert time.monotonic() < deadline, f"{len(roots)} of {count} traces have arrived"
        time.sleep(0.2)
    traces: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        traces.setdefault(roots[span["context"]["trace_id"]], []).append(span)
    return traces


def spans_of(url: str) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        params = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        page = httpx.get(f"{url}/v1/projects/{PROJECT}/spans", params=params, timeout=60)
        yield from page.raise_for_status().json()["data"]
        cursor = page.json()["next_cursor"]
        if not cursor:
            return


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
class TestEveryShape:
    def test_no_base64_is_left(self, replayed: Replayed, shape: Shape) -> None:
        assert encoded(replayed.text(shape.name)) == []

    def test_each_picture_is_stored_and_referred_to_once(self, replayed: Replayed, shape: Shape) -> None:
        stored = replayed.stored(shape.name)
        assert pixels(stored) == pixels(replayed.sessions[shape.name].given)
        assert len(stored) == len(replayed.sessions[shape.name].given)

    def test_addresses_stay_what_they_are(self, replayed: Replayed, shape: Shape) -> None:
        assert all(url in replayed.text(shape.name) for url in replayed.sessions[shape.name].urls)

    def test_there_are_facts_of_each_picture(self, replayed: Replayed, shape: Shape) -> None:
        given = replayed.sessions[shape.name].given
        assert replayed.facts(shape.name, "sha256") == hashes(given)
        assert {len(each) for each in given} <= replayed.facts(shape.name, "bytes")
        assert len(given) <= len(replayed.facts(shape.name, "reference")) <= len(given) + 1
        assert not replayed.facts(shape.name, "reason")


def test_nothing_was_fetched(replayed: Replayed) -> None:
    assert replayed.server.fetched == []


def test_the_model_got_every_picture(replayed: Replayed) -> None:
    """The placeholders are for the spans alone."""
    assert encoded(json.dumps(replayed.server.requests, default=str).replace("\\", "")) != []
    assert "vlmops-held:" not in json.dumps(replayed.server.requests, default=str)


def test_what_the_model_saw_stands_beside_what_it_was_sent(replayed: Replayed) -> None:
    (span,) = [s for s in replayed.traces["chat_large_picture"] if s["span_kind"] == "LLM"]
    facts = {key: value for key, value in span["attributes"].items() if key.startswith("vlmops.")}
    assert (facts["vlmops.images.0.width"], facts["vlmops.images.0.height"]) == (2400, 1800)
    assert 0 < facts["vlmops.images.0.seen_width"] < 2400
    assert facts["vlmops.images.0.scale"] < 1
    assert facts["vlmops.image.estimated_tokens"] > 0
    assert facts["vlmops.tokens.measured"] == 900
    assert facts["vlmops.tokens.drift"] == 900 - facts["vlmops.tokens.estimated"]


def test_pictures_sent_and_answered_are_told_apart(replayed: Replayed) -> None:
    (span,) = [s for s in replayed.traces["image_edit"] if s["span_kind"] == "LLM"]
    assert span["attributes"]["vlmops.image.input_count"] == 1
    assert span["attributes"]["vlmops.image.output_count"] == 1


def test_the_same_picture_in_many_spans_is_stored_once(replayed: Replayed) -> None:
    trace = replayed.traces["agent_that_passes_a_picture_around"]
    assert sum("vlmops.image.count" in span["attributes"] for span in trace) == 4
    assert len(replayed.stored("agent_that_passes_a_picture_around")) == 1


def test_whether_the_answer_obeys_the_schema_is_recorded(replayed: Replayed) -> None:
    (span,) = [s for s in replayed.traces["chat_with_schema"] if s["span_kind"] == "LLM"]
    assert span["attributes"]["vlmops.response.format"] == "json_schema"
    assert span["attributes"]["vlmops.response.valid"] is False
