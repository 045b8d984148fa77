"""Metrics of probabilities and confidences: log loss, Brier score, ROC-AUC, average precision, calibration.

Definitions are scikit-learn's, and Guo et al. (ICML 2017) for the expected calibration error. Binary tasks
take one score per item for the positive label, which by default is the greater of the two labels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[Any]]


def log_loss(
    gold: Sequence[Hashable], probabilities: ArrayLike, labels: Sequence[Hashable] | None = None
) -> float:
    """Mean negative logarithm of the probability given to the gold label, 0 to about 36, lower is better.

    Probabilities are kept at least one machine epsilon away from 0 and 1.

    Args:
        gold: Gold labels.
        probabilities: For a binary task one per item, of the greater label; else items x labels.
        labels: The labels of the columns; by default those in gold, sorted.

    Raises:
        UsageError: Shapes or labels do not fit, or a value is not in [0, 1].

    Example:
        >>> round(log_loss(["ok", "dent"], [[0.2, 0.8], [0.6, 0.4]], labels=["dent", "ok"]), 4)
        0.367
    """
    import numpy as np

    if not len(gold):
        return math.nan
    index, matrix = _columns(gold, probabilities, labels)
    epsilon = np.finfo(float).eps
    chosen = np.clip(matrix[np.arange(len(index)), index], epsilon, 1 - epsilon)
    return float(-np.log(chosen).mean())


def brier_score(
    gold: Sequence[Hashable], probabilities: ArrayLike, labels: Sequence[Hashable] | None = None
) -> float:
    """Mean squared difference of probabilities and truth, lower is better.

    Args:
        gold: Gold labels.
        probabilities: For a binary task one per item, of the greater label (range 0 to 1); else items x
            labels, where the squares are summed over labels (range 0 to 2, halved for two labels).
        labels: The labels of the columns; by default those in gold, sorted.

    Raises:
        UsageError: Shapes or labels do not fit, or a value is not in [0, 1].

    Example:
        >>> round(brier_score([1, 0], [0.9, 0.2]), 3)
        0.025
    """
    import numpy as np

    if not len(gold):
        return math.nan
    index, matrix = _columns(gold, probabilities, labels)
    truth = np.zeros_like(matrix)
    truth[np.arange(len(index)), index] = 1
    score = float(np.square(matrix - truth).sum(axis=1).mean())
    return score / 2 if matrix.shape[1] == 2 else score


def roc_auc(
    gold: Sequence[Hashable],
    scores: ArrayLike,
    *,
    positive: Hashable = None,
    weights: ArrayLike | None = None,
) -> float:
    """Chance that a positive item has a higher score than a negative one (ties count half), 0 to 1.

    Args:
        gold: Two labels.
        scores: One per item, higher for the positive label; any numbers.
        positive: The positive label; by default the greater one.
        weights: One per item.

    Returns:
        The area; NaN when only one label occurs.

    Raises:
        UsageError: There are more than two labels and ``positive`` is not given.

    Example:
        >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    import numpy as np

    hits, misses = _threshold_counts(_is_positive(gold, positive), scores, weights)
    if not len(hits) or hits[-1] == 0 or misses[-1] == 0:
        return math.nan
    tpr = np.concatenate([[0.0], hits / hits[-1]])
    fpr = np.concatenate([[0.0], misses / misses[-1]])
    return float(((tpr[1:] + tpr[:-1]) * np.diff(fpr)).sum() / 2)


def average_precision(
    gold: Sequence[Hashable],
    scores: ArrayLike,
    *,
    positive: Hashable = None,
    weights: ArrayLike | None = None,
) -> float:
    """Mean precision over the steps of recall as the threshold falls, 0 to 1; no interpolation.

    Args:
        gold: Two labels.
        scores: One per item, higher for the positive label; any numbers.
        positive: The positive label; by default the greater one.
        weights: One per item.

    Returns:
        The value; 0 when nothing is positive, as in scikit-learn; NaN without items.

    Raises:
        UsageError: There are more than two labels and ``positive`` is not given.

    Example:
        >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
        0.8333
    """
    import numpy as np

    hits, misses = _threshold_counts(_is_positive(gold, positive), scores, weights)
    if not len(hits):
        return math.nan
    if hits[-1] == 0:
        return 0.0
    kept = hits + misses > 0
    hits, misses = hits[kept], misses[kept]
    return float((np.diff(hits, prepend=0.0) / hits[-1] * hits / (hits + misses)).sum())


def multiclass_roc_auc(
    gold: Sequence[Hashable],
    probabilities: ArrayLike,
    *,
    labels: Sequence[Hashable] | None = None,
    average: Literal["macro", "weighted"] = "macro",
) -> float:
    """One-versus-rest ROC-AUC of several labels, 0 to 1.

    Args:
        gold: Gold labels.
        probabilities: Items x labels.
        labels: The labels of the columns; by default those in gold, sorted.
        average: Plain mean over labels, or weighted by gold count.

    Returns:
        The value; NaN when a label does not occur in gold or is the only one.

    Raises:
        UsageError: Shapes or labels do not fit, or a value is not in [0, 1].

    Example:
        >>> multiclass_roc_auc(["a", "b", "c"], [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
        1.0
    """
    import numpy as np

    if average not in ("macro", "weighted"):
        raise UsageError(f"average is 'macro' or 'weighted', not {average!r}")
    index, matrix = _columns(gold, probabilities, labels)
    columns = range(matrix.shape[1])
    areas = [roc_auc((index == column).tolist(), matrix[:, column], positive=True) for column in columns]
    counts = np.bincount(index, minlength=len(areas))
    return float(np.average(areas, weights=counts if average == "weighted" else None))


def expected_calibration_error(
    correct: ArrayLike, confidence: ArrayLike, *, bins: int = 15, weights: ArrayLike | None = None
) -> float:
    """Mean gap between confidence and accuracy over equal bins of confidence, 0 to 1, lower is better.

    ECE = sum over bins of (n_b / N) |accuracy_b - confidence_b|. Bins are closed on the right, (0, 1/m],
    (1/m, 2/m], ...; a confidence of exactly 0 belongs to the first.

    Args:
        correct: Whether each item was answered rightly, 0 or 1.
        confidence: The confidence in each answer, 0 to 1.
        bins: How many bins.
        weights: One per item.

    Returns:
        The error; NaN without items.

    Raises:
        UsageError: Lengths differ, there is no bin, or a confidence is not in [0, 1].

    Example:
        >>> round(expected_calibration_error([1, 1, 0, 1], [0.9, 0.8, 0.7, 0.6], bins=2), 2)
        0.0
    """
    import numpy as np

    if bins < 1:
        raise UsageError(f"calibration needs at least one bin, not {bins}")
    right, sure = np.asarray(correct, dtype=float), _unit_interval(confidence)
    if right.shape != sure.shape:
        raise UsageError(f"there are {right.size} outcomes and {sure.size} confidences; give one per item")
    mass = np.ones_like(sure) if weights is None else np.asarray(weights, dtype=float)
    if mass.sum() == 0:
        return math.nan
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.maximum(np.searchsorted(edges, sure, side="left") - 1, 0)
    gaps = np.bincount(bin_of, weights=mass * (right - sure), minlength=bins)
    return float(np.abs(gaps).sum() / mass.sum())


def _is_positive(gold: Sequence[Hashable], positive: Hashable) -> Array:
    import numpy as np

    values = gold.tolist() if hasattr(gold, "tolist") else list(gold)
    present: set[Any] = set(values)
    if positive is None and present:
        if len(present) > 2:
            raise UsageError(f"gold has {len(present)} labels; name the positive one")
        # With one label there is nothing greater: 0, False and -1 are the usual names of the negative one.
        positive = max(present) if present not in ({0}, {-1}) else 1
    return np.fromiter((value == positive for value in values), bool, len(values))


def _threshold_counts(positive: Array, scores: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array]:
    """Weight of positive and of negative items at or above each distinct score, highest first."""
    import numpy as np

    values = np.asarray(scores, dtype=float)
    if values.shape != positive.shape:
        raise UsageError(f"there are {positive.size} gold labels and {values.size} scores; give one per item")
    if not len(values):
        return values, values
    if np.isnan(values).any():
        raise UsageError("a score is NaN; leave such items out and count them as failures")
    order = np.argsort(-values, kind="stable")
    last_of_score = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
    mass = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)[order]
    positive = positive[order]
    return np.cumsum(mass * positive)[last_of_score], np.cumsum(mass * ~positive)[last_of_score]


def _columns(
    gold: Sequence[Hashable], probabilities: ArrayLike, labels: Sequence[Hashable] | None
) -> tuple[Array, Array]:
    """The column of each gold label, and the probabilities as items x labels."""
    import numpy as np

    matrix = _unit_interval(probabilities)
    if matrix.ndim == 1 or matrix.shape[1] == 1:
        positive = matrix.reshape(-1)
        matrix = np.stack([1 - positive, positive], axis=1)
    if labels is not None:
        values: list[Any] = list(gold)
        known: Sequence[Any] = labels
    elif matrix.shape[1] == 2:
        values, known = _is_positive(gold, None).tolist(), (False, True)
    else:
        values = list(gold)
        known = sorted(set(values))
    position = {label: index for index, label in enumerate(known)}
    if len(known) != matrix.shape[1]:
        raise UsageError(f"there are {matrix.shape[1]} columns for {len(known)} labels; pass 'labels'")
    if len(values) != len(matrix):
        raise UsageError(f"there are {len(values)} gold labels for {len(matrix)} rows of probabilities")
    if strangers := set(values) - set(position):
        raise UsageError(f"gold labels without a column: {sorted(map(str, strangers))}")
    return np.fromiter((position[value] for value in values), np.intp, len(values)), matrix


def _unit_interval(values: ArrayLike) -> Array:
    import numpy as np

    array = np.asarray(values, dtype=float)
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise UsageError(f"probabilities lie in [0, 1]; these reach from {array.min():g} to {array.max():g}")
    return array
