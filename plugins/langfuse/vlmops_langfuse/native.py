"""vlmops evaluators in Langfuse's own idiom, for people who use nothing else of vlmops.

:func:`as_evaluator` goes into ``langfuse.run_experiment(evaluators=[...])`` and
``run_batched_evaluation(evaluators=[...])``, :func:`as_run_evaluator` into ``run_evaluators=[...]`` and
:func:`as_mapper` into ``run_batched_evaluation(mapper=...)``. Evaluators get real pictures. The scores are
the SDK's: it gives them new ids each time, so running twice scores twice; ``vlmops score`` does not.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from vlmops.errors import EvaluatorError
from vlmops.evaluators import (
    Case,
    Evaluator,
    Failure,
    FailureKind,
    Score,
    SetEvaluator,
    SetScore,
    Usage,
    applies,
    evaluate_in_thread,
)
from vlmops.models import ModelReply
from vlmops_langfuse.connection import LangfuseConnection
from vlmops_langfuse.executions import parsed
from vlmops_langfuse.items import MACHINE_KEY, from_item
from vlmops_langfuse.media import LangfuseMedia, resolved, restored
from vlmops_langfuse.media_upload import MediaTarget
from vlmops_langfuse.score_bodies import set_score, typed
from vlmops_langfuse.settings import LangfuseSettings
from vlmops_langfuse.usage import from_machine_data, machine_data, usage_from

if TYPE_CHECKING:
    from langfuse import Evaluation, EvaluatorInputs

    from vlmops.images import Image

NativeEvaluator = Callable[..., Awaitable[list[Any]]]

_FAILURES = frozenset(kind.value for kind in FailureKind)


class EvaluationFailed(EvaluatorError):  # noqa: N818 - says what happened
    """The evaluator could not score; Langfuse marks its span with the error and records no score.

    Attributes:
        failure: Kind and message.
    """

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"{failure.kind.value}: {failure.message}")


def as_evaluator(evaluator: Evaluator, settings: LangfuseSettings | None = None) -> NativeEvaluator:
    """A function for ``langfuse.run_experiment(evaluators=[...])``.

    All scores of an evaluator that gives several arrive, each under its own name; an answer that is a
    failure, and a case the evaluator has nothing to say of, give none. Works on items that vlmops pushed and
    on any others: there, output and expected output are compared as they are. Evidence pictures are stored
    and named in the score's metadata. Latency, tokens and cost are known of a task that gives a
    :class:`~vlmops.models.ModelReply`; Langfuse itself tells an evaluator nothing of them.

    Args:
        evaluator: Any vlmops evaluator.
        settings: Which Langfuse holds the pictures; from the environment, and only when one is looked at,
            if ``None``.

    Raises:
        EvaluationFailed: From the function, when the case cannot be scored.

    Example:
        >>> import asyncio
        >>> from vlmops.evaluators import CharacterErrorRate
        >>> score = as_evaluator(CharacterErrorRate())
        >>> asyncio.run(score(input="", output="ab", expected_output="ac"))[0].value
        0.5
    """
    reader = _Reader(settings)

    async def score(
        *,
        input: Any,  # noqa: A002 - Langfuse's name
        output: Any,
        expected_output: Any = None,
        metadata: Any = None,
        **_: Any,
    ) -> list[Evaluation]:
        case = reader.case(input, output, expected_output, metadata)
        if isinstance(case.output, Failure) or not applies(evaluator, case):
            return []
        result = await evaluate_in_thread(evaluator, case)
        if isinstance(result, Failure):
            raise EvaluationFailed(result)
        scores = result if isinstance(result, list) else [result]
        return [_evaluation(each, await reader.evidence(each.evidence)) for each in scores]

    score.__name__ = score.__qualname__ = evaluator.name
    return score


def as_run_evaluator(evaluator: SetEvaluator, settings: LangfuseSettings | None = None) -> NativeEvaluator:
    """A function for ``langfuse.run_experiment(run_evaluators=[...])``: one value over the whole run.

    Interval, n and failures stand in the comment. Failed answers are not in the value.

    Args:
        evaluator: A vlmops evaluator of whole sets (mAP, F1, micro CER, ...).
        settings: See :func:`as_evaluator`.

    Raises:
        EvaluatorError: The evaluator scores single cases only.
        EvaluationFailed: From the function, when the set cannot be scored.

    Example:
        >>> import asyncio
        >>> from types import SimpleNamespace
        >>> from vlmops.evaluators import CharacterErrorRate
        >>> item = {"input": "", "expected_output": "ac"}
        >>> over_all = as_run_evaluator(CharacterErrorRate())
        >>> found = asyncio.run(over_all(item_results=[SimpleNamespace(item=item, output="ab")]))
        >>> found[0].name, found[0].value
        ('cer', 0.5)
    """
    if not isinstance(evaluator, SetEvaluator):
        raise EvaluatorError(f"{type(evaluator).__name__} scores single cases: use as_evaluator")
    reader = _Reader(settings)

    async def over_all(*, item_results: Sequence[Any], **_: Any) -> list[Evaluation]:
        cases = [reader.case_of(result.item, result.output) for result in item_results]
        usable = [case for case in cases if not isinstance(case.output, Failure) and applies(evaluator, case)]
        result = evaluator.evaluate_set(usable) if usable else []
        if inspect.isawaitable(result):
            result = await result
        if isinstance(result, Failure):
            raise EvaluationFailed(result)
        found: list[SetScore] = result if isinstance(result, list) else [result]
        return [
            _evaluation(set_score(each), await reader.evidence(each.evidence))
            for each in found
            if math.isfinite(each.value)
        ]

    over_all.__name__ = over_all.__qualname__ = evaluator.name
    return over_all


def as_mapper(
    expected: Callable[[Any], Any] | None = None, settings: LangfuseSettings | None = None
) -> Callable[..., EvaluatorInputs]:
    """A mapper for ``langfuse.run_batched_evaluation(mapper=...)``: text into JSON, references into pictures.

    Evaluators see how long the observation took, and what it consumed where that is fetched:
    ``fields="core,basic,io,metadata,model,usage,metrics"``.

    Args:
        expected: Gives the expected output of an observation, if it is known; Langfuse records none.
        settings: See :func:`as_evaluator`.

    Example:
        >>> from types import SimpleNamespace
        >>> observation = SimpleNamespace(input='{"question": "How many?"}', output="7", metadata=None)
        >>> as_mapper(expected=lambda item: "7")(item=observation).input
        {'question': 'How many?'}
    """
    from langfuse import EvaluatorInputs

    reader = _Reader(settings)

    def mapper(*, item: Any, **_: Any) -> EvaluatorInputs:
        return EvaluatorInputs(
            input=reader.resolved(parsed(item.input)),
            output=reader.resolved(parsed(item.output)),
            expected_output=expected(item) if expected is not None else None,
            metadata=_observed(item) or None,
        )

    return mapper


class _Reader:
    """Makes cases of what Langfuse hands over; asks for settings only when a picture is looked at."""

    def __init__(self, settings: LangfuseSettings | None) -> None:
        self._given = settings

    @property
    def settings(self) -> LangfuseSettings:
        if self._given is None:
            self._given = LangfuseSettings.resolve()
        return self._given

    def resolved(self, value: Any) -> Any:
        return resolved(self.settings, value) if _holds_pictures(value) else value

    def case_of(self, item: Any, output: Any) -> Case:
        read = item.get if isinstance(item, Mapping) else partial(_attribute, item)
        return self.case(read("input"), output, read("expected_output"), read("metadata"))

    def case(self, inputs: Any, output: Any, expected: Any, metadata: Any) -> Case:
        answer, usage, latency = self._answer(output)
        facts = dict(metadata) if isinstance(metadata, Mapping) else {}
        machine = facts.get(MACHINE_KEY)
        if isinstance(machine, Mapping) and "sample" in machine:
            item = {
                "id": "item",
                "input": _dehydrated(inputs),
                "expectedOutput": _dehydrated(expected),
                "metadata": _dehydrated(metadata),
            }
            sample = from_item(item, partial(restored, self.settings), self.resolved)
            return Case(answer, sample.expected, sample.inputs, sample.id, sample.metadata, usage, latency)
        if isinstance(machine, Mapping):
            del facts[MACHINE_KEY]
            usage, latency = from_machine_data(machine)
        return Case(
            answer,
            self.resolved(expected),
            self.resolved(inputs),
            metadata=facts,
            usage=usage,
            latency=latency,
        )

    async def evidence(self, image: Image | None) -> str | None:
        """The reference of an evidence picture, stored with the trace that is being recorded."""
        if image is None:
            return None
        from opentelemetry.trace import get_current_span

        context = get_current_span().get_span_context()
        trace_id = f"{context.trace_id:032x}" if context.is_valid else image.sha256[:32]
        connection = LangfuseConnection(self.settings)
        try:
            target = MediaTarget("metadata", trace_id=trace_id)
            return await LangfuseMedia(connection).store(image, target)
        finally:
            await connection.aclose()

    def _answer(self, output: Any) -> tuple[Any, Usage | None, float | None]:
        """What a task gave, with what it consumed where it says so."""
        if isinstance(output, Failure):
            return output, None, None
        if isinstance(output, ModelReply):
            return output.output, output.usage, output.latency
        if isinstance(output, Mapping) and output.get("failure") in _FAILURES:
            failure = Failure(FailureKind(output["failure"]), str(output.get("message", "")))
            return failure, None, None
        return self.resolved(output), None, None


def _observed(observation: Any) -> dict[str, Any]:
    """Metadata of an observation, with what it consumed and how long it took as machine data."""
    metadata = getattr(observation, "metadata", None)
    facts = dict(metadata) if isinstance(metadata, Mapping) else {}
    if model := getattr(observation, "model", None):
        facts["model"] = model
    cost = getattr(observation, "total_cost", None) or getattr(observation, "calculated_total_cost", None)
    usage = usage_from(getattr(observation, "usage_details", None), cost)
    started, ended = getattr(observation, "start_time", None), getattr(observation, "end_time", None)
    latency = (ended - started).total_seconds() if started is not None and ended is not None else None
    if usage is not None or latency is not None:
        facts[MACHINE_KEY] = machine_data(usage, latency)
    return facts


def _attribute(item: Any, name: str) -> Any:
    return getattr(item, name, None)


def _holds_pictures(value: Any) -> bool:
    """Whether anything in it may stand for a picture: text metrics work without any set-up."""
    if isinstance(value, str):
        return value.startswith(("@@@", "data:image/", "http://", "https://"))
    if isinstance(value, Mapping):
        return any(_holds_pictures(inner) for inner in value.values()) or "inline_data" in value
    if isinstance(value, list | tuple):
        return any(_holds_pictures(inner) for inner in value)
    return hasattr(value, "reference_string") or hasattr(value, "media_id")


def _dehydrated(value: Any) -> Any:
    """What an item says, with the SDK's resolved references as the strings they came from."""
    if isinstance(value, Mapping):
        return {key: _dehydrated(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_dehydrated(inner) for inner in value]
    reference = getattr(value, "reference_string", None)
    return reference if isinstance(reference, str) else value


def _evaluation(score: Score, evidence: str | None) -> Evaluation:
    from langfuse import Evaluation

    kind, value = typed(score.value)
    metadata = {**score.metadata, **({"evidence": evidence} if evidence else {})}
    return Evaluation(
        name=score.name,
        value=value,
        comment=score.explanation or None,
        metadata=metadata or None,
        data_type="CATEGORICAL" if kind == "TEXT" else kind,  # type: ignore[arg-type]
    )
