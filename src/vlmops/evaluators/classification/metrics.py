"""Metrics of single-label classification in one call each; several of one set: :class:`ConfusionMatrix`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.evaluators.classification.confusion import (
    Average,
    ClassScores,
    PrecisionRecallF1,
    confusion_matrix,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


def accuracy(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> float:
    """Share of items with the right label, 0 to 1; NaN without items.

    Example:
        >>> accuracy(["ok", "dent", "ok", "ok"], ["ok", "dent", "dent", "ok"])
        0.75
    """
    return confusion_matrix(gold, predicted).accuracy


def balanced_accuracy(
    gold: Sequence[Hashable], predicted: Sequence[Hashable], *, adjusted: bool = False
) -> float:
    """Mean recall over the classes that occur in gold, 0 to 1, or below 0 when adjusted for chance.

    Example:
        >>> balanced_accuracy(["ok", "ok", "dent"], ["ok", "rust", "dent"])
        0.75
    """
    return confusion_matrix(gold, predicted).balanced_accuracy(adjusted=adjusted)


def matthews_correlation(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> float:
    """Matthews' correlation coefficient, -1 to 1; 0 when one side has a single label.

    Example:
        >>> matthews_correlation([0, 1, 0, 1], [1, 0, 1, 0])
        -1.0
    """
    return confusion_matrix(gold, predicted).matthews


def precision_recall_f1(
    gold: Sequence[Hashable],
    predicted: Sequence[Hashable],
    *,
    average: Average = "macro",
    labels: Sequence[Hashable] | None = None,
    zero_division: float = 0.0,
    beta: float = 1.0,
) -> PrecisionRecallF1:
    """Precision, recall and F-score over classes.

    Args:
        gold: Gold labels.
        predicted: Predicted labels, in the same order.
        average: How classes are combined.
        labels: Only these classes; ``[positive]`` gives the scores of a binary task.
        zero_division: Value where a class was never predicted, or never in gold: 0, 1 or NaN.
        beta: Weight of recall against precision.

    Example:
        >>> precision_recall_f1(["ok", "ok", "dent"], ["ok", "rust", "dent"]).recall
        0.5
        >>> precision_recall_f1([0, 0, 1, 1], [0, 1, 1, 1], labels=[1])
        PrecisionRecallF1(precision=0.6666666666666666, recall=1.0, f1=0.8)
    """
    matrix = confusion_matrix(gold, predicted)
    return matrix.averaged(average, labels=labels, zero_division=zero_division, beta=beta)


def class_scores(
    gold: Sequence[Hashable],
    predicted: Sequence[Hashable],
    *,
    labels: Sequence[Hashable] | None = None,
    zero_division: float = 0.0,
    beta: float = 1.0,
) -> ClassScores:
    """Precision, recall, F-score and support of each class.

    Args:
        gold: Gold labels.
        predicted: Predicted labels, in the same order.
        labels: These classes in this order; by default all that occur, sorted.
        zero_division: Value where a class was never predicted, or never in gold: 0, 1 or NaN.
        beta: Weight of recall against precision.

    Example:
        >>> scores = class_scores(["a", "a", "b"], ["a", "b", "b"])
        >>> scores.labels, scores.precision.tolist(), scores.support.tolist()
        (('a', 'b'), [1.0, 0.5], [2, 1])
    """
    matrix = confusion_matrix(gold, predicted)
    return matrix.per_class(labels=labels, zero_division=zero_division, beta=beta)


def hamming_loss(gold: Any, predicted: Any) -> float:
    """Share of labels that are wrong, 0 to 1, lower is better; NaN without items.

    Args:
        gold: One label per item, or an indicator matrix (items x labels, 0 or 1).
        predicted: The same for the predictions.

    Raises:
        UsageError: The two differ in shape.

    Example:
        >>> hamming_loss([[1, 0, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]])
        0.16666666666666666
    """
    import numpy as np

    left, right = np.asarray(gold), np.asarray(predicted)
    if left.shape != right.shape:
        raise UsageError(f"gold has the shape {left.shape}, predicted {right.shape}; they must be equal")
    return float(np.mean(left != right)) if left.size else float("nan")
