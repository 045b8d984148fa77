"""What the corpus is about: with the instrumentors alone, every picture is in the spans as base64."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from provider_server import ProviderServer
from trace_replay import instrumented, own_shapes, replay
from trace_shapes import Shape


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    running = ProviderServer()
    yield running
    running.close()


def everything(span: ReadableSpan) -> str:
    parts = [span.attributes, *(event.attributes for event in span.events), span.status.description]
    return repr([dict(part) if part and not isinstance(part, str) else part for part in parts])


@pytest.mark.parametrize("shape", own_shapes(), ids=lambda shape: shape.name)
def test_every_picture_is_in_the_spans(server: ProviderServer, shape: Shape) -> None:
    from openinference.instrumentation import TraceConfig

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with instrumented(provider, TraceConfig(base64_image_max_length=10**9), openai=True):
        session = replay(provider, server, [shape])[shape.name]
    text = "".join(map(everything, exporter.get_finished_spans()))
    assert session.given or session.urls
    for picture in session.given:
        whole = base64.b64encode(picture).decode()
        assert whole in text or whole.translate(str.maketrans("+/", "-_")) in text
    assert all(url in text for url in session.urls)
