"""Differences of two variants that were measured on the same pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.statistics.bootstrap import bca_interval
from vlmops.statistics.distributions import t_cdf
from vlmops.statistics.permutation import SignFlipTest, sign_flip_tests
from vlmops.statistics.quantiles import check_quantiles, resampled_quantiles
from vlmops.statistics.resampling import (
    CONFIDENCE,
    RESAMPLES,
    ClusterKeys,
    Clusters,
    Resampled,
    alike,
    percentile_interval,
    resampled_sums,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    from vlmops.evaluators.score import Interval

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How far a candidate is from a baseline on the same pictures.

    Attributes:
        value: Candidate less baseline, in the metric's units; NaN without pairs.
        pairs: How many pairs stand behind it.
        clusters: How many independent pictures these are.
        interval: Bootstrap interval of the difference; ``None`` with fewer than two clusters.
        standard_error: Of the difference; clusters count, not pairs. NaN with fewer than two.
        test: The exact test against no difference; ``None`` for what is not a mean (corpus values,
            percentiles), which the bootstrap's standard error is used for.

    Example:
        >>> (difference,) = paired_differences([[0.0], [0.2], [0.4]], [[0.1], [0.3], [0.6]])
        >>> round(difference.value, 3), difference.p_value
        (0.133, 0.25)
    """

    value: float
    pairs: int
    clusters: int
    interval: Interval | None
    standard_error: float
    test: SignFlipTest | None = None

    @property
    def p_value(self) -> float:
        """Two-sided, of no difference at all; NaN where nothing can be said."""
        if self.test is not None:
            return self.test.p_value
        tail = min(self.evidence_below(0.0), self.evidence_above(0.0))
        return tail if math.isnan(tail) else min(1.0, 2 * tail)

    def evidence_below(self, margin: float) -> float:
        """One-sided p-value of "the true difference is at least ``margin``": small, and it is below.

        By the t distribution over clusters. Up to a margin of zero it is never smaller than the exact test
        against no difference: what is shown to be below a margin is shown to be below zero.

        Example:
            >>> (difference,) = paired_differences([[0.0]] * 9, [[-0.1]] * 8 + [[0.1]])
            >>> difference.evidence_below(0.0) < 0.05 < difference.evidence_below(-0.05)
            True
        """
        shifted = self._shifted(margin)
        return max(shifted, self.test.p_less) if self.test is not None and margin <= 0 else shifted

    def evidence_above(self, margin: float) -> float:
        """One-sided p-value of "the true difference is at most ``margin``": small, and it is above.

        Example:
            >>> (difference,) = paired_differences([[0.0]] * 9, [[0.1]] * 8 + [[-0.1]])
            >>> difference.evidence_above(0.0) < 0.05
            True
        """
        shifted = self._shifted(margin)
        above = shifted if math.isnan(shifted) else self._opposite(margin, shifted)
        return max(above, self.test.p_greater) if self.test is not None and margin >= 0 else above

    def _shifted(self, margin: float) -> float:
        if not self.standard_error >= 0 or self.clusters < 2:
            return math.nan
        if self.standard_error == 0:
            return 0.0 if self.value < margin else 1.0
        return t_cdf((self.value - margin) / self.standard_error, self.clusters - 1)

    def _opposite(self, margin: float, below: float) -> float:
        if self.standard_error == 0:
            return 0.0 if self.value > margin else 1.0
        return 1 - below


def paired_differences(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> list[PairedDifference]:
    """Differences of means, one a column, with intervals from one paired bootstrap.

    The interval is BCa, which follows the skewness that differences of errors, costs and latencies have;
    where differences are whole numbers (pass and fail) it is the percentile interval, since BCa leaps between
    the few values that a sum of these can take.

    Args:
        baseline: One row per pair, one column per metric; NaN where there is no value.
        candidate: The same of the other variant.
        clusters: One key per row; pairs with equal keys (questions about one picture) are drawn together.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples.

    Returns:
        One difference a column, over the rows where both have a value.

    Raises:
        UsageError: The tables differ in shape, or keys are not one per row.

    Example:
        >>> passed = paired_differences([[1], [1], [0], [1]], [[1], [0], [0], [0]], clusters="aabb")
        >>> passed[0].value, passed[0].pairs, passed[0].clusters
        (-0.5, 4, 2)
    """
    import numpy as np

    before, after = np.asarray(baseline, dtype=float), np.asarray(candidate, dtype=float)
    if before.shape != after.shape or before.ndim != 2:
        raise UsageError(f"pairs need two tables of one shape, not {before.shape} and {after.shape}")
    differences = after - before
    found: list[PairedDifference | None] = [None] * differences.shape[1]
    present = np.isfinite(differences)
    groups = Clusters.of(len(before), clusters)
    for columns in alike(present):
        rows = np.flatnonzero(present[:, columns[0]])
        parts = _differences(differences[rows][:, columns], groups.chosen(rows), confidence, resamples)
        for column, part in zip(columns, parts, strict=True):
            found[column] = part
    return [part for part in found if part is not None]


def resampled_difference(
    baseline: float,
    candidate: float,
    resampled: tuple[Resampled, Resampled] | None,
    pairs: int,
    confidence: float = CONFIDENCE,
) -> PairedDifference:
    """The difference of two values that are no means (micro-averaged CER, mAP, F1, percentiles).

    Args:
        baseline: The baseline's value over the pairs.
        candidate: The candidate's value over the same pairs.
        resampled: What :func:`~vlmops.statistics.recorded_resamples` kept of both; the difference has an
            interval only where both drew from the same clusters.
        pairs: How many there are.
        confidence: Level in (0, 1).

    Example:
        >>> from vlmops.statistics import bootstrap_ratio, recorded_resamples
        >>> with recorded_resamples() as record:
        ...     first, second = bootstrap_ratio([1, 2, 4], [9, 9, 9]), bootstrap_ratio([1, 3, 6], [9, 9, 9])
        >>> behind = record.behind(first), record.behind(second)
        >>> difference = resampled_difference(7 / 27, 10 / 27, behind, 3)
        >>> round(difference.value, 3), round(difference.interval.high, 3)
        (0.111, 0.222)
    """
    import numpy as np

    value = candidate - baseline
    if resampled is None or resampled[0].keys != resampled[1].keys:
        return PairedDifference(value, pairs, 0, None, math.nan)
    drawn = resampled[1].values - resampled[0].values
    drawn = drawn[np.isfinite(drawn)]
    error = float(drawn.std(ddof=1)) if len(drawn) > 1 else math.nan
    keys = resampled[0].keys
    return PairedDifference(value, pairs, len(keys), percentile_interval(drawn, confidence), error)


def quantile_differences(
    baseline: ArrayLike,
    candidate: ArrayLike,
    shares: Sequence[float],
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> list[PairedDifference]:
    """Differences of quantiles, linear between values; all meet the same draws of pictures.

    Args:
        baseline: One value per pair.
        candidate: The other variant's, in the same order.
        shares: Which quantiles, each within 0 and 1: 0.95 for p95.
        clusters: One key per pair; pairs with equal keys are drawn together.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples.

    Returns:
        One difference a quantile.

    Raises:
        UsageError: A value is NaN, or a share not within 0 and 1.

    Example:
        >>> (found,) = quantile_differences([1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0], [0.5])
        >>> found.value, found.interval.low
        (1.0, 1.0)
    """
    import numpy as np

    rows = np.column_stack([np.asarray(baseline, dtype=float), np.asarray(candidate, dtype=float)])
    check_quantiles(rows, shares)
    groups = Clusters.of(len(rows), clusters)
    values = np.quantile(rows, shares, axis=0) if len(rows) else np.full((len(shares), 2), math.nan)
    if groups.count < 2:
        return [
            PairedDifference(float(after - before), len(rows), groups.count, None, math.nan)
            for before, after in values
        ]
    drawn = resampled_quantiles(rows, shares, groups, resamples)
    return [
        resampled_difference(
            float(before),
            float(after),
            (Resampled(drawn[:, 0, at], groups.keys), Resampled(drawn[:, 1, at], groups.keys)),
            len(rows),
            confidence,
        )
        for at, (before, after) in enumerate(values)
    ]


def _differences(
    differences: Array, clusters: Clusters, confidence: float, resamples: int
) -> list[PairedDifference]:
    import numpy as np

    pairs, columns = differences.shape
    if clusters.count < 2:
        values = differences.mean(axis=0) if pairs else np.full(columns, math.nan)
        return [PairedDifference(float(value), pairs, clusters.count, None, math.nan) for value in values]
    sizes, sums = clusters.sums(np.ones(pairs)), clusters.sums(differences)
    drawn = resampled_sums(np.column_stack([sizes, sums]), resamples)
    means = differences.mean(axis=0)
    errors = np.sqrt(
        clusters.count / (clusters.count - 1) * ((sums - sizes[:, None] * means) ** 2).sum(axis=0)
    )
    tests = sign_flip_tests(sums)
    found = []
    for column in range(columns):
        resampled = drawn[:, column + 1] / drawn[:, 0]
        if (differences[:, column] == np.rint(differences[:, column])).all():
            interval = percentile_interval(resampled, confidence)
        else:
            left_out = (sums[:, column].sum() - sums[:, column]) / (pairs - sizes)
            interval = bca_interval(resampled, float(means[column]), left_out, confidence)
        error = float(errors[column]) / pairs
        found.append(
            PairedDifference(float(means[column]), pairs, clusters.count, interval, error, tests[column])
        )
    return found
