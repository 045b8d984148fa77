"""The span of an answer shows what the model was asked, not what the sample holds."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vlmops import Sample, function_task
from vlmops.experiments import ModelTask
from vlmops.models import ModelReply, ModelRequest, Turn, ask, recorded_calls
from vlmops.platforms import Prompt, PromptTurn, PromptVersion
from vlmops.platforms.answering import answered
from vlmops.platforms.records import ExperimentPlan
from vlmops.testing import picture
from vlmops_phoenix.run_traces import AnswerTrace, EvaluationTrace

SAMPLE = Sample("r1", {"image": picture(0), "question": "What is the total?"})


class Echo:
    name = "echo"

    async def answer(self, request: ModelRequest) -> ModelReply:
        return ModelReply("12.50", "12.50", model="echo-1")


def traced(task: Any) -> dict[str, Any]:
    """Attributes of the span of the answer that the task gives to the sample."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("Task: t") as span:
        trace = AnswerTrace(span, SAMPLE, lambda image: f"/vlmops/media/{image.sha256}")
        with recorded_calls() as calls:
            reply = asyncio.run(task(SAMPLE))
        trace.close(reply, calls)
    (finished,) = exporter.get_finished_spans()
    return dict(finished.attributes or {})


def texts(attributes: dict[str, Any]) -> list[str]:
    return [value for key, value in attributes.items() if "input" in key and key.endswith("content.text")]


def test_the_prompt_as_it_was_sent_is_shown() -> None:
    attributes = traced(ModelTask(Echo(), "Read {question} Answer with a number."))
    assert texts(attributes) == ["Read What is the total? Answer with a number."]
    drawn = [value for key, value in attributes.items() if key.endswith("image.url")]
    assert drawn == [f"/vlmops/media/{SAMPLE.inputs['image'].sha256}"]
    assert attributes["output.value"] == "12.50"


def test_the_version_of_the_prompt_is_named() -> None:
    turns = (PromptTurn("system", "Be exact."), PromptTurn("user", "Read {{question}}"))
    attributes = traced(ModelTask(Echo(), PromptVersion(Prompt("total", turns), "UHJv", "UHJv", "")))
    assert texts(attributes) == ["Be exact.", "Read What is the total?"]
    assert attributes["llm.prompt_template.template"] == "system: Be exact.\n\nuser: Read {{question}}"
    assert attributes["llm.prompt_template.version"] == "UHJv"
    assert json.loads(attributes["metadata"])["prompt"] == {"name": "total", "version": "UHJv"}


def test_a_question_that_was_not_asked_is_not_shown() -> None:
    assert texts(traced(ModelTask(Echo(), "Describe it."))) == ["Describe it."]


def test_every_turn_of_a_request_is_a_message() -> None:
    async def task(sample: Sample) -> Any:
        request = ModelRequest("And now?", before=(Turn("system", ("Be brief.",)),))
        return await ask(Echo(), request)

    attributes = traced(task)
    assert attributes["llm.input_messages.0.message.role"] == "system"
    assert attributes["llm.input_messages.1.message.role"] == "user"
    assert texts(attributes) == ["Be brief.", "And now?"]


def test_of_other_tasks_the_sample_is_shown() -> None:
    assert texts(traced(function_task(lambda sample: "12.50"))) == ['{"question": "What is the total?"}']


def test_words_that_break_off_within_a_character_cost_no_span(caplog: pytest.LogCaptureFixture) -> None:
    class BreaksOff(Echo):
        async def answer(self, request: ModelRequest) -> ModelReply:
            return ModelReply("12 \ud83d", "12 \ud83d", model="echo-1")

    async def judged(sample: Sample) -> Any:
        plan = ExperimentPlan("d", "e", ModelTask(BreaksOff(), "Is it right? \ud83d"), (), "k")
        return await answered(plan, sample)

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("Evaluation: judge") as span:
        with recorded_calls() as calls:
            asyncio.run(judged(SAMPLE))
        EvaluationTrace(span, tracer, lambda image: image.sha256).call(calls[0])
    call, _ = exporter.get_finished_spans()
    shown = dict(call.attributes or {})
    assert texts(shown) == ["Is it right? \ufffd"]
    assert shown["llm.output_messages.0.message.contents.0.message_content.text"] == "12 \ufffd"
    encode_spans(exporter.get_finished_spans()).SerializeToString()
    assert "encode" not in caplog.text
    assert texts(traced(judged)) == ["Is it right? \ufffd"]
    assert traced(judged)["output.value"] == "12 \ufffd"
