"""vlmops evaluators in Phoenix's own idiom, for people who use nothing else of vlmops.

:func:`as_experiment_evaluator` goes into ``run_experiment(evaluators=[...])``; :func:`as_evaluator` is a
``phoenix.evals.Evaluator`` for dataframes of traces. Pictures come as the examples hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import EvaluatorError, ImageError
from vlmops.evaluators import Annotator, Case, Evaluator, Failure, Score, annotator_of, evaluate_in_thread
from vlmops.images import Image
from vlmops_phoenix.examples import MACHINE_KEY, from_example
from vlmops_phoenix.pictures import PhoenixPictures
from vlmops_phoenix.runs import to_case, to_evaluation
from vlmops_phoenix.settings import PhoenixSettings

if TYPE_CHECKING:
    from phoenix.evals import Evaluator as PhoenixEvaluator
    from phoenix.evals import Score as PhoenixScore

_KINDS: Mapping[Annotator, Literal["code", "llm", "human"]] = {"CODE": "code", "LLM": "llm", "HUMAN": "human"}


class EvaluationFailed(EvaluatorError):  # noqa: N818 - says what happened
    """The evaluator could not score; Phoenix records it as an error, not as a score.

    Attributes:
        failure: Kind and message.
    """

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"{failure.kind.value}: {failure.message}")


class ExperimentEvaluator:
    """A vlmops evaluator as Phoenix's experiments take one; made by :func:`as_experiment_evaluator`."""

    def __init__(self, evaluator: Evaluator, pictures: _Pictures) -> None:
        self._evaluator = evaluator
        self._pictures = pictures

    @property
    def name(self) -> str:
        """The evaluator's name."""
        return self._evaluator.name

    @property
    def kind(self) -> Annotator:
        """``"LLM"`` of a judge, else ``"CODE"``."""
        return annotator_of(self._evaluator)

    def evaluate(self, **given: Any) -> list[dict[str, Any]]:
        """As :meth:`async_evaluate`, for the client that is not async."""
        from vlmops.blocking import blocking

        return blocking(partial(self.async_evaluate, **given))

    async def async_evaluate(
        self,
        *,
        output: Any,
        expected: Any = None,
        input: Any = None,  # noqa: A002 - Phoenix's name
        metadata: Any = None,
        **_: Any,
    ) -> list[dict[str, Any]]:
        """All scores of one answer.

        Raises:
            EvaluationFailed: The case cannot be scored.
        """
        case = _case(output, expected, input, metadata, self._pictures)
        return [_experiment_score(each, self.name) for each in await _scores(self._evaluator, case)]


def as_experiment_evaluator(
    evaluator: Evaluator, settings: PhoenixSettings | None = None
) -> ExperimentEvaluator:
    """An evaluator for ``run_experiment(evaluators=[...])`` and ``evaluate_experiment`` of Phoenix.

    Goes into the client and the async client alike. All scores of an evaluator that gives several arrive,
    each under its own name; a failure is recorded as an error of the evaluation. What a judge gives is
    marked as a model's (``LLM``), as in Phoenix's own judges. Works on examples that vlmops pushed and on any
    others: there, output and expected are compared as they are.

    Args:
        evaluator: Any vlmops evaluator.
        settings: Where pictures of pushed examples are; from the environment when ``None``.

    Example:
        >>> from vlmops.evaluators import CharacterErrorRate
        >>> native = as_experiment_evaluator(CharacterErrorRate())
        >>> native.kind, native.evaluate(output="ab", expected={"expected": "ac"})[0]["score"]
        ('CODE', 0.5)
    """
    return ExperimentEvaluator(evaluator, _Pictures(settings))


def as_evaluator(evaluator: Evaluator, settings: PhoenixSettings | None = None) -> PhoenixEvaluator:
    """A native ``phoenix.evals.Evaluator``, for ``evaluate_dataframe``, ``bind_evaluator`` and the rest.

    Its inputs are ``output`` and, as far as the evaluator needs them, ``expected``, ``input`` and
    ``metadata``; map columns of other names with ``bind_evaluator``. Under ``input`` pictures may be
    URLs, data URIs, paths, bytes or :class:`~vlmops.Image`, within a list or an object.

    Note that Phoenix's experiment runner keeps only the first score of a native evaluator: in experiments use
    :func:`as_experiment_evaluator`.

    Args:
        evaluator: Any vlmops evaluator.
        settings: Where stored pictures are; from the environment when ``None``.

    Raises:
        EvaluationFailed: From its ``evaluate`` when the case cannot be scored.

    Example:
        >>> from vlmops.evaluators import CharacterErrorRate
        >>> as_evaluator(CharacterErrorRate()).evaluate({"output": "ab", "expected": "ac"})[0].score
        0.5
    """
    from phoenix.evals import Evaluator as PhoenixEvaluator
    from phoenix.evals import Score as PhoenixScore
    from pydantic import BaseModel

    pictures = _Pictures(settings)
    direction = getattr(evaluator, "direction", "maximize")
    kind = _KINDS[annotator_of(evaluator)]

    class Inputs(BaseModel):
        """What the evaluator looks at."""

        output: Any
        expected: Any = None
        input: Any = None
        metadata: Any = None

    class VisionEvaluator(PhoenixEvaluator):
        """A vlmops evaluator within Phoenix."""

        def _evaluate(self, eval_input: dict[str, Any]) -> list[PhoenixScore]:
            from vlmops.blocking import blocking

            return blocking(partial(self._async_evaluate, eval_input))

        async def _async_evaluate(self, eval_input: dict[str, Any]) -> list[PhoenixScore]:
            case = _case(
                eval_input.get("output"),
                eval_input.get("expected"),
                eval_input.get("input"),
                eval_input.get("metadata"),
                pictures,
            )
            return [_native_score(each, kind, PhoenixScore) for each in await _scores(evaluator, case)]

    return VisionEvaluator(
        name=evaluator.name,
        kind=kind,
        direction="minimize" if direction == "minimize" else "maximize",
        input_schema=Inputs,
    )


class _Pictures:
    """Opens the media store when the first picture is needed: text metrics work without any set-up."""

    def __init__(self, settings: PhoenixSettings | None) -> None:
        self._settings = settings
        self._opened: PhoenixPictures | None = None

    @property
    def opened(self) -> PhoenixPictures:
        if self._opened is None:
            self._opened = PhoenixPictures(self._settings or PhoenixSettings.resolve())
        return self._opened

    def restore(self, reference: Any) -> Image:
        return self.opened.restore(reference)

    def found_in(self, value: Any) -> Any:
        """A JSON tree of any origin with pictures in the place of what stands for one."""
        if isinstance(value, Mapping):
            return {key: self.found_in(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.found_in(inner) for inner in value]
        if isinstance(value, str) and value.startswith(("data:image/", "/vlmops/media/")):
            return self._picture(value)
        if isinstance(value, bytes):
            return Image.from_bytes(value)
        return value

    def _picture(self, url: str) -> Any:
        try:
            return self.opened.at(url)
        except ImageError:
            return url


async def _scores(evaluator: Evaluator, case: Case) -> list[Score]:
    result = await evaluate_in_thread(evaluator, case)
    if isinstance(result, Failure):
        raise EvaluationFailed(result)
    return result if isinstance(result, list) else [result]


def _case(output: Any, expected: Any, inputs: Any, metadata: Any, pictures: _Pictures) -> Case:
    machine = metadata.get(MACHINE_KEY) if isinstance(metadata, Mapping) else None
    if isinstance(machine, Mapping) and "inputs" in machine:
        example = {"id": "example", "input": inputs, "output": expected, "metadata": metadata}
        return to_case(from_example(example, pictures.restore), output, None, pictures.restore)
    wrapped = isinstance(expected, Mapping) and set(expected) in ({"expected"}, {"messages", "expected"})
    answer = output["prediction"] if isinstance(output, Mapping) and "prediction" in output else output
    return Case(
        answer,
        # Phoenix has an empty object where nothing is expected.
        expected["expected"] if wrapped else None if expected == {} else expected,
        pictures.found_in(inputs),
        metadata=metadata if isinstance(metadata, Mapping) else {},
    )


def _experiment_score(score: Score, evaluator: str) -> dict[str, Any]:
    fields = to_evaluation(score, evaluator, 1)
    return {"name": fields["name"], **fields["result"], "metadata": fields["metadata"]}


def _native_score(
    score: Score, kind: Literal["code", "llm", "human"], make: type[PhoenixScore]
) -> PhoenixScore:
    fields = to_evaluation(score, score.name, 1)
    result = fields["result"]
    return make(
        name=score.name,
        score=result.get("score"),
        label=result.get("label"),
        explanation=result.get("explanation"),
        metadata=dict(score.metadata),
        kind=kind,
        direction="minimize" if score.direction == "minimize" else "maximize",
    )
