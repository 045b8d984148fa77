"""What a judge was asked, in the spans of an evaluation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vlmops.models import ModelReply, ModelRequest
from vlmops.models.calls import ModelCall
from vlmops.models.model import Turn
from vlmops_phoenix.run_traces import EvaluationTrace


def attributes_of(prompt: dict[str, str] | None) -> dict[str, Any]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    request = ModelRequest(prompt="Judge.", before=(Turn("system", ("Be fair.",)), Turn("user", ("blue",))))
    now = datetime.now(UTC)
    call = ModelCall("m", request, ModelReply("{}", "{}"), now, now, prompt)
    EvaluationTrace(tracer.start_span("evaluation"), tracer, lambda image, width=None: "").call(call)
    (span,) = exporter.get_finished_spans()
    return dict(span.attributes or {})


def test_a_call_shows_the_template_and_version_of_its_prompt() -> None:
    found = attributes_of({"name": "colour", "version": "UHJvbXB0VmVyc2lvbjox"})
    assert found["llm.prompt_template.template"] == "Be fair.\n\n{{material}}\n\nJudge."
    assert found["llm.prompt_template.version"] == "UHJvbXB0VmVyc2lvbjox"
    assert json.loads(found["metadata"])["prompt"]["name"] == "colour"


def test_a_prompt_that_is_kept_nowhere_is_not_named() -> None:
    assert not [key for key in attributes_of(None) if "prompt_template" in key]
