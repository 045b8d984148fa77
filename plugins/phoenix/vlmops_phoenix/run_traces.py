"""Traces of experiment runs, as Phoenix's own runner makes them, with their pictures drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from vlmops.evaluators import Case, Failure
from vlmops.images import Image, images_in, map_images, to_json

if TYPE_CHECKING:
    from datetime import datetime

    from opentelemetry.trace import Span, Tracer

    from vlmops.datasets import Sample
    from vlmops.models import ModelCall, ModelReply
    from vlmops_phoenix.examples import UrlOf
    from vlmops_phoenix.settings import PhoenixSettings

_FLUSH_MILLISECONDS = 30_000


class RunTraces:
    """Spans of one experiment's runs, sent in batches from a thread of their own.

    Args:
        settings: Where Phoenix is.
        project: The experiment's project.
        url_of: Where a browser finds a stored picture.
    """

    def __init__(self, settings: PhoenixSettings, project: str, url_of: UrlOf) -> None:
        from openinference.semconv.resource import ResourceAttributes
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        exporter = OTLPSpanExporter(
            endpoint=urljoin(settings.url + "/", "v1/traces"), headers=dict(settings.headers)
        )
        self._provider = TracerProvider(resource=Resource({ResourceAttributes.PROJECT_NAME: project}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("vlmops")
        self._url_of = url_of

    def close(self) -> None:
        """Send what is left and stop."""
        self._provider.force_flush(_FLUSH_MILLISECONDS)
        self._provider.shutdown()

    @contextmanager
    def answer(self, name: str, sample: Sample) -> Iterator[AnswerTrace]:
        """The trace of one answer: a span with the messages, which is where Phoenix draws pictures."""
        from opentelemetry.context import Context

        with self._tracer.start_as_current_span(f"Task: {name}", context=Context()) as span:
            span.set_attributes(
                {
                    "openinference.span.kind": "LLM",
                    "metadata": json.dumps({"sample_id": sample.id}),
                    # Lists of spans show this, and not the messages.
                    "input.value": _words(sample.inputs) or sample.id,
                }
            )
            yield AnswerTrace(span, sample, self._url_of)

    @contextmanager
    def evaluation(self, name: str, case: Case) -> Iterator[EvaluationTrace]:
        """The trace of one evaluation."""
        from opentelemetry.context import Context

        with self._tracer.start_as_current_span(f"Evaluation: {name}", context=Context()) as span:
            shown = {"output": _text(case.output), "expected": _text(case.expected), "sample_id": case.id}
            span.set_attributes(
                {
                    "openinference.span.kind": "EVALUATOR",
                    "input.value": json.dumps(shown, ensure_ascii=False),
                    "input.mime_type": "application/json",
                }
            )
            yield EvaluationTrace(span, self._tracer, self._url_of)


class EvaluationTrace:
    """The span of one evaluation, and those of the models that were asked for it."""

    def __init__(self, span: Span, tracer: Tracer, url_of: UrlOf) -> None:
        self._span = span
        self._tracer = tracer
        self._url_of = url_of

    @property
    def trace_id(self) -> str:
        """Its trace, as 32 hexadecimal digits."""
        return _trace_id(self._span)

    def call(self, call: ModelCall) -> None:
        """Record what a judge was asked, with the pictures it was shown, and what it answered."""
        from opentelemetry.trace import set_span_in_context

        span = self._tracer.start_span(
            f"Judge: {call.model}", set_span_in_context(self._span), start_time=_nanoseconds(call.started)
        )
        span.set_attributes({"openinference.span.kind": "LLM", "llm.model_name": call.model, **_prompt(call)})
        for number, turn in enumerate(call.request.conversation):
            span.set_attributes(_turn("input", turn.role, turn.content, self._url_of, number))
        answer = call.answer
        if isinstance(answer, Failure):
            span.set_attributes(_usage(answer))
            _set_status(span, f"{answer.kind.value}: {answer.message}")
        else:
            span.set_attributes(
                {
                    **_turn("output", "assistant", [answer.text], self._url_of),
                    **({"llm.model_name": answer.model} if answer.model else {}),
                    **_usage(answer),
                }
            )
            _set_status(span, None)
        span.end(_nanoseconds(call.ended))

    def close(self, results: Any, failed: str | None) -> None:
        """Record what came of it."""
        self._span.set_attributes({"output.value": _text(results), "output.mime_type": "application/json"})
        _set_status(self._span, failed)


class AnswerTrace:
    """The span of one answer."""

    def __init__(self, span: Span, sample: Sample, url_of: UrlOf) -> None:
        self._span = span
        self._sample = sample
        self._url_of = url_of

    @property
    def trace_id(self) -> str:
        """The trace, as 32 hexadecimal digits."""
        return _trace_id(self._span)

    def close(self, answer: ModelReply | Failure, calls: Sequence[ModelCall] = ()) -> None:
        """Record what was asked and the answer, or why there is none.

        Args:
            answer: What the task gave.
            calls: The calls of models that it made. What a single one was asked is shown as the model saw it;
                else the sample, which is all that is known of other tasks.
        """
        self._span.set_attributes(self._asked(calls))
        if isinstance(answer, Failure):
            self._span.set_attributes(_usage(answer))
            _set_status(self._span, f"{answer.kind.value}: {answer.message}")
            return
        self._span.set_attributes(
            {
                "llm.model_name": answer.model,
                "output.value": _words(answer.output),
                **_message("output", "assistant", answer.output, self._url_of),
                **_usage(answer),
            }
        )
        _set_status(self._span, None)

    def _asked(self, calls: Sequence[ModelCall]) -> dict[str, str]:
        if len(calls) != 1:
            return _message("input", "user", self._sample.inputs, self._url_of)
        self._span.set_attributes(_prompt(calls[0], sample_id=self._sample.id))
        turns = enumerate(calls[0].request.conversation)
        asked = [_turn("input", turn.role, turn.content, self._url_of, number) for number, turn in turns]
        return {key: value for attributes in asked for key, value in attributes.items()}


def _prompt(call: ModelCall, **metadata: str) -> dict[str, str]:
    """The prompt of a platform that a call was made from, that of a judge with a slot for what it saw."""
    if call.prompt is None:
        return {}
    reference = dict(call.prompt)
    template = reference.pop("template", None)
    if template is None:
        standing = [piece for piece in call.request.conversation[0].content if isinstance(piece, str)]
        template = "\n\n".join([*standing, "{{material}}", call.request.prompt or ""])
    return {
        "llm.prompt_template.template": template,
        "llm.prompt_template.version": str(reference["version"]),
        "metadata": json.dumps({**metadata, "prompt": reference}),
    }


def _message(side: str, role: str, value: Any, url_of: UrlOf) -> dict[str, str]:
    """A value as a message: its pictures, then the rest of it as text."""
    text = _words(value)
    return _turn(side, role, [*images_in(value), *([text] if text else [])], url_of)


def _turn(
    side: str, role: str, content: Sequence[str | Image], url_of: UrlOf, number: int = 0
) -> dict[str, str]:
    """OpenInference attributes of a message of texts and pictures."""
    prefix = f"llm.{side}_messages.{number}.message"
    attributes = {f"{prefix}.role": role}
    for position, piece in enumerate(content):
        part = f"{prefix}.contents.{position}.message_content"
        if isinstance(piece, Image):
            attributes |= {f"{part}.type": "image", f"{part}.image.image.url": url_of(piece)}
        else:
            attributes |= {f"{part}.type": "text", f"{part}.text": piece}
    return attributes


def _words(value: Any) -> str:
    """What is not a picture, as text."""
    if isinstance(value, Image):
        return ""
    if isinstance(value, Mapping):
        value = {key: inner for key, inner in value.items() if not isinstance(inner, Image)}
        return _text(value) if value else ""
    return value if isinstance(value, str) else _text(value)


def _usage(answer: ModelReply | Failure) -> dict[str, int]:
    if answer.usage is None:
        return {}
    prompt, completion = answer.usage.input_tokens, answer.usage.output_tokens
    counts = {
        "llm.token_count.prompt": prompt,
        "llm.token_count.completion": completion,
        "llm.token_count.total": None if prompt is None or completion is None else prompt + completion,
    }
    return {key: count for key, count in counts.items() if count is not None}


def _text(value: Any) -> str:
    return json.dumps(map_images(value, to_json), ensure_ascii=False, default=str)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)


def _trace_id(span: Span) -> str:
    return f"{span.get_span_context().trace_id:032x}"


def _set_status(span: Span, problem: str | None) -> None:
    from opentelemetry.trace import Status, StatusCode

    span.set_status(Status(StatusCode.ERROR, problem) if problem else Status(StatusCode.OK))
