"""Metrics of items with any number of labels each, as scikit-learn defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError
from vlmops.evaluators.classification.confusion import (
    PrecisionRecallF1,
    averaged_rates,
    confusion_matrix,
    defined_mean,
    rates,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[Any]]

MultiAverage = Literal["micro", "macro", "weighted", "samples"]
"""How labels are combined; ``"samples"`` scores each item and takes the mean over items."""


def indicator_matrix(label_sets: Sequence[Collection[Hashable]], labels: Sequence[Hashable]) -> Array:
    """One row per item, one column per label: 1 where the item has the label.

    Raises:
        UsageError: An item has a label that is not among ``labels``.

    Example:
        >>> indicator_matrix([{"dent"}, {"dent", "rust"}, set()], ["dent", "rust"]).tolist()
        [[1, 0], [1, 1], [0, 0]]
    """
    import numpy as np

    position = {label: index for index, label in enumerate(labels)}
    matrix = np.zeros((len(label_sets), len(labels)), dtype=np.int64)
    for row, present in enumerate(label_sets):
        for label in present:
            if label not in position:
                raise UsageError(f"label {label!r} of item {row} is not among {list(labels)!r}")
            matrix[row, position[label]] = 1
    return matrix


def multilabel_precision_recall_f1(
    gold: ArrayLike,
    predicted: ArrayLike,
    *,
    average: MultiAverage = "micro",
    zero_division: float = 0.0,
    beta: float = 1.0,
) -> PrecisionRecallF1:
    """Precision, recall and F-score of indicator matrices, each 0 to 1, higher is better.

    Args:
        gold: Items x labels, 0 or 1 (see :func:`indicator_matrix`).
        predicted: The same for the predictions.
        average: How labels, or items, are combined.
        zero_division: Value where a label (an item) has nothing predicted, or nothing in gold: 0, 1 or NaN.
        beta: Weight of recall against precision.

    Raises:
        UsageError: The matrices differ in shape or are not two-dimensional, or the average is unknown.

    Example:
        >>> multilabel_precision_recall_f1([[1, 0, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 1]]).precision
        0.6666666666666666
    """
    hits, predicted_counts, gold_counts = _counts(*_matrices(gold, predicted), samples=average == "samples")
    return averaged_rates(
        hits,
        predicted_counts,
        gold_counts,
        "macro" if average == "samples" else average,
        zero_division=zero_division,
        beta=beta,
    )


def jaccard(
    gold: ArrayLike,
    predicted: ArrayLike,
    *,
    average: MultiAverage = "samples",
    zero_division: float = 0.0,
) -> float:
    """Intersection over union of label sets, 0 to 1, higher is better.

    Args:
        gold: Items x labels, 0 or 1; or one label per item, where ``"samples"`` is not available.
        predicted: The same for the predictions.
        average: How labels, or items, are combined.
        zero_division: Value where gold and prediction both have nothing: 0, 1 or NaN.

    Raises:
        UsageError: The two differ in shape, or the average is unknown.

    Example:
        >>> jaccard([[1, 0, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 1]])
        0.5
    """
    import numpy as np

    if average not in ("micro", "macro", "weighted", "samples"):
        raise UsageError(f"average is 'micro', 'macro', 'weighted' or 'samples', not {average!r}")
    if np.ndim(gold) == 1 and np.ndim(predicted) == 1:
        if average == "samples":
            raise UsageError("average 'samples' needs several labels per item: give indicator matrices")
        left, right = np.asarray(gold).tolist(), np.asarray(predicted).tolist()
        hits, predicted_counts, gold_counts = confusion_matrix(left, right).class_counts()
    else:
        matrices = _matrices(gold, predicted)
        hits, predicted_counts, gold_counts = _counts(*matrices, samples=average == "samples")
    union = gold_counts + predicted_counts - hits
    if average == "micro":
        hits, union = np.atleast_1d(hits.sum()), np.atleast_1d(union.sum())
    overlap, _, _ = rates(hits, union, union, zero_division=zero_division)
    return defined_mean(overlap, gold_counts if average == "weighted" else None)


def exact_match_rate(gold: ArrayLike, predicted: ArrayLike) -> float:
    """Share of items whose label set is right as a whole, 0 to 1; NaN without items.

    Example:
        >>> exact_match_rate([[1, 0], [0, 1]], [[1, 0], [1, 1]])
        0.5
    """
    left, right = _matrices(gold, predicted)
    return float((left == right).all(axis=1).mean()) if len(left) else float("nan")


def _matrices(gold: ArrayLike, predicted: ArrayLike) -> tuple[Array, Array]:
    import numpy as np

    left, right = np.asarray(gold), np.asarray(predicted)
    if left.ndim != 2 or left.shape != right.shape:
        raise UsageError(
            f"both sides must be indicator matrices (items x labels) of one shape; they are {left.shape} and "
            f"{right.shape}"
        )
    return (left != 0).astype(np.int64), (right != 0).astype(np.int64)


def _counts(gold: Array, predicted: Array, *, samples: bool) -> tuple[Array, Array, Array]:
    axis = 1 if samples else 0
    return (gold * predicted).sum(axis=axis), predicted.sum(axis=axis), gold.sum(axis=axis)
