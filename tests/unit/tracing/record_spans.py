"""Records what real instrumentors write of the corpus's shapes; run by hand after an upgrade of one of them.

PYTHONPATH=tests/support:tests/corpus python tests/unit/tracing/record_spans.py

Pictures are nearly flat, so that the recording stays small; all else is as the instrumentors leave it, with
OpenInference's limit on base64 out of the way, as vlmops has it.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import provider_server
import trace_shapes
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from PIL import Image

RECORDED = Path(__file__).parent / "recorded_spans.json.gz"


def flat(colour: str, size: tuple[int, int], seed: str, kind: str = "PNG") -> bytes:
    picture = Image.new("RGB", size, provider_server.COLOURS[colour])
    picture.paste(Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(192)), (2, 2))
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def instrument(provider: TracerProvider) -> None:
    from openinference.instrumentation import TraceConfig
    from openinference.instrumentation.anthropic import AnthropicInstrumentor
    from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor
    from openinference.instrumentation.openai import OpenAIInstrumentor

    config = TraceConfig(base64_image_max_length=10**9)
    for instrumentor in (OpenAIInstrumentor, AnthropicInstrumentor, GoogleGenAIInstrumentor):
        instrumentor().instrument(tracer_provider=provider, config=config)


def start_langfuse(exporter: InMemorySpanExporter) -> Any:
    """Langfuse's client with the exporter before its own, which would put references in already."""
    from langfuse import Langfuse

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Langfuse(
        public_key="pk",
        secret_key="sk",
        base_url="http://127.0.0.1:9",
        tracer_provider=provider,
        span_exporter=InMemorySpanExporter(),
    )


def as_json(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def main() -> None:
    provider_server.drawn = trace_shapes.drawn = flat
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrument(provider)
    langfuse = start_langfuse(exporter)
    recorded = []
    with closing(provider_server.ProviderServer()) as server:
        for shape in trace_shapes.SHAPES:
            session = trace_shapes.Session(server, provider, shape.name)
            exporter.clear()
            shape.replay(session)
            langfuse.flush()
            spans = [
                span
                for span in exporter.get_finished_spans()
                if span.name != shape.name or shape.needs == "langfuse"
            ]
            recorded.append(
                {
                    "shape": shape.name,
                    "pictures": [base64.b64encode(data).decode() for data in session.given],
                    "urls": session.urls,
                    "spans": [
                        {
                            "name": span.name,
                            "attributes": {
                                key: as_json(value) for key, value in (span.attributes or {}).items()
                            },
                            "events": [[event.name, dict(event.attributes or {})] for event in span.events],
                            "status": span.status.description,
                        }
                        for span in spans
                    ],
                }
            )
    text = json.dumps(recorded).replace(server.origin, "http://127.0.0.1:8000")
    RECORDED.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(recorded)} shapes, {RECORDED.stat().st_size} bytes")


if __name__ == "__main__":
    main()
