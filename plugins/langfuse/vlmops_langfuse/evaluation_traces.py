"""Evaluations in the traces of the answers they are about, with what judges were asked and shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Failure, Score
from vlmops_langfuse.asked import AskedPictures, prompt_link
from vlmops_langfuse.media_upload import TAKEN, MediaTarget
from vlmops_langfuse.references import reference_to
from vlmops_langfuse.usage import usage_details

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.trace import Span

    from vlmops.models import ModelCall, ModelReply
    from vlmops.platforms.records import ScoreTarget
    from vlmops_langfuse.media import LangfuseMedia
    from vlmops_langfuse.native_runner import NativeRunner
    from vlmops_langfuse.runs import AnsweredItem

_ENVIRONMENT = "sdk-experiment"
"""Where the SDK puts experiments, so that they stay apart from what an application records."""

_TRACE_CLAIM = "langfuse_trace_id"
"""Baggage by which Langfuse's SDK knows that a trace has begun elsewhere."""


class EvaluationTraces:
    """Records evaluations as observations below the answers."""

    def __init__(self, runner: NativeRunner, media: LangfuseMedia) -> None:
        self._runner = runner
        self._media = media

    async def record(
        self,
        answered: AnsweredItem,
        evaluator: str,
        result: Sequence[Score] | Failure,
        calls: Sequence[ModelCall],
        started: datetime,
    ) -> None:
        """Record an evaluation that has just ended, and below it each call of a judge's model.

        Evidence pictures are named in its output. The pictures a judge was shown (scaled, cut out) are
        stored, and drawn in the judge's own generation; one that cannot be stored is named there instead.

        Args:
            answered: What was evaluated.
            evaluator: The evaluator's name.
            result: What came of it.
            calls: What models were asked for it.
            started: When it began.
        """
        from langfuse import LangfuseEvaluator

        ended = datetime.now(UTC)
        span = self._start(evaluator, _remote(answered.span), started)
        evaluation = LangfuseEvaluator(
            otel_span=span, langfuse_client=self._runner.client, environment=_ENVIRONMENT
        )
        if isinstance(result, Failure):
            problem = f"{result.kind.value}: {result.message}"
            evaluation.update(output={"failure": problem}, level="ERROR", status_message=problem)
        else:
            evaluation.update(output=[_shown(score) for score in result])
        for call in calls:
            await self._record_call(call, span)
        evaluation.end(end_time=_nanoseconds(ended))

    async def _record_call(self, call: ModelCall, parent: Span) -> None:
        from langfuse import LangfuseGeneration

        span = self._start(f"judge: {call.model}", parent, call.started)
        context = span.get_span_context()
        target = MediaTarget(
            "input", trace_id=f"{context.trace_id:032x}", observation_id=f"{context.span_id:016x}"
        )
        generation = LangfuseGeneration(
            otel_span=span,
            langfuse_client=self._runner.client,
            environment=_ENVIRONMENT,
            input=await AskedPictures(self._media, target).messages(call),
            model=call.model,
            model_parameters=dict(call.request.parameters) or None,
        )
        span.set_attributes(prompt_link(call))
        generation.update(**_answer(call.answer))
        generation.end(end_time=_nanoseconds(call.ended))

    def _start(self, name: str, parent: Span, started: datetime) -> Span:
        """A span that began earlier, which the SDK's own methods do not offer."""
        from opentelemetry.baggage import set_baggage
        from opentelemetry.context import Context
        from opentelemetry.trace import set_span_in_context

        # Without this claim the SDK marks it as the first of its trace, and Langfuse lists it among traces.
        trace_id = f"{parent.get_span_context().trace_id:032x}"
        within = set_span_in_context(parent, set_baggage(_TRACE_CLAIM, trace_id, Context()))
        return self._runner.client._otel_tracer.start_span(name, within, start_time=_nanoseconds(started))


def _remote(target: ScoreTarget) -> Span:
    """Stands for a span that has ended."""
    from opentelemetry import trace

    return trace.NonRecordingSpan(
        trace.SpanContext(
            int(target.trace_id, 16),
            int(target.id, 16),
            is_remote=False,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
    )


def _answer(answer: ModelReply | Failure) -> dict[str, Any]:
    """What a generation says of the judge's answer."""
    if isinstance(answer, Failure):
        said: dict[str, Any] = {"level": "ERROR", "status_message": f"{answer.kind.value}: {answer.message}"}
    else:
        said = {"output": answer.text, **({"model": answer.model} if answer.model else {})}
        if answer.cached:
            said["metadata"] = {"cached": True}
    if answer.usage is not None:
        said["usage_details"] = usage_details(answer.usage)
        if answer.usage.cost is not None:
            said["cost_details"] = {"total": answer.usage.cost}
    return said


def _shown(score: Score) -> dict[str, Any]:
    shown = {"name": score.name, "value": score.value, "comment": score.explanation}
    if score.evidence is not None and score.evidence.media_type in TAKEN:
        shown["evidence"] = reference_to(score.evidence)
    return shown


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)
