"""vlmops evaluators in Phoenix's own idiom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import judging_models
import pytest

from vlmops.datasets import Sample
from vlmops.evaluators import Case, CharacterErrorRate, Failure, FailureKind, Score
from vlmops.images import Image
from vlmops.judges import Judge, Rubric, YesNo
from vlmops.models import ModelReply
from vlmops.testing import picture
from vlmops_phoenix import as_evaluator, as_experiment_evaluator
from vlmops_phoenix.examples import to_example
from vlmops_phoenix.native import EvaluationFailed
from vlmops_phoenix.pictures import PhoenixPictures
from vlmops_phoenix.runs import to_output
from vlmops_phoenix.settings import PhoenixSettings

SETTINGS = PhoenixSettings("http://phoenix")


@dataclass(frozen=True)
class Looks:
    """Gives several scores of the pictures it sees."""

    name: str = "looks"

    def evaluate(self, case: Case) -> list[Score]:
        return [
            Score("looks.pictures", float(len(case.images)), range=None),
            Score("looks.width", float(case.images[0].width), range=None),
        ]


@dataclass(frozen=True)
class Always:
    result: Score | Failure | Exception
    name: str = "always"

    async def evaluate(self, case: Case) -> Score | Failure:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def pushed(sample: Sample, output: Any) -> dict[str, Any]:
    """The arguments Phoenix's runner gives for an example that vlmops pushed."""
    pictures = PhoenixPictures(SETTINGS)
    for image in sample.images:
        await pictures.keep(image)
    example = json.loads(json.dumps(to_example(sample, pictures.url_of)))
    arguments = {"expected": example["output"], "input": example["input"], "metadata": example["metadata"]}
    return {"output": output, **arguments}


async def test_a_pushed_example_is_seen_with_its_picture() -> None:
    scores = await as_experiment_evaluator(Looks(), SETTINGS).async_evaluate(
        **(await pushed(Sample("s", {"image": picture(1, (64, 20))}), "any"))
    )
    assert [(score["name"], score["score"]) for score in scores] == [
        ("looks.pictures", 1.0),
        ("looks.width", 64.0),
    ]


async def test_an_answer_of_vlmops_and_a_plain_one_are_compared_alike() -> None:
    sample = Sample("s", {"image": picture(1)}, expected="abcd")
    evaluate = as_experiment_evaluator(CharacterErrorRate(), SETTINGS)
    reply = to_output(ModelReply("abcx", "abcx"), sample.inputs, PhoenixPictures(SETTINGS).url_of)
    for output in ("abcx", reply):
        [score] = await evaluate.async_evaluate(**(await pushed(sample, output)))
        assert score["score"] == 0.25
        assert score["metadata"]["vlmops"]["direction"] == "minimize"


@pytest.mark.parametrize("expected", ["abcd", {"expected": "abcd"}, {"messages": [], "expected": "abcd"}])
async def test_examples_of_other_tools_are_compared_as_they_are(expected: Any) -> None:
    [score] = await as_experiment_evaluator(CharacterErrorRate()).async_evaluate(
        output="abcx", expected=expected, input={"q": "?"}, metadata={}
    )
    assert score["score"] == 0.25


@pytest.mark.parametrize("metadata", [None, {}, {"vision": "of their own"}])
async def test_pictures_of_other_tools_are_found_as_data_uri_and_bytes(metadata: Any) -> None:
    inputs = {"a": picture(1).data_uri(), "b": [picture(2).read(), "no picture"]}
    scores = await as_experiment_evaluator(Looks()).async_evaluate(
        output="", expected=None, input=inputs, metadata=metadata
    )
    assert scores[0]["score"] == 2.0


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (Failure(FailureKind.UNPARSABLE, "no number"), "unparsable: no number"),
        (RuntimeError("bug"), "evaluator_error: RuntimeError: bug"),
    ],
)
async def test_a_failure_is_raised_so_that_phoenix_records_an_error(
    result: Failure | Exception, message: str
) -> None:
    with pytest.raises(EvaluationFailed, match=message):
        await as_experiment_evaluator(Always(result)).async_evaluate(
            output="a", expected="a", input={}, metadata={}
        )
    with pytest.raises(EvaluationFailed, match=message) as raised:
        as_evaluator(Always(result)).evaluate({"output": "a", "expected": "a"})
    assert isinstance(raised.value.failure, Failure)


async def test_a_missing_expected_value_is_a_failure_too() -> None:
    with pytest.raises(EvaluationFailed, match="missing_expected"):
        await as_experiment_evaluator(CharacterErrorRate()).async_evaluate(
            output="a", expected={}, input={}, metadata={}
        )


def test_the_native_evaluator_says_what_phoenix_asks_of_one() -> None:
    evaluator = as_evaluator(CharacterErrorRate(name="cer"))
    assert (evaluator.name, evaluator.kind, evaluator.direction) == ("cer", "code", "minimize")
    described = evaluator.describe()["input_schema"]
    assert set(described["properties"]) == {"output", "expected", "input", "metadata"}
    assert described["required"] == ["output"]


@pytest.mark.parametrize(
    ("value", "score", "label"),
    [(True, 1.0, "pass"), (0.5, 0.5, None), ("scratch", None, "scratch")],
)
async def test_a_native_score_has_value_and_label(value: Any, score: float | None, label: str | None) -> None:
    given = Score("s", value, "why", metadata={"k": 1})
    [native] = await as_evaluator(Always(given)).async_evaluate({"output": "a"})
    assert (native.name, native.score, native.label) == ("s", score, label)
    # Where tracing is on, Phoenix adds the trace of the evaluation.
    ours = {key: value for key, value in native.metadata.items() if key != "trace_id"}
    assert (native.explanation, ours, native.kind) == ("why", {"k": 1}, "code")


def test_the_native_evaluator_sees_pictures_of_a_dataframe() -> None:
    frame: Sequence[Any] = [picture(1), picture(1).data_uri(), picture(1).read(), [Image.of(picture(1))]]
    for inputs in frame:
        scores = as_evaluator(Looks()).evaluate({"output": "a", "input": inputs})
        assert [score.score for score in scores] == [1.0, 48.0]


def judge() -> Judge:
    """Says whether an answer names the colour that it sees."""
    rubric = Rubric("Judge a colour.", (YesNo("right", "Is it the picture's colour?"),))
    model = judging_models.ScriptedModel("right", judging_models.sees)
    return Judge(name="colour", model=model, rubric=rubric)


@pytest.mark.parametrize(("colour", "score"), [("red", 1.0), ("blue", 0.0)])
def test_a_judge_sees_the_pictures_of_a_dataframe_and_is_known_as_a_model(colour: str, score: float) -> None:
    native = as_evaluator(judge())
    assert native.kind == "llm"
    shown = judging_models.picture(colour)
    for inputs in (shown, shown.data_uri(), {"image": shown.read()}):
        [found] = native.evaluate({"output": "red", "input": inputs})
        assert (found.name, found.score, found.explanation) == ("colour", score, "because")
        assert found.kind == "llm"
        assert found.metadata["judge"]["audit"] == "not audited"


@pytest.mark.parametrize(("colour", "score"), [("red", 1.0), ("blue", 0.0)])
async def test_a_judge_scores_the_experiments_of_either_client(colour: str, score: float) -> None:
    native = as_experiment_evaluator(judge(), SETTINGS)
    assert (native.name, native.kind) == ("colour", "LLM")
    given = await pushed(Sample("s", {"image": judging_models.picture(colour)}), "red")
    for [found] in (await native.async_evaluate(**given), native.evaluate(**given)):
        assert (found["name"], found["score"]) == ("colour", score)


async def test_what_a_judge_cannot_tell_is_an_error_and_no_score() -> None:
    native = as_experiment_evaluator(judge(), SETTINGS)
    given = await pushed(Sample("s", {"question": "without a picture"}), "red")
    with pytest.raises(EvaluationFailed):
        await native.async_evaluate(**given)
