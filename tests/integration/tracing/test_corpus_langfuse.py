"""The corpus on Langfuse's test server: no base64, each picture uploaded and linked, facts beside it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from provider_server import ProviderServer
from trace_replay import encoded, hashes, instrumented, pixels, replay
from trace_shapes import SHAPES, Session, Shape

import vlmops
from langfuse_server import LangfuseServer
from vlmops.tracing import trace_config

REFERENCE = re.compile(r"@@@langfuseMedia:type=image/[a-z]+\|id=([A-Za-z0-9_-]{22})\|source=\w+@@@")
FACT = r"vlmops\.images\.\d+\."


@dataclass(frozen=True)
class Replayed:
    """What the application did, and what Langfuse has of it."""

    langfuse: LangfuseServer
    server: ProviderServer
    sessions: dict[str, Session]
    traces: dict[str, list[dict[str, Any]]]

    def text(self, name: str) -> str:
        return json.dumps(self.traces[name], ensure_ascii=False, default=str)

    def media(self, name: str) -> set[str]:
        """Ids of the media that a trace refers to."""
        return set(REFERENCE.findall(self.text(name)))

    def facts(self, name: str, fact: str) -> set[str]:
        return {
            str(value)
            for row in self.traces[name]
            for key, value in row["metadata"].items()
            if re.fullmatch(FACT + fact, key)
        }


@pytest.fixture(scope="module")
def replayed() -> Iterator[Replayed]:
    with LangfuseServer() as langfuse, pytest.MonkeyPatch.context() as patch:
        for name, value in langfuse.environment().items():
            patch.setenv(name, value)
        server, provider = ProviderServer(), TracerProvider()
        tracing = vlmops.instrument("langfuse", tracer_provider=provider)
        with tracing, instrumented(provider, trace_config()):
            sessions = replay(provider, server, SHAPES)
            assert tracing.flush()
            assert tracing.counts["langfuse"].lost == 0
        provider.shutdown()
        rows = [dataclasses.asdict(row) for row in langfuse.observations]
        roots = {row["trace_id"]: row["name"] for row in rows if row["parent_id"] is None}
        traces: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            traces.setdefault(roots[row["trace_id"]], []).append(row)
        yield Replayed(langfuse, server, sessions, traces)
        server.close()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
class TestEveryShape:
    def test_no_base64_is_left(self, replayed: Replayed, shape: Shape) -> None:
        assert encoded(replayed.text(shape.name)) == []

    def test_each_picture_is_uploaded_and_referred_to_once(self, replayed: Replayed, shape: Shape) -> None:
        media = replayed.media(shape.name)
        given = replayed.sessions[shape.name].given
        assert pixels(replayed.langfuse.media_bytes(each) for each in media) == pixels(given)
        assert len(media) == len(given)

    def test_each_picture_is_linked_to_its_observations(self, replayed: Replayed, shape: Shape) -> None:
        for row in replayed.traces[shape.name]:
            for each in set(REFERENCE.findall(json.dumps(row, default=str))):
                record = replayed.langfuse.media[each]
                assert record.usable
                links = [(link.get("traceId"), link.get("observationId")) for link in record.links]
                assert (row["trace_id"], row["id"]) in links

    def test_addresses_stay_what_they_are(self, replayed: Replayed, shape: Shape) -> None:
        assert all(url in replayed.text(shape.name) for url in replayed.sessions[shape.name].urls)

    def test_there_are_facts_of_each_picture(self, replayed: Replayed, shape: Shape) -> None:
        if shape.name in ("langfuse_pil", "langfuse_numpy"):
            assert replayed.facts(shape.name, "width") == {"240"}
            return
        given = replayed.sessions[shape.name].given
        assert replayed.facts(shape.name, "sha256") == hashes(given)
        assert {str(len(each)) for each in given} <= replayed.facts(shape.name, "bytes")
        assert not replayed.facts(shape.name, "reason")


def test_nothing_was_fetched(replayed: Replayed) -> None:
    assert replayed.server.fetched == []


def test_bytes_are_uploaded_once(replayed: Replayed) -> None:
    distinct = {each for name in replayed.traces for each in replayed.media(name)}
    assert replayed.langfuse.count("PUT bucket") == len(distinct)
