"""Metrics against scikit-learn's values, stored beside this file."""

import json
import math
from pathlib import Path

import pytest

from vlmops.errors import UsageError
from vlmops.evaluators.classification import (
    accuracy,
    average_precision,
    balanced_accuracy,
    brier_score,
    class_scores,
    confusion_matrix,
    exact_match_rate,
    expected_calibration_error,
    hamming_loss,
    indicator_matrix,
    jaccard,
    log_loss,
    matthews_correlation,
    multiclass_roc_auc,
    multilabel_precision_recall_f1,
    precision_recall_f1,
    roc_auc,
)
from vlmops.statistics import cohen_kappa

REFERENCE = json.loads((Path(__file__).parent / "scikit_learn.json").read_text())


def near(value):
    return pytest.approx(float(value), rel=1e-9, abs=1e-12, nan_ok=True)


def test_reference_vectors(failing_vectors):
    assert failing_vectors("classification") == []


@pytest.mark.parametrize("case", REFERENCE["single_label"], ids=range(len(REFERENCE["single_label"])))
def test_single_label_metrics_are_those_of_scikit_learn(case):
    gold, predicted = case["gold"], case["predicted"]
    assert balanced_accuracy(gold, predicted) == near(case["balanced_accuracy"])
    assert matthews_correlation(gold, predicted) == near(case["mcc"])
    for entry in case["averaged"]:
        found = precision_recall_f1(
            gold,
            predicted,
            average=entry["average"],
            zero_division=float(entry["zero_division"]),
            beta=0.5,
        )
        assert list(found) == [near(value) for value in entry["value"]], entry
    for weights, value in case["kappa"].items():
        kappa = cohen_kappa(gold, predicted, weights=None if weights == "None" else weights)
        assert kappa == near(value)


@pytest.mark.parametrize("case", REFERENCE["multi_label"], ids=range(len(REFERENCE["multi_label"])))
def test_multi_label_metrics_are_those_of_scikit_learn(case):
    sides = case["gold"], case["predicted"]
    assert hamming_loss(*sides) == near(case["hamming"])
    for average, values in case["averages"].items():
        found = multilabel_precision_recall_f1(*sides, average=average)
        assert list(found) == [near(value) for value in values["prf"]], average
        assert jaccard(*sides, average=average) == near(values["jaccard"])


@pytest.mark.parametrize("case", REFERENCE["binary"], ids=range(len(REFERENCE["binary"])))
def test_binary_probabilities_are_scored_as_by_scikit_learn(case):
    sides = case["gold"], case["scores"]
    assert roc_auc(*sides) == near(case["roc_auc"])
    assert average_precision(*sides) == near(case["average_precision"])
    assert log_loss(*sides) == near(case["log_loss"])
    assert brier_score(*sides) == near(case["brier"])


@pytest.mark.parametrize("case", REFERENCE["multi_class"], ids=range(len(REFERENCE["multi_class"])))
def test_multi_class_probabilities_are_scored_as_by_scikit_learn(case):
    sides = case["gold"], case["probabilities"]
    assert log_loss(*sides) == near(case["log_loss"])
    assert brier_score(*sides) == near(case["brier"])
    assert multiclass_roc_auc(*sides) == near(case["macro"])
    assert multiclass_roc_auc(*sides, average="weighted") == near(case["weighted"])


def test_weights_are_repeats_of_rows():
    gold, scores, weights = [0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8], [1, 2, 3, 0]
    repeated = [
        row for row, times in zip(zip(gold, scores, strict=True), weights, strict=True) for _ in range(times)
    ]
    for metric in (roc_auc, average_precision):
        assert metric(gold, scores, weights=weights) == near(metric(*zip(*repeated, strict=True)))
    sure = [0.9, 0.3, 0.6, 0.7]
    repeated = [
        row for row, times in zip(zip(gold, sure, strict=True), weights, strict=True) for _ in range(times)
    ]
    assert expected_calibration_error(gold, sure, weights=weights) == near(
        expected_calibration_error(*zip(*repeated, strict=True))
    )


def test_nothing_to_score_is_undefined_and_not_zero():
    assert math.isnan(accuracy([], []))
    assert math.isnan(balanced_accuracy([], []))
    assert math.isnan(roc_auc([1, 1], [0.2, 0.3]))
    assert math.isnan(expected_calibration_error([], []))
    assert math.isnan(log_loss([], []))
    assert math.isnan(balanced_accuracy(["a"], ["b"], adjusted=True))


def test_a_chosen_class_keeps_the_errors_with_others():
    gold, predicted = ["ok", "ok", "dent", "rust"], ["ok", "dent", "dent", "dent"]
    found = precision_recall_f1(gold, predicted, labels=["dent"])
    assert (found.precision, found.recall) == (near(1 / 3), 1.0)
    absent = class_scores(gold, predicted, labels=["crack", "ok"], zero_division=1.0)
    assert absent.precision.tolist() == [1.0, 1.0]
    assert absent.support.tolist() == [0, 2]


def test_confusion_rows_are_gold_and_labels_of_mixed_types_do_not_break_it():
    matrix = confusion_matrix(["a", 1, True, None], ["a", "a", True, None])
    assert matrix.counts.sum() == 4
    assert confusion_matrix(["a", "b"], ["b", "b"], labels=["b", "a"]).counts.tolist() == [[1, 0], [1, 0]]


def test_label_sets_become_indicator_matrices():
    gold = indicator_matrix([{"a"}, {"a", "b"}, set()], ["a", "b"])
    predicted = indicator_matrix([{"a"}, {"b"}, set()], ["a", "b"])
    assert exact_match_rate(gold, predicted) == near(2 / 3)
    with pytest.raises(UsageError, match="'c' of item 0"):
        indicator_matrix([{"c"}], ["a"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy(["a"], []), "1 gold labels and 0 predicted"),
        (lambda: precision_recall_f1(["a"], ["a"], average="median"), "average is"),
        (lambda: precision_recall_f1(["a"], ["a"], zero_division=0.5), "zero_division"),
        (lambda: roc_auc(["a", "b", "c"], [1, 2, 3]), "name the positive"),
        (lambda: roc_auc([0, 1], [0.5]), "1 scores"),
        (lambda: roc_auc([0, 1], [0.5, math.nan]), "NaN"),
        (lambda: log_loss([0, 1], [0.5, 1.5]), "0, 1"),
        (lambda: log_loss(["a", "b"], [[0.1, 0.2, 0.7]] * 2), "3 columns for 2 labels"),
        (lambda: expected_calibration_error([1], [0.5], bins=0), "at least one bin"),
        (lambda: jaccard([1, 0], [1, 1], average="samples"), "several labels per item"),
        (lambda: hamming_loss([[1, 0]], [[1]]), "shape"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(UsageError, match=message):
        call()
