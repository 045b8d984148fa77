"""The true pass rate behind a judge's: what its known errors on labelled cases say of the unlabelled ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.evaluators.score import Interval
from vlmops.statistics.resampling import check_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its interval.

    Attributes:
        value: The estimate.
        interval: Its confidence interval.
    """

    value: float
    interval: Interval


def rogan_gladen(
    positive: int,
    n: int,
    true_positive: int,
    actual_positive: int,
    true_negative: int,
    actual_negative: int,
    confidence: float = 0.95,
) -> Estimate:
    """True rate behind a judge's pass rate, from its sensitivity and specificity on labelled cases.

    Estimate: Rogan and Gladen, *American Journal of Epidemiology* 107 (1978). Interval: Lang and Reiczigel,
    *Preventive Veterinary Medicine* 113 (2014), which keeps its level where all three rates are estimated.
    The labelled cases need not have the pass rate of the others, only the same chances of error.

    Args:
        positive: Passes the judge gave among the ``n`` cases.
        n: Cases that only the judge saw.
        true_positive: Passes it gave among those that people pass.
        actual_positive: Labelled cases that people pass.
        true_negative: Fails it gave among those that people fail.
        actual_negative: Labelled cases that people fail.
        confidence: Level in (0, 1).

    Returns:
        The rate, within 0 and 1.

    Raises:
        UsageError: A count is impossible, there are no labelled passes or fails, or the judge is no better
            than chance, so that its verdicts say nothing about the rate.

    Example:
        >>> found = rogan_gladen(60, 100, 45, 50, 40, 50)
        >>> round(found.value, 3), round(found.interval.low, 3), round(found.interval.high, 3)
        (0.571, 0.396, 0.743)
    """
    counts = ((positive, n), (true_positive, actual_positive), (true_negative, actual_negative))
    if any(part < 0 or part > whole or whole < 1 for part, whole in counts):
        raise UsageError("each count must be within 0 and its total, and each total at least 1")
    sensitivity, specificity = true_positive / actual_positive, true_negative / actual_negative
    if sensitivity + specificity <= 1:
        raise UsageError(
            f"sensitivity {sensitivity:.2f} and specificity {specificity:.2f} are no better than chance: "
            "this judge's verdicts say nothing about the true rate"
        )
    value = (positive / n + specificity - 1) / (sensitivity + specificity - 1)
    return Estimate(min(1.0, max(0.0, value)), _lang_reiczigel(*counts, confidence))


def prediction_powered_mean(
    labelled: Sequence[float],
    judged: Sequence[float],
    unlabelled: Sequence[float],
    confidence: float = 0.95,
) -> Estimate:
    """True mean of a score, from a few labelled cases and the judge's scores of many.

    The judge's mean over the unlabelled cases, moved by its mean error on the labelled ones, weighted so that
    a judge that says nothing about the labels is left out. The labelled cases must be a random share of all.
    Angelopoulos, Duchi and Zrnic, *PPI++* (arXiv 2311.01453); the values of ``ppi_py.ppi_mean_ci``.

    Args:
        labelled: What people said of the labelled cases.
        judged: What the judge said of the same.
        unlabelled: What the judge said of the others.
        confidence: Level in (0, 1).

    Raises:
        UsageError: There are fewer than two labelled or unlabelled cases, or the first two differ in length.

    Example:
        >>> found = prediction_powered_mean([1, 0, 1, 1], [1, 0, 1, 0], [1, 0, 0, 1, 1, 0])
        >>> round(found.value, 3)
        0.75
    """
    import numpy as np

    truth, told = np.asarray(labelled, dtype=float), np.asarray(judged, dtype=float)
    others = np.asarray(unlabelled, dtype=float)
    if len(truth) != len(told) or len(truth) < 2 or len(others) < 2:
        raise UsageError("give as many judged as labelled cases, two or more, and two or more others")
    weight = _power_tuned(truth, told, others)
    value = float(weight * others.mean() + (truth - weight * told).mean())
    error = math.hypot(
        weight * others.std() / math.sqrt(len(others)), (truth - weight * told).std() / math.sqrt(len(truth))
    )
    check_confidence(confidence)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Estimate(value, Interval(value - reach, value + reach, confidence))


def _power_tuned(truth: Array, told: Array, others: Array) -> float:
    """How far the judge is to be relied on, 0 to 1: what makes the estimate vary least."""
    import numpy as np

    spread = float(np.concatenate([told, others]).var(ddof=1)) * (1 + len(told) / len(others))
    together = float(((truth - truth.mean()) * (told - told.mean())).mean())
    return min(1.0, max(0.0, together / spread)) if spread else 0.0


def _lang_reiczigel(
    observed: tuple[int, int], positives: tuple[int, int], negatives: tuple[int, int], confidence: float
) -> Interval:
    check_confidence(confidence)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    total, positive, negative = observed[1] + z * z, positives[1] + 2, negatives[1] + 2
    rate = (observed[0] + z * z / 2) / total
    sensitivity, specificity = (positives[0] + 1) / positive, (negatives[0] + 1) / negative
    informedness = sensitivity + specificity - 1
    middle = (rate + specificity - 1) / informedness
    of_sensitivity = sensitivity * (1 - sensitivity) / positive
    of_specificity = specificity * (1 - specificity) / negative
    variance = rate * (1 - rate) / total + middle**2 * of_sensitivity + (1 - middle) ** 2 * of_specificity
    shift = 2 * z * z * (middle * of_sensitivity - (1 - middle) * of_specificity)
    reach = z * math.sqrt(variance) / abs(informedness)
    low, high = middle + shift - reach, middle + shift + reach
    return Interval(min(1.0, max(0.0, low)), min(1.0, max(0.0, high)), confidence)
