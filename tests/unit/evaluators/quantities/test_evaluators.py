"""The registered evaluators of numbers."""

import math

import pytest

from vlmops.errors import EvaluatorError
from vlmops.evaluators import Case, Failure, FailureKind, create


def cases(*pairs):
    return [Case(output=output, expected=expected) for output, expected in pairs]


def by_name(scores):
    return {score.name: score for score in scores}


def test_a_case_gives_the_absolute_error():
    score = create("quantity_error").evaluate(Case(output="There are 9 birds", expected="10"))
    assert (score.value, score.direction) == (1.0, "minimize")
    assert score.explanation == "9 instead of 10: off by 1 (10%)"


def test_a_set_gives_errors_with_failures_apart():
    rows = cases(("3", 3), ("4", 5), ("12", 10), ("many", 4), ("2 or 3", 2), ("8", None))
    scores = by_name(create("quantity_error").evaluate_set(rows))
    mae = scores["quantity_error.mae"]
    assert (mae.value, mae.n, mae.failures) == (1.0, 3, 3)
    assert mae.interval.low <= 1.0 <= mae.interval.high
    assert scores["quantity_error.rmse"].value == pytest.approx(math.sqrt(5 / 3))
    assert scores["quantity_error.median_ae"].value == 1.0
    assert scores["quantity_error.relaxed_accuracy"].value == pytest.approx(1 / 3)
    assert scores["quantity_error.r2"].direction == "maximize"


def test_targets_of_zero_are_said_to_inflate_the_mape():
    scores = by_name(create("quantity_error").evaluate_set(cases(("1", 0), ("2", 2))))
    assert "1 targets are 0" in scores["quantity_error.mape"].explanation


@pytest.mark.parametrize(
    ("output", "expected", "kind"),
    [
        ("a few", 3, FailureKind.UNPARSABLE),
        ("3-5", 4, FailureKind.UNPARSABLE),
        ("5 kg", "5 m", FailureKind.UNPARSABLE),
        ("5", "several", FailureKind.MISSING_EXPECTED),
        ("5", "3-5", FailureKind.MISSING_EXPECTED),
        (None, 3, FailureKind.MISSING_OUTPUT),
    ],
)
def test_what_is_no_number_is_a_failure(output, expected, kind):
    found = create("relative_error").evaluate(Case(output=output, expected=expected))
    assert isinstance(found, Failure)
    assert found.kind is kind


def test_a_benchmarks_way_to_read_numbers_can_be_chosen():
    case = Case(output="1,200 people", expected=1200)
    assert create("relative_error").evaluate(case).value == 0
    assert create("relative_error", strategy="vsibench").evaluate(case).value == pytest.approx(1199 / 1200)
    with pytest.raises(EvaluatorError, match="there are: first_integer"):
        create("relative_error", strategy="guess")


def test_tolerance_bands():
    band = create("within_tolerance", absolute=1, relative=0.1)
    assert band.evaluate(Case(output="11", expected=10)).value is True
    assert band.evaluate(Case(output="109", expected=100)).value is True
    assert band.evaluate(Case(output="12", expected=10)).value is False
    assert create("within_tolerance").evaluate(Case(output="4", expected="3-5")).value is True
    assert create("within_tolerance").evaluate(Case(output="6", expected="3-5")).value is False
    assert create("within_tolerance", relative=0.1).evaluate(Case(output="1.1", expected=1)).value is True
    with pytest.raises(EvaluatorError, match="negative"):
        create("within_tolerance", absolute=-1)


def test_relaxed_accuracy_takes_alternatives_and_never_guesses():
    evaluator = create("relaxed_accuracy")
    assert evaluator.evaluate(Case(output="7", expected=["5", "7"])).value is True
    assert evaluator.evaluate(Case(output="2 or 9", expected="5")).kind is FailureKind.UNPARSABLE
    assert (
        create("relaxed_accuracy", mode="chartqa").evaluate(Case(output="2 or 9", expected="5")).value
        is False
    )
    with pytest.raises(EvaluatorError, match="mode"):
        create("relaxed_accuracy", mode="loose")


def test_currencies_are_compared():
    match = create("currency_match")
    assert match.evaluate(Case(output="$5", expected="CAD 5")).value is True
    assert match.evaluate(Case(output="5 EUR", expected="£5")).value is False
    assert match.evaluate(Case(output="5 EUR", expected="5")).kind is FailureKind.MISSING_EXPECTED


def test_mean_relative_accuracy_needs_a_target():
    evaluator = create("mean_relative_accuracy")
    assert evaluator.evaluate(Case(output="9", expected=10)).value == pytest.approx(0.9)
    assert evaluator.evaluate(Case(output="9", expected=0)).kind is FailureKind.MISSING_EXPECTED


def test_fsc147_charges_unparsable_answers_and_counts_them():
    scores = by_name(create("benchmark_count").evaluate_set(cases(("12", 10), ("seven", 7), ("3", 3))))
    mae = scores["benchmark_count.mae"]
    assert mae.value == 3.0
    assert mae.metadata == {"unparsable": 1}
    assert scores["benchmark_count.exact"].value == pytest.approx(1 / 3)
    (pixmo,) = create("benchmark_count", benchmark="pixmo").evaluate_set(cases(("3 cats", "3"), ("4", "3")))
    assert pixmo.value == 0.5
