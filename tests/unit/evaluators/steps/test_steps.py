"""Sequences of steps and the evaluators of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import EvaluatorError
from vlmops.evaluators import Case, Failure, FailureKind, create
from vlmops.evaluators.steps import (
    compare_steps,
    match_steps,
    step_edit_distance,
    step_swap_distance,
    steps_in,
)
from vlmops.statistics import cohen_kappa

STEPS = st.lists(st.sampled_from("abcd"), max_size=8)


def by_name(scores):
    return {score.name: score for score in scores}


def test_reference_vectors(failing_vectors):
    assert failing_vectors("process_steps") == []


@given(STEPS, STEPS)
def test_the_difference_accounts_for_every_step(expected, observed):
    found = compare_steps(expected, observed)
    assert len(found.missing) + found.matched == len(expected)
    assert len(found.extra) + len(found.repeated) + found.matched == len(observed)
    assert math.isnan(found.order) == (found.matched < 2)
    assert (not found.moved) == (math.isnan(found.order) or found.order == 1.0)
    assert step_swap_distance(expected, observed) <= step_edit_distance(expected, observed)


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        ("1. Open\n2) Close.", ["open", "close"]),
        ("Here is what I saw:\n- Open\n- Close", ["open", "close"]),
        ("Open\nClose", ["open", "close"]),
        ("Step 1: Open", ["open"]),
        (["Open", "close_lid"], ["open", "close lid"]),
        ([{"step": "Open", "verdict": "done"}], ["open"]),
        ([], []),
        ("I cannot tell", None),
        ({"open": "done"}, None),
        ([{"name": "Open"}], None),
        (7, None),
    ],
)
def test_steps_are_read(value, steps):
    assert steps_in(value) == steps


def test_wordings_are_matched_by_synonym_and_likeness_but_not_by_chance():
    expected = ["remove the screws", "insert the fuse"]
    assert match_steps(expected, ["unscrew"], synonyms={"Remove the screws": ["Unscrew"]}) == [
        "remove the screws"
    ]
    assert match_steps(expected, ["remove screws"], similarity=0.7) == ["remove the screws"]
    assert match_steps(expected, ["remove screws"]) == ["remove screws"]
    assert match_steps(["step ab", "step ac"], ["step aa"], similarity=0.5) == ["step aa"]


def test_completeness_names_what_is_missing_extra_repeated_and_moved():
    case = Case(output=["swap", "open", "close", "close", "wipe"], expected=["open", "swap", "test", "close"])
    scores = by_name(create("step_completeness").evaluate(case))
    assert scores["step_completeness.recall"].value == 0.75
    assert scores["step_completeness.precision"].value == 0.6
    assert scores["step_completeness.recall"].explanation == "missing: test; extra: wipe; repeated: close"
    assert scores["step_completeness.order"].explanation == "out of order: swap"


def test_completeness_of_nothing():
    evaluator = create("step_completeness")
    assert [score.value for score in evaluator.evaluate(Case(output=[], expected=[]))] == [1.0, 1.0, 1.0]
    assert [score.value for score in evaluator.evaluate(Case(output=[], expected=["a"]))] == [0.0, 0.0, 0.0]


def test_completeness_of_a_set_is_micro_averaged():
    rows = [
        Case(output=["a", "b"], expected=["a", "b", "c"]),
        Case(output=["a"], expected=["a"]),
        Case(output="?", expected=["a"]),
    ]
    scores = by_name(create("step_completeness").evaluate_set(rows))
    recall = scores["step_completeness.recall"]
    assert (recall.value, recall.n, recall.failures) == (0.75, 2, 1)
    assert recall.metadata == {"missed": {"c": 1}}
    assert scores["step_completeness.precision"].value == 1.0


@pytest.mark.parametrize(("likeness", "value"), [("edit", 0.5), ("swap", 0.75), ("common", 0.75)])
def test_likeness_of_sequences(likeness, value):
    case = Case(output=["b", "a", "c", "d"], expected=["a", "b", "c", "d"])
    assert create("step_similarity", likeness=likeness).evaluate(case).value == value


def test_what_lists_no_steps_is_a_failure():
    evaluator = create("step_similarity")
    assert evaluator.evaluate(Case(output="none seen", expected=["a"])).kind is FailureKind.UNPARSABLE
    assert evaluator.evaluate(Case(output=["a"], expected="a")).kind is FailureKind.MISSING_EXPECTED
    with pytest.raises(EvaluatorError, match="likeness"):
        create("step_similarity", likeness="vibes")
    with pytest.raises(EvaluatorError, match="similarity"):
        create("step_similarity", similarity=0)


def test_verdicts_are_compared_step_by_step():
    evaluator = create("step_verdicts")
    case = Case(
        output=[{"step": "Open", "verdict": "DONE"}, {"step": "wipe", "verdict": "done"}],
        expected={"open": "done", "swap": "missing"},
    )
    score = evaluator.evaluate(case)
    assert score.value == 0.5
    assert (
        score.explanation == "1 of 2 steps right; swap: no verdict instead of 'missing'; not expected: wipe"
    )


@pytest.mark.parametrize(
    ("output", "expected", "kind"),
    [
        ("all done", {"open": "done"}, FailureKind.UNPARSABLE),
        (["done"], {"open": "done"}, FailureKind.UNPARSABLE),
        ([{"step": "open"}], {"open": "done"}, FailureKind.UNPARSABLE),
        ({"Open": "done", "open": "missing"}, {"open": "done"}, FailureKind.UNPARSABLE),
        ({"open": "done"}, {}, FailureKind.MISSING_EXPECTED),
    ],
)
def test_verdicts_that_cannot_be_read_are_failures(output, expected, kind):
    found = create("step_verdicts").evaluate(Case(output=output, expected=expected))
    assert isinstance(found, Failure)
    assert found.kind is kind


def test_agreement_over_a_set_of_verdicts():
    rows = [
        Case(output={"a": "done", "b": "done"}, expected={"a": "done", "b": "missing"}),
        Case(output={"a": "missing", "b": "missing"}, expected={"a": "missing", "b": "missing"}),
        Case(output="?", expected={"a": "done"}),
    ]
    scores = by_name(create("step_verdicts", order=["missing", "done"], weights="linear").evaluate_set(rows))
    assert scores["step_verdicts.accuracy"].value == 0.75
    assert scores["step_verdicts.kappa"].value == pytest.approx(0.5)
    assert scores["step_verdicts.kappa"].failures == 1


def test_verdicts_outside_of_the_given_order_are_left_out_of_the_kappa():
    rows = [
        Case(output={"a": "done", "b": "unclear"}, expected={"a": "done", "b": "missing"}),
        Case(output={"a": "missing", "b": "done"}, expected={"a": "missing", "b": "missing"}),
    ]
    scores = by_name(create("step_verdicts", order=["missing", "done"]).evaluate_set(rows))
    assert scores["step_verdicts.accuracy"].value == 0.5
    assert scores["step_verdicts.kappa"].value == pytest.approx(cohen_kappa(["d", "m", "d"], ["d", "m", "m"]))
