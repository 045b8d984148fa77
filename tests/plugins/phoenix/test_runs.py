"""Answers as runs and scores as evaluations, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from vlmops.datasets import Sample
from vlmops.evaluators import CharacterErrorRate, Failure, FailureKind, Score, Usage
from vlmops.evaluators.settings import settings_of
from vlmops.images import Image, ImageReference
from vlmops.models import ModelReply
from vlmops.testing import picture
from vlmops_phoenix.runs import (
    evaluated_by,
    from_annotations,
    from_error,
    to_case,
    to_error,
    to_evaluation,
    to_output,
)
from vlmops_phoenix.scores import result_of

SAMPLE = Sample("s", {"image": picture(1)}, expected={"text": "7"}, metadata={"line": 3})
DRAWN = picture(2)


def url_of(image: Image, width: int | None = None) -> str:
    return f"/{image.sha256[:8]}"


def restore(reference: ImageReference) -> Image:
    return DRAWN


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def annotation(score: Score, evaluator: str = "e", parts: int = 1) -> dict[str, Any]:
    """What Phoenix's export makes of an evaluation."""
    fields = as_json(to_evaluation(score, evaluator, parts))
    result = fields.pop("result")
    return {**fields, "score": None, "label": None, "explanation": None, "error": None, **result}


@pytest.mark.parametrize("output", ["seven", {"n": 7}, ["a", None], None, 7, False, {"messages": []}])
def test_an_answer_comes_back_as_the_case_that_evaluators_see(output: Any) -> None:
    reply = ModelReply(output, "seven", Usage(900, 7, cost=0.001), 0.5, "m-1", metadata={"id": "r"})
    case = to_case(SAMPLE, as_json(to_output(reply, SAMPLE.inputs, url_of)), None, restore)
    assert case.output == output
    assert (case.expected, case.inputs, case.id) == (SAMPLE.expected, SAMPLE.inputs, "s")
    assert case.metadata == {"line": 3}
    assert (case.usage, case.latency) == (Usage(900, 7, cost=0.001), 0.5)


def test_a_picture_in_an_answer_comes_back_as_a_picture() -> None:
    shown = as_json(to_output(ModelReply({"mask": DRAWN}, ""), SAMPLE.inputs, url_of))
    assert to_case(SAMPLE, shown, None, restore).output == {"mask": DRAWN}


@pytest.mark.parametrize("output", ["plain", {"answer": 7}, {"vision": "of their own"}, None])
def test_an_answer_of_another_tool_is_taken_as_it_is(output: Any) -> None:
    assert to_case(SAMPLE, output, None, restore).output == output


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failed_answer_comes_back_as_its_failure(kind: FailureKind) -> None:
    failure = Failure(kind, "what: happened")
    assert to_case(SAMPLE, None, to_error(failure), restore).output == failure


@pytest.mark.parametrize("text", ["boom", "ValueError: no", ": ", ""])
def test_an_error_of_another_tool_says_who_raised(text: str) -> None:
    assert from_error(text) == Failure(FailureKind.TASK_ERROR, text)
    assert from_error(text, "cer") == Failure(FailureKind.EVALUATOR_ERROR, text, "cer")


@pytest.mark.parametrize(
    "score",
    [
        Score("a", 0.5, "why", "minimize", (0.0, math.inf)),
        Score("a", -2.0, range=(-math.inf, 0.0)),
        Score("a", True),
        Score("a", False, direction="none"),
        Score("a", "scratch", range=None),
        Score("a", "", range=None),
        Score("a", math.inf, range=(0.0, math.inf)),
        Score("a", 3.0, range=None, metadata={"edits": 3}),
    ],
    ids=str,
)
def test_a_score_comes_back_with_value_direction_and_range(score: Score) -> None:
    [back] = from_annotations([annotation(score)])
    assert back == score
    assert type(back.value) is type(score.value)


def test_a_number_that_is_none_comes_back_as_none() -> None:
    [back] = from_annotations([annotation(Score("a", math.nan))])
    assert isinstance(back, Score)
    assert isinstance(back.value, float)
    assert math.isnan(back.value)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (0.25, {"score": 0.25}),
        (2, {"score": 2.0}),
        (True, {"score": 1.0, "label": "pass"}),
        (False, {"score": 0.0, "label": "fail"}),
        ("scratch", {"label": "scratch"}),
        (math.nan, {"label": "nan"}),
        (-math.inf, {"label": "-inf"}),
    ],
)
def test_the_result_that_phoenix_shows(value: Any, result: dict[str, Any]) -> None:
    assert result_of(Score("a", value)) == result
    assert result_of(Score("a", value, "why")) == {**result, "explanation": "why"}


def test_a_persons_annotation_is_a_score_too() -> None:
    person = {"name": "looks", "score": None, "label": "good", "explanation": None, "metadata": None}
    assert from_annotations([person]) == [Score("looks", "good", direction="none", range=None)]


def test_an_evaluation_that_failed_comes_back_as_its_failure() -> None:
    failed = {"name": "cer", "error": "unparsable: no text", "score": None, "metadata": {}}
    assert from_annotations([failed]) == [Failure(FailureKind.UNPARSABLE, "no text", "cer")]


def test_an_evaluator_has_finished_when_all_of_its_scores_are_there() -> None:
    parts = [annotation(Score(f"e.{n}", 1.0), "e", parts=2) for n in range(2)]
    assert not evaluated_by([], "e")
    assert not evaluated_by(parts[:1], "e")
    assert evaluated_by(parts, "e")
    assert not evaluated_by(parts, "other")


def test_an_evaluator_that_failed_has_not_finished() -> None:
    failed = {"name": "e", "error": "timeout: slow", "metadata": {"vlmops": {"evaluator": "e", "parts": 1}}}
    assert not evaluated_by([failed], "e")


def test_an_evaluator_with_other_parameters_has_not_finished() -> None:
    strict, relaxed = settings_of(CharacterErrorRate()), settings_of(CharacterErrorRate(case_sensitive=False))
    done = as_json(to_evaluation(Score("cer", 0.5), "cer", 1, strict))
    assert evaluated_by([done], "cer", strict)
    assert not evaluated_by([done], "cer", relaxed)


def test_parameters_that_repr_does_not_tell_are_left_out() -> None:
    @dataclass(frozen=True)
    class Judge:
        ask: Callable[[], str]
        name: str = "judge"

    class Plain:
        name = "plain"

    # An address would make every process score, and pay, anew.
    assert settings_of(Judge(lambda: "")) == ""
    assert settings_of(Plain()) == ""
