"""A judge against people: figures as published packages give them, and what the true pass rate is."""

from __future__ import annotations

import random

import pytest

from vlmops.errors import UsageError
from vlmops.evaluators import Failure, FailureKind, Score
from vlmops.judges import calibrate


def test_scales_give_the_figures_of_scipy_and_scikit_learn() -> None:
    people, judge = [5, 4, 3, 5, 2, 1, 4, 3], [4, 4, 3, 5, 1, 2, 5, 3]
    judged = {str(n): Score("quality", float(value), range=(1, 5)) for n, value in enumerate(judge)}
    found = calibrate(judged, {str(n): value for n, value in enumerate(people)})
    assert found.kind == "scale"
    assert found.kappa.value == pytest.approx(0.8558558558558559)
    assert found.correlation["pearson"].value == pytest.approx(0.8558558558558557)
    assert found.correlation["spearman"].value == pytest.approx(0.8765432098765432)
    assert found.correlation["kendall"].value == pytest.approx(0.76)
    assert found.bias is not None
    assert found.bias.value == pytest.approx(0)


def test_the_true_pass_rate_is_found_behind_a_lenient_judge() -> None:
    chance = random.Random(2)
    truth = {str(n): chance.random() < 0.6 for n in range(900)}
    judged = {key: Score("ok", True if passes else chance.random() < 0.4) for key, passes in truth.items()}
    labelled = dict(list(truth.items())[:200])
    found = calibrate(judged, labelled)
    actual = sum(truth.values()) / len(truth)
    assert found.uncorrected is not None
    assert found.uncorrected > actual + 0.1
    assert found.corrected is not None
    assert found.corrected.interval.low < actual < found.corrected.interval.high
    assert found.sensitivity is not None
    assert found.sensitivity.value == 1
    assert found.confusion[(True, True)] + found.confusion[(False, True)] > 100
    assert found.bias is not None
    assert found.bias.value > 0.1


def test_a_judge_at_chance_corrects_nothing() -> None:
    judged = {str(n): Score("ok", n % 2 == 0) for n in range(40)}
    human = {str(n): n % 4 < 2 for n in range(40)}
    assert calibrate(judged, human).corrected is None


def test_labels_have_no_mean() -> None:
    kinds = ["scratch", "dent", "none"]
    judged = {str(n): Score("kind", kinds[n % 3], range=None) for n in range(9)}
    found = calibrate(judged, {str(n): kinds[n % 3] if n else "dent" for n in range(9)})
    assert found.kind == "label"
    assert found.agreement.value == pytest.approx(8 / 9)
    assert found.bias is None
    assert found.confusion[("dent", "scratch")] == 1


def test_failures_are_counted_apart() -> None:
    judged = {str(n): Score("ok", True) for n in range(5)}
    judged |= {"5": Failure(FailureKind.REFUSAL, "no"), "6": Failure(FailureKind.ABSTAINED, "unclear")}  # type: ignore[dict-item]
    found = calibrate(judged, {str(n): n > 0 for n in range(7)})
    assert found.n == 5
    assert found.failures == {"refusal": 1, "abstained": 1}


def test_questions_about_one_picture_are_not_independent() -> None:
    judged = {str(n): Score("ok", (n // 10) % 2 == 0) for n in range(100)}
    human = {str(n): (n // 10) % 2 == 0 or n // 10 == 3 for n in range(100)}
    alone, together = (
        calibrate(judged, human),
        calibrate(judged, human, {str(n): n // 10 for n in range(100)}),
    )
    assert alone.agreement.interval is not None
    assert together.agreement.interval is not None
    assert together.agreement.interval.low < alone.agreement.interval.low - 0.1


@pytest.mark.parametrize(
    "human", [{"x": True, "y": False}, {"0": "good", "1": True, "2": False}, {"0": 3, "1": 5, "2": True}]
)
def test_labels_that_fit_nothing_are_refused(human: dict) -> None:
    judged = {str(n): Score("ok", n % 2 == 0) for n in range(4)}
    with pytest.raises(UsageError):
        calibrate(judged, human)


def test_a_handful_of_labels_is_told_to_be_one() -> None:
    judged = {str(n): Score("ok", n % 3 > 0) for n in range(40)}
    human = {str(n): n % 3 > 0 for n in range(40)}
    assert calibrate(judged, human).warning == ""
    assert calibrate(judged, dict(list(human.items())[:20])).warning == ""
    assert "19 labelled cases of 19 pictures" in calibrate(judged, dict(list(human.items())[:19])).warning
    about = {str(n): n // 8 for n in range(40)}
    assert "40 labelled cases of 5 pictures" in calibrate(judged, human, about).warning
