"""Confusion counts and the metrics of labels that follow from them, as scikit-learn defines them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Average = Literal["micro", "macro", "weighted"]
"""How classes are combined: all counts together, a plain mean, or a mean weighted by gold count."""


class PrecisionRecallF1(NamedTuple):
    """Precision, recall and F-score, each 0 to 1, higher is better.

    Attributes:
        precision: Share of predicted items that are right.
        recall: Share of gold items that were found.
        f1: Their harmonic mean, or the F-beta score where a beta was given.
    """

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Scores of each class.

    Attributes:
        labels: The classes, in the order of the arrays.
        precision: One value per class.
        recall: One value per class.
        f1: One value per class.
        support: Gold items per class.
    """

    labels: tuple[Any, ...]
    precision: Array
    recall: Array
    f1: Array
    support: Array


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """How often each gold label was answered with each label.

    Attributes:
        labels: The labels, in the order of rows and columns.
        counts: Rows are gold labels, columns predicted labels.

    Example:
        >>> matrix = confusion_matrix(gold=["ok", "ok", "dent"], predicted=["ok", "rust", "dent"])
        >>> matrix.labels, matrix.counts.tolist()
        (('dent', 'ok', 'rust'), [[1, 0, 0], [0, 1, 1], [0, 0, 0]])
        >>> matrix.accuracy, matrix.balanced_accuracy()
        (0.6666666666666666, 0.75)
    """

    labels: tuple[Any, ...]
    counts: Array

    @property
    def accuracy(self) -> float:
        """Share of items on the diagonal, 0 to 1; NaN without items."""
        total = self.counts.sum()
        return float(self.counts.trace() / total) if total else math.nan

    def balanced_accuracy(self, *, adjusted: bool = False) -> float:
        """Mean recall over the classes that occur in gold, 0 to 1; NaN without items.

        Args:
            adjusted: Rescale so that guessing gives 0 and a perfect answer 1 (NaN with a single class).
        """
        gold = self.counts.sum(axis=1)
        present = gold > 0
        if not present.any():
            return math.nan
        value = float((self.counts.diagonal()[present] / gold[present]).mean())
        if not adjusted:
            return value
        chance = 1 / int(present.sum())
        return (value - chance) / (1 - chance) if chance < 1 else math.nan

    @property
    def matthews(self) -> float:
        """Matthews' correlation coefficient of any number of classes, -1 to 1; 0 when it is undefined."""
        gold, predicted = self.counts.sum(axis=1).astype(float), self.counts.sum(axis=0).astype(float)
        total = float(gold.sum())
        spread = (total**2 - float(predicted @ predicted)) * (total**2 - float(gold @ gold))
        covariance = float(self.counts.trace()) * total - float(gold @ predicted)
        return covariance / math.sqrt(spread) if spread > 0 else 0.0

    def class_counts(self, labels: Sequence[Hashable] | None = None) -> tuple[Array, Array, Array]:
        """Hits, predicted items and gold items of each class.

        Args:
            labels: These classes, in this order, 0 for one that does not occur; by default all.
        """
        import numpy as np

        counts = self.counts.diagonal(), self.counts.sum(axis=0), self.counts.sum(axis=1)
        if labels is None:
            return counts
        position = {label: index for index, label in enumerate(self.labels)}
        chosen = np.array([position.get(label, -1) for label in labels], dtype=np.intp)
        hits, predicted, gold = (np.where(chosen < 0, 0, side[chosen]) for side in counts)
        return hits, predicted, gold

    def per_class(
        self,
        *,
        labels: Sequence[Hashable] | None = None,
        zero_division: float = 0.0,
        beta: float = 1.0,
    ) -> ClassScores:
        """Precision, recall and F-beta of each class.

        Args:
            labels: These classes, in this order; by default all.
            zero_division: Value where a class was never predicted, or never in gold: 0, 1 or NaN.
            beta: Weight of recall against precision.
        """
        hits, predicted, gold = self.class_counts(labels)
        precision, recall, f1 = rates(hits, predicted, gold, zero_division=zero_division, beta=beta)
        return ClassScores(self.labels if labels is None else tuple(labels), precision, recall, f1, gold)

    def averaged(
        self,
        average: Average,
        *,
        labels: Sequence[Hashable] | None = None,
        zero_division: float = 0.0,
        beta: float = 1.0,
    ) -> PrecisionRecallF1:
        """Precision, recall and F-beta over classes.

        Args:
            average: How classes are combined.
            labels: Only these classes (``[positive]`` for the scores of a binary task); by default all that
                occur in gold or in the predictions, so that a label foreign to gold lowers the macro mean.
            zero_division: Value where a class was never predicted, or never in gold: 0, 1 or NaN.
            beta: Weight of recall against precision.
        """
        hits, predicted, gold = self.class_counts(labels)
        return averaged_rates(hits, predicted, gold, average, zero_division=zero_division, beta=beta)


def confusion_matrix(
    gold: Iterable[Hashable], predicted: Iterable[Hashable], labels: Sequence[Hashable] | None = None
) -> ConfusionMatrix:
    """Count how often each gold label was answered with each label.

    Args:
        gold: Gold labels.
        predicted: Predicted labels, in the same order.
        labels: Rows and columns to count, in this order; pairs with another label are left out. By default
            all labels of either side, sorted.

    Raises:
        UsageError: The two sides differ in length.
    """
    import numpy as np

    known, gold_index, predicted_index = label_indices(gold, predicted, labels)
    size = len(known)
    inside = (gold_index >= 0) & (predicted_index >= 0)
    cells = gold_index[inside] * size + predicted_index[inside]
    return ConfusionMatrix(known, np.bincount(cells, minlength=size * size).reshape(size, size))


def label_indices(
    gold: Iterable[Hashable], predicted: Iterable[Hashable], labels: Sequence[Hashable] | None = None
) -> tuple[tuple[Any, ...], Array, Array]:
    """The labels, and both sides as positions in them (-1 for a label that is not among ``labels``).

    Raises:
        UsageError: The two sides differ in length.

    Example:
        >>> known, gold, predicted = label_indices(["b", "a"], ["b", "c"])
        >>> known, gold.tolist(), predicted.tolist()
        (('a', 'b', 'c'), [1, 0], [1, 2])
    """
    import numpy as np

    left, right = _as_list(gold), _as_list(predicted)
    if len(left) != len(right):
        raise UsageError(
            f"there are {len(left)} gold labels and {len(right)} predicted ones; give one per item"
        )
    known = tuple(_sorted({*left, *right}) if labels is None else labels)
    position = {label: index for index, label in enumerate(known)}
    if labels is None:
        return (
            known,
            np.fromiter(map(position.__getitem__, left), np.intp, len(left)),
            np.fromiter(map(position.__getitem__, right), np.intp, len(right)),
        )
    return (
        known,
        np.fromiter((position.get(label, -1) for label in left), np.intp, len(left)),
        np.fromiter((position.get(label, -1) for label in right), np.intp, len(right)),
    )


def rates(
    hits: Array, predicted: Array, gold: Array, *, zero_division: float = 0.0, beta: float = 1.0
) -> tuple[Array, Array, Array]:
    """Precision, recall and F-beta from counts of hits, predicted and gold items, element by element.

    Raises:
        UsageError: ``zero_division`` is not 0, 1 or NaN, or ``beta`` is negative.
    """
    import numpy as np

    if not (zero_division in (0, 1) or math.isnan(zero_division)):
        raise UsageError(f"zero_division is 0, 1 or NaN, not {zero_division!r}")
    if beta < 0:
        raise UsageError(f"beta must not be negative; it is {beta!r}")

    def divide(top: Array, bottom: Array) -> Array:
        value = np.full(np.shape(top), zero_division, dtype=float)
        np.divide(top, bottom, out=value, where=bottom != 0)
        return value

    precision, recall = divide(hits, predicted), divide(hits, gold)
    if beta == 0 or math.isinf(beta):
        return precision, recall, recall if beta else precision
    return precision, recall, divide((1 + beta**2) * hits, beta**2 * gold.astype(float) + predicted)


def averaged_rates(
    hits: Array,
    predicted: Array,
    gold: Array,
    average: Average,
    *,
    zero_division: float = 0.0,
    beta: float = 1.0,
) -> PrecisionRecallF1:
    """One precision, recall and F-beta of several classes; NaN classes are left out of a mean.

    Raises:
        UsageError: The average is unknown.
    """
    import numpy as np

    if average not in ("micro", "macro", "weighted"):
        raise UsageError(f"average is 'micro', 'macro' or 'weighted', not {average!r}")
    if average == "micro":
        hits, predicted, gold = (np.atleast_1d(counts.sum()) for counts in (hits, predicted, gold))
    weights = gold if average == "weighted" else None
    scores = rates(hits, predicted, gold, zero_division=zero_division, beta=beta)
    return PrecisionRecallF1(*(defined_mean(values, weights) for values in scores))


def defined_mean(values: Array, weights: Array | None = None) -> float:
    """Mean of the values that are not NaN, weighted where the weights are not all 0; NaN of none."""
    import numpy as np

    defined = ~np.isnan(values)
    if not defined.any():
        return math.nan
    kept = values[defined]
    if weights is None or not weights[defined].any():
        return float(kept.mean())
    return float(np.average(kept, weights=weights[defined]))


def _as_list(labels: Iterable[Any]) -> list[Any]:
    # An array's own items are slow to hash and to compare; its list has plain Python values.
    return labels.tolist() if hasattr(labels, "tolist") else list(labels)


def _sorted(labels: set[Any]) -> list[Any]:
    try:
        return sorted(labels)
    except TypeError:
        return sorted(labels, key=lambda label: (type(label).__name__, str(label)))
