"""What all evaluators share: names, selected parts, absences, sets, and clusters of cases."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from vlmops.errors import RunStopped
from vlmops.evaluators import (
    Bleu,
    Case,
    CharacterErrorRate,
    ComparisonEvaluator,
    Failure,
    FailureKind,
    FieldMatch,
    Latency,
    NearDuplicates,
    Score,
    applies,
    evaluate,
    evaluate_each,
    evaluate_in_thread,
    picture_clusters,
)
from vlmops.images import Image


@dataclass(frozen=True, kw_only=True)
class Echo(ComparisonEvaluator):
    """Shows what it was given."""

    default_name: ClassVar[str] = "echo"

    def compare(self, output, expected):
        return Score(self.part("seen"), f"{output}|{expected}")


def picture(shade: int) -> Image:
    return Image.from_array(np.full((8, 8, 3), shade, np.uint8))


@pytest.mark.parametrize(
    ("keys", "output", "expected", "seen"),
    [
        ({}, "a", "b", "a|b"),
        ({"key": "x"}, {"x": 1}, {"x": 2}, "1|2"),
        ({"key": "x", "expected_key": "y.0"}, {"x": 1}, {"y": [2]}, "1|2"),
        ({"key": "x", "expected_key": ""}, {"x": 1}, {"x": 2}, "1|{'x': 2}"),
        ({"key": "x"}, {"x": 1}, 2, "1|2"),
        ({"key": "x"}, {"x": 1}, ["2", "two"], "1|['2', 'two']"),
        ({"key": "1"}, ["a", "b"], ["c", "d"], "b|d"),
    ],
)
def test_the_selected_parts_are_compared(keys, output, expected, seen):
    score = Echo(**keys).evaluate(Case(output=output, expected=expected))
    assert (score.name, score.value) == ("echo.seen", seen)


def test_another_name_is_the_prefix_of_all_parts():
    assert Echo(name="mine").evaluate(Case(output=1, expected=2)).name == "mine.seen"


@pytest.mark.parametrize(
    ("case", "kind", "message"),
    [
        (Case(output=None, expected={"x": 1}), "missing_output", "the case has no output value"),
        (Case(output={"y": 1}, expected={"x": 1}), "missing_output", "no 'x' in the output value: it has y"),
        (Case(output={"x": None}, expected={"x": 1}), "missing_output", "'x' in the output value is null"),
        (Case(output={"x": 1}), "missing_expected", "the case has no expected value"),
        (Case(output={"x": 1}, expected={"y": 3}), "missing_expected", "no 'x' in the expected value"),
        (Case(output=Failure(FailureKind.TIMEOUT, "60 s"), expected={"x": 1}), "timeout", "60 s"),
    ],
)
def test_what_is_absent_is_a_failure_that_says_so(case, kind, message):
    failure = Echo(key="x").evaluate(case)
    assert (failure.kind, failure.evaluator) == (kind, "echo")
    assert failure.message.startswith(message)


def test_a_case_without_an_expected_value_is_none_of_a_comparison_s_business():
    assert not applies(Echo(), Case(output="a"))
    assert not applies(Bleu(), Case(output="a"))
    assert applies(Echo(key="x", expected_key=""), Case(output={}, expected="a"))


def test_what_was_not_measured_is_none_of_a_measurement_s_business():
    assert applies(Latency(), Case(output="a", latency=0.5))
    assert not applies(Latency(), Case(output="a"))
    assert not applies(Latency(), Case(output="a", latency=float("nan")))


def test_an_evaluator_of_sets_has_no_score_for_a_case():
    case = Case(output="a dog", expected="a dog")
    assert asyncio.run(evaluate(Bleu(), case)) == []
    assert asyncio.run(evaluate_in_thread(NearDuplicates(), case)) == []


class Waits:
    """Asks somebody, on the caller's loop."""

    name = "waits"

    async def evaluate(self, case):
        await asyncio.sleep(0)
        return Score("waits", case.output)


class Spends:
    """Stops the run at the output 3, and breaks at 1."""

    name = "spends"

    def evaluate(self, case):
        if case.output == 1:
            raise ValueError("odd")
        if case.output == 3:
            raise RunStopped("enough")
        return Score("spends", case.output)


def test_many_evaluations_come_back_once_each_whoever_evaluates():
    found = []
    pairs = [
        ((number, evaluator.name), evaluator, Case(output="a", expected=number))
        for number in range(50)
        for evaluator in (Echo(), Waits(), Bleu())
    ]
    asyncio.run(evaluate_each(pairs, found.extend, limit=3))
    results = dict(found)
    assert len(found) == len(results) == 150
    assert results[7, "echo"].value == "a|7"
    assert (results[7, "waits"].value, results[7, "bleu"]) == ("a", [])


def test_one_that_hangs_keeps_no_other_from_its_turn():
    others_are_done = threading.Event()

    class Hangs:
        name = "hangs"

        def evaluate(self, case):
            if case.output == 0:
                return Score("hangs", others_are_done.wait(30))
            return Score("hangs", True)

    def told(found):
        if any(number == 5 for number, _ in found):
            others_are_done.set()
        results.extend(found)

    results = []
    pairs = [(number, Hangs(), Case(output=number)) for number in range(6)]
    asyncio.run(evaluate_each(pairs, told, limit=2))
    assert {number: score.value for number, score in results} == dict.fromkeys(range(6), True)


def test_what_was_evaluated_before_a_run_is_stopped_is_handed_over():
    found = []
    pairs = [(number, Spends(), Case(output=number)) for number in range(6)]
    with pytest.raises(RunStopped, match="enough"):
        asyncio.run(evaluate_each(pairs, found.extend, limit=1))
    assert [number for number, _ in found] == [0, 1, 2]
    assert dict(found)[1].kind is FailureKind.EVALUATOR_ERROR


def test_a_set_of_which_nothing_can_be_read_is_a_failure_of_the_most_frequent_kind():
    cases = [
        Case(output=None, expected="a"),
        Case(output=Failure(FailureKind.REFUSAL, "no"), expected="b"),
        Case(output=Failure(FailureKind.REFUSAL, "never"), expected="c"),
    ]
    failure = CharacterErrorRate().evaluate_set(cases)
    assert failure == Failure(FailureKind.REFUSAL, "none of 3 cases can be scored: no", "cer")


def test_cases_with_the_same_pictures_are_one_cluster():
    shared, first, second = picture(0), picture(90), picture(180)
    cases = [
        Case(output="", inputs={"image": first}, id="a"),
        Case(output="", inputs={"photo": [first]}, id="b"),
        Case(output="", inputs={"master": shared, "part": first}),
        Case(output="", inputs={"master": shared, "part": second}),
    ]
    keys = picture_clusters(cases)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_cases_without_a_readable_picture_are_told_apart_by_id():
    broken = Image.from_bytes(b"no picture at all", "notes.png")
    cases = [
        Case(output="", id="a"),
        Case(output="", id="a"),
        Case(output="", id="b", inputs=broken),
        Case(output=""),
        Case(output=""),
    ]
    assert len(set(picture_clusters(cases))) == 4


def test_questions_about_one_picture_do_not_narrow_an_interval():
    answers = [{"total": "1"}, {"total": "2"}, {"total": "1"}, {"total": "3"}]
    apart = [Case(output=o, expected={"total": "1"}, inputs=picture(i * 60)) for i, o in enumerate(answers)]
    repeated = [case for case in apart for _ in range(10)]
    once, often = FieldMatch().evaluate_set(apart), FieldMatch().evaluate_set(repeated)
    assert often.n == 10 * once.n
    assert often.interval == once.interval
