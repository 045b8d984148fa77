"""Halves of characters: what is sent anywhere holds none, and nothing else changes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.characters import is_unicode, whole, whole_record
from vlmops.datasets import Sample
from vlmops.evaluators import (
    Case,
    Failure,
    FailureKind,
    Score,
    SetScore,
    Usage,
    evaluate,
    evaluate_in_thread,
)
from vlmops.experiments.summary import over_set
from vlmops.models import ModelReply, ModelRequest, Turn, ask, recorded_calls
from vlmops.platforms import ReviewRequest, ScoreTarget, TargetedScore
from vlmops.platforms.answering import answered
from vlmops.platforms.records import ExperimentPlan
from vlmops.testing import picture

HALF = "\ud83d"

any_text = st.text(st.characters())
json_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | any_text,
    lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
    max_leaves=20,
)


@given(json_trees)
def test_everything_can_be_written(tree: Any) -> None:
    mended = whole(tree)
    json.dumps(mended, ensure_ascii=False).encode()
    assert whole(mended) is mended
    assert json.loads(json.dumps(tree)) == tree or mended is not tree


@given(
    st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
)
def test_what_is_whole_is_given_back_itself(tree: Any) -> None:
    assert whole(tree) is tree


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        (f"cut {HALF}", "cut \ufffd"),
        (f"{HALF} in the middle", "\ufffd in the middle"),
        ("the second \ude00", "the second \ufffd"),
        ("parts of a stream \ud83d" + "\ude00", "parts of a stream 😀"),
        (f"{HALF}{HALF}\ude00", "\ufffd😀"),
        ({HALF: [(HALF, 1)], "é": None}, {"\ufffd": [("\ufffd", 1)], "é": None}),
    ],
)
def test_a_half_is_replaced_and_two_are_joined(broken: Any, mended: Any) -> None:
    assert whole(broken) == mended


@given(any_text)
def test_lengths_stay_but_where_halves_are_joined(text: str) -> None:
    assert len(whole(text)) <= len(text)
    assert is_unicode(whole(text))


def test_pictures_stay_what_they_are() -> None:
    image = picture(1)
    assert whole({"image": image, "text": HALF})["image"] is image


def test_a_record_is_mended_in_every_field() -> None:
    reply = ModelReply({"a": HALF}, HALF, Usage(1, 2), model=f"m{HALF}", metadata={"id": [HALF]})
    mended = whole_record(reply)
    assert (mended.output, mended.text, mended.model) == ({"a": "\ufffd"}, "\ufffd", "m\ufffd")
    assert (mended.metadata, mended.usage) == ({"id": ["\ufffd"]}, Usage(1, 2))
    failure = Failure(FailureKind.REFUSAL, HALF, usage=Usage(1, 2))
    assert whole_record(failure) == Failure(FailureKind.REFUSAL, "\ufffd", usage=Usage(1, 2))
    clean = Score("s", 1.0)
    assert whole_record(clean) is clean
    assert whole_record("no record") == "no record"


def test_answers_are_whole_before_any_platform_has_them() -> None:
    async def says(sample: Sample) -> ModelReply | Failure:
        if sample.id == "raises":
            raise ValueError(f"cannot read {HALF}")
        if sample.id == "gives up":
            raise TimeoutError(HALF)
        return ModelReply(HALF, HALF)

    plan = ExperimentPlan("d", "e", says, (), "k")
    said = {id_: asyncio.run(answered(plan, Sample(id_, {}))) for id_ in ("answers", "raises", "gives up")}
    assert said["answers"] == ModelReply("\ufffd", "\ufffd")
    assert said["raises"] == Failure(FailureKind.TASK_ERROR, "ValueError: cannot read \ufffd")
    assert said["gives up"] == Failure(FailureKind.TIMEOUT, "the task gave up: \ufffd")


class Judge:
    name = "judge"

    def __init__(self, says: Any) -> None:
        self.says = says

    def evaluate(self, case: Case) -> Any:
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class AsyncJudge(Judge):
    async def evaluate(self, case: Case) -> Any:
        return super().evaluate(case)


@pytest.mark.parametrize("run", [evaluate, evaluate_in_thread])
@pytest.mark.parametrize("kind", [Judge, AsyncJudge])
def test_what_evaluators_say_is_whole(run: Any, kind: type[Judge]) -> None:
    def said(what: Any) -> Any:
        return asyncio.run(run(kind(what), Case(output="a")))

    score = Score("judge", HALF, HALF, metadata={"why": HALF})
    mended = Score("judge", "\ufffd", "\ufffd", metadata={"why": "\ufffd"})
    assert said(score) == mended
    assert said([score, score]) == [mended, mended]
    assert said(Failure(FailureKind.ABSTAINED, HALF, "judge")).message == "\ufffd"
    assert said(ValueError(HALF)).message == "ValueError: \ufffd"


def test_a_score_on_its_way_to_a_platform_is_whole() -> None:
    assert TargetedScore(ScoreTarget("span", "1"), Score("s", 1.0, HALF)).score.explanation == "\ufffd"


def test_a_case_for_review_says_why_in_whole_characters() -> None:
    assert ReviewRequest(ScoreTarget("span", "1"), f"said {HALF}", ("rule",)).why == "said \ufffd"


@pytest.mark.parametrize(
    ("says", "found"),
    [
        (SetScore("s", 1.0, 1, explanation=HALF), ["\ufffd"]),
        ([SetScore("s", 1.0, 1, explanation=text) for text in ("fine", HALF)], ["fine", "\ufffd"]),
        (Failure(FailureKind.UNPARSABLE, HALF), ["\ufffd"]),
    ],
)
def test_what_is_said_of_a_whole_set_is_whole(says: Any, found: list[str]) -> None:
    class Corpus:
        name = "corpus"

        def evaluate_set(self, cases: Any) -> Any:
            return says

    assert [score.explanation for score in asyncio.run(over_set(Corpus(), [Case(output="a")]))] == found


def test_calls_are_recorded_in_whole_characters_and_answered_as_they_were() -> None:
    class Echo:
        name = "echo"

        async def answer(self, request: ModelRequest) -> ModelReply:
            return ModelReply(HALF, request.prompt or "", model=request.before[0].content[0])

    image = picture(1)
    request = ModelRequest(f"Read {HALF}", (image,), before=(Turn("system", (f"Be {HALF}", image)),))
    with recorded_calls() as calls:
        answer = asyncio.run(ask(Echo(), request, {"name": "read", "template": HALF}))
    (call,) = calls
    assert answer == ModelReply(HALF, f"Read {HALF}", model=f"Be {HALF}")
    assert call.answer == ModelReply("\ufffd", "Read \ufffd", model="Be \ufffd")
    assert [turn.content for turn in call.request.conversation] == [
        ("Be \ufffd", image),
        ("Read \ufffd", image),
    ]
    assert call.prompt == {"name": "read", "template": "\ufffd"}
