"""The registered evaluators of labels."""

import math

import pytest

from vlmops.errors import EvaluatorError
from vlmops.evaluators import Case, Failure, FailureKind, create
from vlmops.evaluators.classification import (
    brier_score,
    confusion_matrix,
    draw_confusion_matrix,
    log_loss,
    multiclass_roc_auc,
)

LABELS = ["ok", "scratch", "dent"]


def cases(*pairs):
    return [Case(output=output, expected=expected) for output, expected in pairs]


def by_name(scores):
    return {score.name: score for score in scores}


def test_a_case_says_which_label_was_given():
    score = create("label_match", labels=LABELS).evaluate(Case(output="a dent", expected="scratch"))
    assert score.value is False
    assert score.explanation == "'dent' instead of 'scratch'"


@pytest.mark.parametrize(
    ("output", "expected", "kind"),
    [
        ("a dent or a scratch", "dent", FailureKind.UNPARSABLE),
        ("rust", "dent", FailureKind.UNPARSABLE),
        ("dent", "rust", FailureKind.MISSING_EXPECTED),
        ("dent", None, FailureKind.MISSING_EXPECTED),
        (None, "dent", FailureKind.MISSING_OUTPUT),
        (Failure(FailureKind.REFUSAL, "no"), "dent", FailureKind.REFUSAL),
    ],
)
def test_what_cannot_be_scored_is_a_failure(output, expected, kind):
    found = create("label_match", labels=LABELS).evaluate(Case(output=output, expected=expected))
    assert isinstance(found, Failure)
    assert found.kind is kind
    assert found.evaluator == "label_match"


def test_a_set_is_scored_with_failures_apart_and_intervals():
    found = create("classification", labels=LABELS).evaluate_set(
        cases(("ok", "ok"), ("dent", "dent"), ("scratch", "dent"), ("ok", "ok"), ("rust", "ok"))
    )
    scores = by_name(found)
    accuracy = scores["classification.accuracy"]
    assert (accuracy.value, accuracy.n, accuracy.failures) == (0.75, 4, 1)
    assert accuracy.interval.low <= 0.75 <= accuracy.interval.high
    assert accuracy.explanation == "3 of 4 right; 'dent' read as 'scratch' (1)"
    assert accuracy.metadata["labels"] == ["dent", "ok", "scratch"]
    assert accuracy.evidence.width > 100
    # "scratch" is never right: recall 0 lowers the macro mean, not the balanced accuracy over gold classes.
    assert scores["classification.recall"].value == pytest.approx(0.5)
    assert scores["classification.balanced_accuracy"].value == pytest.approx(0.75)
    assert scores["classification.mcc"].range == (-1.0, 1.0)


def test_a_positive_class_makes_it_binary():
    rows = cases(("bad", "bad"), ("bad", "good"), ("good", "good"), ("good", "bad"), ("bad", "bad"))
    scores = by_name(create("classification", positive="bad").evaluate_set(rows))
    assert scores["classification.precision"].value == pytest.approx(2 / 3)
    assert scores["classification.recall"].value == pytest.approx(2 / 3)


def test_without_a_label_that_can_be_read_the_set_is_a_failure():
    found = create("classification", labels=LABELS).evaluate_set(cases(("rust", "ok")))
    assert isinstance(found, Failure)


def test_two_names_of_different_labels_are_refused():
    with pytest.raises(EvaluatorError, match="names both"):
        create("label_match", labels=["a", "b"], synonyms={"a": ["x"], "b": ["x"]})


def test_label_sets_are_compared_case_by_case_and_together():
    evaluator = create("label_set_match", labels=LABELS)
    assert evaluator.evaluate(Case(output=[], expected=[])).value == 1.0
    assert (
        evaluator.evaluate(Case(output="a dent", expected=["dent", "scratch"])).explanation
        == "missing: scratch"
    )
    assert evaluator.evaluate(Case(output=["rust"], expected=["dent"])).kind is FailureKind.UNPARSABLE
    scores = by_name(
        evaluator.evaluate_set(
            cases((["dent"], ["dent", "scratch"]), ([], []), (["ok"], ["ok"]), (["rust"], ["ok"]))
        )
    )
    assert scores["label_set_match.exact"].value == pytest.approx(2 / 3)
    assert scores["label_set_match.micro_f1"].value == pytest.approx(0.8)
    assert scores["label_set_match.hamming_loss"].value == pytest.approx(1 / 9)
    assert scores["label_set_match.hamming_loss"].direction == "minimize"
    assert scores["label_set_match.exact"].failures == 1


def test_calibration_reads_the_confidence_beside_the_label():
    evaluator = create("calibration", bins=2)
    rows = [
        Case(output={"label": "ok", "confidence": 0.9}, expected="ok"),
        Case(output={"label": "ok", "confidence": 0.7}, expected={"label": "dent"}),
        Case(output={"label": "ok", "confidence": 90}, expected="ok"),
        Case(output={"label": "ok"}, expected="ok"),
        Case(output="ok", expected="ok"),
    ]
    scores = by_name(evaluator.evaluate_set(rows))
    assert scores["calibration.ece"].value == pytest.approx(0.3)
    assert scores["calibration.brier"].value == pytest.approx((0.01 + 0.49) / 2)
    assert scores["calibration.ece"].failures == 3
    assert "must be a number from 0 to 1, not 90" in evaluator.evaluate(rows[2]).message


def test_probabilities_are_scored_for_two_labels_and_for_more():
    two = [
        Case(output={"ok": 0.8, "bad": 0.2}, expected="ok"),
        Case(output={"ok": 0.4, "bad": 0.6}, expected="bad"),
        Case(output={"ok": 0.7, "bad": 0.9}, expected="bad"),
    ]
    scores = by_name(create("probabilities", positive="bad").evaluate_set(two))
    assert scores["probabilities.roc_auc"].value == 1.0
    assert scores["probabilities.average_precision"].value == 1.0
    assert scores["probabilities.log_loss"].value == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert scores["probabilities.brier"].failures == 1
    three = [
        Case(output={"a": 0.8, "b": 0.1, "c": 0.1}, expected="a"),
        Case(output={"a": 0.1, "b": 0.8, "c": 0.1}, expected="b"),
        Case(output={"a": 0.1, "b": 0.1, "c": 0.8}, expected="c"),
        Case(output={"a": 1.0}, expected="a"),
    ]
    scores = by_name(create("probabilities").evaluate_set(three))
    assert scores["probabilities.roc_auc"].value == 1.0
    assert scores["probabilities.log_loss"].n == 3


def test_the_confusion_matrix_is_drawn_even_with_many_or_long_labels():
    labels = [f"label {index} with a long name" for index in range(120)]
    picture = draw_confusion_matrix(confusion_matrix(labels, labels[::-1]))
    assert picture.width < 4000
    small = draw_confusion_matrix(confusion_matrix(["a", "b"], ["a", "a"]), title="parts")
    colors = {color for _, color in small.getcolors(maxcolors=100_000)}
    assert (22, 101, 52) in colors
    assert (185, 28, 28) in colors


def test_probabilities_of_a_set_are_scored_as_by_the_plain_functions():
    gold = ["a", "b", "c", "b"]
    rows = [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.0, 1.0, 0.0]]
    cases_ = [
        Case(output=dict(zip("abc", row, strict=True)), expected=g) for row, g in zip(rows, gold, strict=True)
    ]
    scores = by_name(create("probabilities").evaluate_set(cases_))
    assert scores["probabilities.log_loss"].value == pytest.approx(log_loss(gold, rows))
    assert scores["probabilities.brier"].value == pytest.approx(brier_score(gold, rows))
    assert scores["probabilities.roc_auc"].value == pytest.approx(multiclass_roc_auc(gold, rows))
